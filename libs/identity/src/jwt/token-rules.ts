import { isSecure, webUrl } from '../secure-url.js';
import { ASYMMETRIC_ALGORITHMS, isAsymmetric, type AsymmetricAlgorithm } from './algorithms.js';
import type { ClaimPath } from './claim-path.js';

/** What an access token of one issuer must be like. */
export interface TokenOptions {
  /** Exactly as the provider's metadata says, to the last slash. */
  readonly issuer: string;
  /** Must be named by `aud`. */
  readonly audience: string;
  /** Accepted signature algorithms. Default: all asymmetric ones. */
  readonly algorithms?: readonly AsymmetricAlgorithm[] | undefined;
  /**
   * Accepted `typ` headers; `'absent'` accepts a token without one. Default `at+jwt` and `application/at+jwt` (RFC 9068
   * §2.1). Where it is relaxed, say in {@link isAccessToken} how else an access token is known.
   */
  readonly typ?: readonly string[] | undefined;
  /** How far clocks may be apart, in seconds, at most 300. Default 30. */
  readonly clockToleranceSeconds?: number | undefined;
  /** Longest `exp - iat`, in seconds. Default 86400, one day. */
  readonly maxTokenLifetimeSeconds?: number | undefined;
  /** Ids of the clients whose tokens are taken. Default: all clients of the issuer. */
  readonly clients?: readonly string[] | undefined;
  /** Where the id of the client is; the first that is present. Default `client_id`, then `azp`. */
  readonly clientClaims?: readonly ClaimPath[] | undefined;
  /**
   * What `aud` is in tokens that the provider bound to no resource: a value such as `authenticated`, or `'absent'`. Such
   * tokens are good for everything the issuer protects, so they are taken from {@link clients} only, which must be given.
   * Default: tokens that do not name {@link audience} are refused.
   */
  readonly unboundAudience?: string | undefined;
  /** What else an access token of this issuer has, or has not. Anything but `true` refuses the token. Default: nothing. */
  readonly isAccessToken?: ((claims: Readonly<Record<string, unknown>>) => boolean) | undefined;
}

/** {@link TokenOptions} with every default in place. */
export interface TokenRules {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly AsymmetricAlgorithm[];
  readonly types: readonly string[];
  readonly untyped: boolean;
  readonly clockToleranceSeconds: number;
  readonly maxTokenLifetimeSeconds: number;
  readonly clients: readonly string[] | undefined;
  readonly clientClaims: readonly ClaimPath[];
  readonly unboundAudience: string | undefined;
  readonly isAccessToken: (claims: Readonly<Record<string, unknown>>) => boolean;
}

/** RFC 9068 §2.2 says `client_id`, OpenID Connect Core §2 says `azp`. */
export const CLIENT_CLAIMS: readonly ClaimPath[] = ['client_id', 'azp'];

/** In `typ` and `unboundAudience`: there is none. */
export const ABSENT = 'absent';

/** RFC 9068 §4: with and without the `application/` that RFC 7515 §4.1.9 lets a producer leave out. */
export const ACCESS_TOKEN_TYPES: readonly string[] = ['at+jwt', 'application/at+jwt'];

/** @throws TypeError for options that could not be safe */
export function tokenRules(options: TokenOptions): TokenRules {
  const url = webUrl(options.issuer);
  if (url === undefined || !isSecure(url)) {
    throw new TypeError(
      `issuer '${options.issuer}' must be an https:// URL, or http:// on the loopback interface.`,
    );
  }
  if (!options.audience)
    throw new TypeError("audience is required: write audience: 'https://mcp.example.com/mcp'.");
  return { issuer: options.issuer, audience: options.audience, ...checkedLimits(options) };
}

/** The part that is known before the server is put together, so that `oidc({ … })` itself throws on nonsense. */
export function checkedLimits(options: Omit<TokenOptions, 'issuer' | 'audience'>) {
  return {
    algorithms: checkedAlgorithms(options.algorithms ?? ASYMMETRIC_ALGORITHMS),
    ...checkedTypes(options.typ ?? ACCESS_TOKEN_TYPES),
    clockToleranceSeconds: bounded('clockToleranceSeconds', options.clockToleranceSeconds ?? 30, 0, 300),
    maxTokenLifetimeSeconds: bounded(
      'maxTokenLifetimeSeconds',
      options.maxTokenLifetimeSeconds ?? 86_400,
      1,
      366 * 86_400,
    ),
    ...checkedClients(options),
    clientClaims: options.clientClaims ?? CLIENT_CLAIMS,
    isAccessToken: options.isAccessToken ?? (() => true),
  };
}

function checkedAlgorithms(algorithms: readonly AsymmetricAlgorithm[]): readonly AsymmetricAlgorithm[] {
  if (algorithms.length === 0 || !algorithms.every(isAsymmetric)) {
    throw new TypeError(`algorithms must be some of ${ASYMMETRIC_ALGORITHMS.join(', ')}.`);
  }
  return [...algorithms];
}

function checkedTypes(types: readonly string[]) {
  if (types.length === 0 || types.includes(''))
    throw new TypeError("typ must name a type: write typ: ['at+jwt'].");
  return {
    types: types.filter((type) => type !== ABSENT).map((type) => type.toLowerCase()),
    untyped: types.includes(ABSENT),
  };
}

function checkedClients({ clients, unboundAudience }: Pick<TokenOptions, 'clients' | 'unboundAudience'>) {
  if (clients !== undefined && (clients.length === 0 || clients.some((client) => !isText(client)))) {
    throw new TypeError(
      "clients must name clients: write clients: ['the-client-id'], or leave it out for all.",
    );
  }
  if (unboundAudience !== undefined && (clients === undefined || !isText(unboundAudience))) {
    throw new TypeError(
      "unboundAudience takes tokens that are good for other servers too, so it needs the clients that may bring them: write clients: ['the-client-id'].",
    );
  }
  return { clients: clients && [...clients], unboundAudience };
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

export function bounded(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`${name} must be a whole number of seconds from ${least} to ${most}.`);
  }
  return value;
}
