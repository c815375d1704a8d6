import type { IdentitySource } from '../identity.source.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { VerifiedAccessToken } from './access-token.verifier.js';
import { claimMapper, type ClaimMapping } from './claim-mapping.js';
import { claimPaths } from './claim-path.js';
import { unverifiedIssuer } from './compact-jwt.js';
import { checkedLimits, CLIENT_CLAIMS, type TokenOptions } from './token-rules.js';

export interface OidcOptions extends Omit<TokenOptions, 'audience' | 'clientClaims'> {
  /** Name in the audit. Default: the issuer. */
  readonly name?: string | undefined;
  /** What `aud` must name. Default: the `resource` of the server. */
  readonly audience?: string | undefined;
  /** Which claim means what. */
  readonly claims?: ClaimMapping | undefined;
}

/** Longer than a discovery may take, so that a slow issuer reads as unavailable and not as a bad token. */
const TIMEOUT_MS = 10_000;

/**
 * JWT access tokens (RFC 9068) of one issuer, whose keys are found by OAuth or OpenID Connect discovery when the first
 * token comes.
 *
 * @throws TypeError for options that make no sense
 * @example
 * oidc({ issuer: 'https://id.acme.example', claims: { tenant: 'org_id', roles: '/realm_access/roles' } })
 */
export function oidc(options: OidcOptions): IdentitySource {
  const { issuer, claims, name, audience, ...rest } = options;
  const limits = { ...rest, clientClaims: claimPaths(claims?.client ?? CLIENT_CLAIMS) };
  if (!issuer)
    throw new TypeError("oidc() needs an issuer: write oidc({ issuer: 'https://id.example.com' }).");
  if (audience === '')
    throw new TypeError('audience must not be empty: leave it out to use the resource of the server.');
  checkedLimits(limits);
  const toDraft = claimMapper(claims);
  return {
    name: name ?? issuer,
    issuer,
    authorizationServer: issuer,
    accepts: (request) => unverifiedIssuer(request) === issuer,
    strategy: ({ resource, clock }) =>
      new AccessTokenStrategy({ ...limits, issuer, audience: audience ?? resource, clock }),
    toPrincipal: (user) => (user instanceof VerifiedAccessToken ? toDraft(user) : undefined),
    isStillGood: (user, now) =>
      user instanceof VerifiedAccessToken && user.isStillGood(Math.floor(now / 1000)),
    timeoutMs: TIMEOUT_MS,
  };
}
