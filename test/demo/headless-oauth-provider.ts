import type {
  OAuthDiscoveryState,
  OAuthClientMetadata,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { headlessSignIn } from '../../src/development-provider/headless-sign-in.js';

/** Nothing listens here: the redirect is read where it is made. */
const REDIRECT_URL = 'http://127.0.0.1/callback';

/**
 * What an application gives the SDK for OAuth: a place to keep things, and a way to send somebody to a page. It knows
 * no address, no client id and no scope; the SDK finds them. In place of a browser the real pages are walked by
 * `headlessSignIn`.
 */
export class HeadlessOAuthProvider {
  readonly redirectUrl = REDIRECT_URL;
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'Sallyport demo',
    redirect_uris: [REDIRECT_URL],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    response_types: ['code'],
  };

  private client: StoredOAuthClientInformation | undefined;
  private kept: StoredOAuthTokens | undefined;
  private discovered: OAuthDiscoveryState | undefined;
  private verifier = '';
  private returned: URL | undefined;

  constructor(private readonly person: string) {}

  /** The redirect back to the client, with the code. */
  get callback(): URL {
    if (this.returned === undefined) throw new Error('The client did not ask for a sign-in.');
    return this.returned;
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.client;
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.client = client;
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.kept;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.kept = tokens;
  }

  async redirectToAuthorization(authorizationUrl: URL): Promise<void> {
    this.returned = await headlessSignIn(authorizationUrl, { as: this.person });
  }

  /** So that the code goes to the authorization server the sign-in began at. */
  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.discovered = state;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.discovered;
  }

  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }

  codeVerifier(): string {
    return this.verifier;
  }
}
