import type { CredentialRequest } from '@sallyport/mcp';
import { KEY_PREFIX } from '../api-keys/key-format.js';
import { readAuthorization } from '../bearer.js';
import type { IdentitySource } from '../identity.source.js';
import { isRecord } from '../is-record.js';
import { claimMapper, type ClaimMapping } from '../jwt/claim-mapping.js';
import { bounded } from '../jwt/token-rules.js';
import { isSecure, webUrl } from '../secure-url.js';
import { IntrospectedTokens } from './introspected-tokens.js';
import { IntrospectionClient, type ClientAuthentication } from './introspection.client.js';
import { IntrospectedToken, IntrospectionStrategy } from './introspection.strategy.js';

export interface IntrospectionOptions {
  /** Exactly as the provider's metadata says, to the last slash. Vouches for the principals. */
  readonly issuer: string;
  /** Where tokens are asked for. Default: the `introspection_endpoint` of the provider's metadata. */
  readonly endpoint?: string | undefined;
  /** As whom this server asks. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** How it says so. Default `client_secret_basic`. */
  readonly clientAuthentication?: ClientAuthentication | undefined;
  /**
   * `opaque` (default): bearer tokens that are no JWT, so that `oidc()` may take the JWTs of the same issuer. `all`: the
   * JWTs of the issuer as well, for one whose every token must be asked for.
   */
  readonly tokens?: 'opaque' | 'all' | undefined;
  /** Name in the audit. Default: the issuer, and that it was introspected. */
  readonly name?: string | undefined;
  /** What `aud` must name. Default: the `resource` of the server. */
  readonly audience?: string | undefined;
  /** Which member means what, as in `oidc()`. */
  readonly claims?: Omit<ClaimMapping, 'subject'> | undefined;
  /**
   * How long an answer is used again: the time within which what the issuer revokes ends here, 0 to 300 seconds. Default
   * 30. (What is revoked here ends at once.)
   */
  readonly cacheSeconds?: number | undefined;
  /** How many tokens are asked for at a time, 1 to 1000; more are answered 503. Default 32. */
  readonly maxLookUps?: number | undefined;
  /** How far clocks may be apart, in seconds, at most 300. Default 30. */
  readonly clockToleranceSeconds?: number | undefined;
  /** Longest life of a token, in seconds. Default 86400, one day. */
  readonly maxTokenLifetimeSeconds?: number | undefined;
}

/** Longer than discovery and answer may take, so that a slow issuer reads as unavailable and not as a bad token. */
const TIMEOUT_MS = 10_000;

/**
 * Opaque tokens, by asking their issuer (RFC 7662). The answer must name an expiry, the type `Bearer` and this server as
 * audience. Answers as JWT (RFC 9701) are not supported.
 *
 * @throws TypeError for options that make no sense, or could not be safe
 * @example
 * introspection({ issuer: 'https://id.acme.example', clientId: 'acme-mcp', clientSecret: process.env.INTROSPECTION_SECRET })
 */
export function introspection(options: IntrospectionOptions): IdentitySource {
  const { issuer, audience, tokens = 'opaque' } = options;
  const access = accessOf(options);
  const limits = limitsOf(options);
  const toDraft = claimMapper(options.claims);
  return {
    name: options.name ?? `${issuer} (introspection)`,
    issuer: tokens === 'all' ? issuer : undefined,
    vouchesFor: issuer,
    authorizationServer: issuer,
    accepts: carriesOpaqueToken,
    strategy: ({ resource, clock }) => {
      const client = new IntrospectionClient(access, clock);
      const asked = new IntrospectedTokens(issuer, (token) => client.ask(token), limits, clock);
      return new IntrospectionStrategy(asked, { ...limits, issuer, audience: audience ?? resource }, clock);
    },
    toPrincipal: (user) => (user instanceof IntrospectedToken ? opaque(toDraft(user)) : undefined),
    // The strategy keeps answers itself, and judges their age and expiry with every call.
    isStillGood: () => false,
    timeoutMs: TIMEOUT_MS,
  };
}

/** No JWT, and no key of this server, which is nobody else's business. */
function carriesOpaqueToken(request: CredentialRequest): boolean {
  const authorization = readAuthorization(request);
  if (authorization.kind !== 'bearer') return false;
  const { token } = authorization;
  return token.split('.').length !== 3 && !token.startsWith(KEY_PREFIX);
}

function opaque(draft: unknown): unknown {
  if (!isRecord(draft) || !isRecord(draft['credential'])) return draft;
  return { ...draft, credential: { ...draft['credential'], kind: 'opaque' } };
}

function accessOf(options: IntrospectionOptions) {
  const { issuer, endpoint, clientId, clientSecret, clientAuthentication = 'client_secret_basic' } = options;
  assertSecure('issuer', issuer);
  if (endpoint !== undefined) assertSecure('endpoint', endpoint);
  if (!clientId || !clientSecret) {
    throw new TypeError(
      'introspection() must say to the issuer who is asking: write clientId and clientSecret, as the issuer gave them to this server.',
    );
  }
  if (clientAuthentication !== 'client_secret_basic' && clientAuthentication !== 'client_secret_post')
    throw new TypeError("clientAuthentication is 'client_secret_basic' or 'client_secret_post'.");
  return { issuer, endpoint, clientId, clientSecret, clientAuthentication };
}

function assertSecure(what: string, address: string): void {
  const url = webUrl(address ?? '');
  if (url !== undefined && isSecure(url)) return;
  throw new TypeError(
    `${what} '${address}' of introspection() must be an https:// URL, or http:// on the loopback interface.`,
  );
}

function limitsOf({ tokens, audience, ...options }: IntrospectionOptions) {
  if (tokens !== undefined && tokens !== 'opaque' && tokens !== 'all')
    throw new TypeError("tokens is 'opaque' or 'all'.");
  if (audience === '')
    throw new TypeError('audience must not be empty: leave it out to use the resource of the server.');
  const { cacheSeconds, maxLookUps, clockToleranceSeconds, maxTokenLifetimeSeconds } = options;
  return {
    cacheSeconds: bounded('cacheSeconds', cacheSeconds ?? 30, 0, 300),
    maxLookUps: atMost(1_000, maxLookUps ?? 32),
    clockToleranceSeconds: bounded('clockToleranceSeconds', clockToleranceSeconds ?? 30, 0, 300),
    maxTokenLifetimeSeconds: bounded(
      'maxTokenLifetimeSeconds',
      maxTokenLifetimeSeconds ?? 86_400,
      1,
      366 * 86_400,
    ),
  };
}

function atMost(most: number, lookUps: number): number {
  if (Number.isInteger(lookUps) && lookUps >= 1 && lookUps <= most) return lookUps;
  throw new TypeError(`maxLookUps must be a whole number from 1 to ${most}.`);
}
