import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import Provider, { type Adapter } from 'oidc-provider';
import { RESOURCE } from '../jwt/local-issuer.fixture.js';

const AGENT = { client_id: 'fixture', client_secret: 'fixture-secret' };
/** `oidc-provider` insists on an audience; this one leaves none in the JSON, as Cognito does. */
const NO_AUDIENCE = { toJSON: () => undefined };

const nothing = () => Promise.resolve(undefined);
/** Clients are configured and JWTs are not looked up, so there is nothing to store. */
const STORES_NOTHING: Adapter = {
  upsert: nothing,
  find: nothing,
  findByUserCode: nothing,
  findByUid: nothing,
  consume: nothing,
  destroy: nothing,
  revokeByGrantId: nothing,
};

type Json = Readonly<Record<string, unknown>>;

/** What a token of some vendor looks like. `iss`, `iat`, `exp` and the signature are the provider's. */
export interface TokenShape {
  /** Besides `alg` and `kid`. No `typ` means that there is none. */
  readonly header: Json;
  readonly payload: Json;
}

/**
 * `oidc-provider`, a certified OpenID provider, on a real port: real discovery, real key set, real token endpoint. Its JWT
 * customizer gives the tokens the shape that a vendor documents.
 */
export class ShapedProvider {
  private shape: TokenShape = { header: {}, payload: {} };
  private callback: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;

  private constructor(
    private readonly server: Server,
    /** What follows the origin in the issuer, such as `/realms/acme`. */
    private readonly path: string,
  ) {}

  static async start(path: string): Promise<ShapedProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const provider = new ShapedProvider(server, path);
    server.on('request', (request, response) => provider.answer(request, response));
    await provider.rotate();
    return provider;
  }

  get issuer(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${address.port}${this.path}`;
  }

  /** From now on, signs with a new key and publishes no other. */
  async rotate(): Promise<void> {
    const provider = new Provider(this.issuer, {
      adapter: () => STORES_NOTHING,
      ttl: { ClientCredentials: 600 },
      jwks: { keys: [await newKey()] },
      clients: [{ ...AGENT, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
      formats: {
        customizers: {
          jwt: (_context, _token, jwt) => {
            const { iss, iat, exp } = jwt.payload;
            jwt.header = { typ: undefined, ...this.shape.header };
            jwt.payload = { iss, iat, exp, aud: NO_AUDIENCE, ...this.shape.payload };
          },
        },
      },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({
            scope: '',
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    });
    this.callback = provider.callback();
  }

  /** A token of this shape, from the token endpoint. */
  async token(shape: TokenShape): Promise<string> {
    this.shape = shape;
    const response = await fetch(`${this.issuer.replace(/\/$/, '')}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${AGENT.client_id}:${AGENT.client_secret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE }),
    });
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null && 'access_token' in body) return String(body.access_token);
    throw new Error(JSON.stringify(body));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Mounts the provider under the path of its issuer, as Connect and Express do. */
  private answer(request: IncomingMessage, response: ServerResponse): void {
    const mount = this.path.replace(/\/$/, '');
    const url = request.url ?? '/';
    if (!url.startsWith(`${mount}/`)) {
      response.writeHead(404).end();
      return;
    }
    Object.assign(request, { originalUrl: url, url: url.slice(mount.length) });
    this.callback(request, response);
  }
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' };
}
