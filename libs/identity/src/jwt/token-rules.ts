import { isSecure, webUrl } from '../secure-url.js';
import { ASYMMETRIC_ALGORITHMS, isAsymmetric, type AsymmetricAlgorithm } from './algorithms.js';

/** What an access token of one issuer must be like. */
export interface TokenOptions {
  /** Exactly as the provider's metadata says, to the last slash. */
  readonly issuer: string;
  /** Must be named by `aud`. */
  readonly audience: string;
  /** Accepted signature algorithms. Default: all asymmetric ones. */
  readonly algorithms?: readonly AsymmetricAlgorithm[] | undefined;
  /** Accepted `typ` headers. Default `at+jwt` and `application/at+jwt` (RFC 9068 §2.1). */
  readonly typ?: readonly string[] | undefined;
  /** How far clocks may be apart, in seconds, at most 300. Default 30. */
  readonly clockToleranceSeconds?: number | undefined;
  /** Longest `exp - iat`, in seconds. Default 86400, one day. */
  readonly maxTokenLifetimeSeconds?: number | undefined;
}

/** {@link TokenOptions} with every default in place. */
export interface TokenRules {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly AsymmetricAlgorithm[];
  readonly types: readonly string[];
  readonly clockToleranceSeconds: number;
  readonly maxTokenLifetimeSeconds: number;
}

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
    types: checkedTypes(options.typ ?? ACCESS_TOKEN_TYPES),
    clockToleranceSeconds: bounded('clockToleranceSeconds', options.clockToleranceSeconds ?? 30, 0, 300),
    maxTokenLifetimeSeconds: bounded(
      'maxTokenLifetimeSeconds',
      options.maxTokenLifetimeSeconds ?? 86_400,
      1,
      366 * 86_400,
    ),
  };
}

function checkedAlgorithms(algorithms: readonly AsymmetricAlgorithm[]): readonly AsymmetricAlgorithm[] {
  if (algorithms.length === 0 || !algorithms.every(isAsymmetric)) {
    throw new TypeError(`algorithms must be some of ${ASYMMETRIC_ALGORITHMS.join(', ')}.`);
  }
  return [...algorithms];
}

function checkedTypes(types: readonly string[]): readonly string[] {
  if (types.length === 0 || types.includes(''))
    throw new TypeError("typ must name a type: write typ: ['at+jwt'].");
  return types.map((type) => type.toLowerCase());
}

function bounded(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`${name} must be a whole number of seconds from ${least} to ${most}.`);
  }
  return value;
}
