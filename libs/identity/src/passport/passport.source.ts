import type { CredentialRequest } from '@sallyport/mcp';
import { hasBearer } from '../bearer.js';
import type { IdentitySource, PassportStrategy } from '../identity.source.js';
import type { PrincipalDraft } from '../principal.schema.js';
import { isStrategy } from './run-strategy.js';

export interface PassportIdentityOptions<User> {
  /** Unique. Names the source in the audit. */
  readonly name: string;
  /** The strategy, or the name it is registered under with `passport.use()` or `PassportStrategy(Base, name)`. */
  readonly strategy: PassportStrategy | string;
  /** What the strategy found, as a principal. `User` is what your strategy promises; the result is checked strictly. */
  principal(user: User): PrincipalDraft | Promise<PrincipalDraft>;
  /** Does this request carry a credential for this strategy? Default: it has `Authorization: Bearer …`. */
  readonly accepts?: ((request: CredentialRequest) => boolean) | undefined;
  /** The `iss` of its tokens, when they are JWTs: no other source sees those, and it sees no others. */
  readonly issuer?: string | undefined;
  /** URL of the authorization server, for the resource metadata. */
  readonly authorizationServer?: string | undefined;
  /** How long strategy and mapping may take, in milliseconds. Default 5000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Plugs in a Passport strategy you already have, unchanged.
 *
 * @throws TypeError when `strategy` is neither a strategy nor a name
 * @example
 * passportIdentity({
 *   name: 'legacy',
 *   strategy: new JwtStrategy({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey, issuer, audience }, verify),
 *   principal: (user: LegacyUser) => ({ issuer, subject: user.id, tenant: user.workspace, scopes: user.scopes }),
 * })
 */
export function passportIdentity<User = unknown>(options: PassportIdentityOptions<User>): IdentitySource {
  const { name, strategy, accepts, issuer, authorizationServer, timeoutMs } = options;
  if (!name)
    throw new TypeError("passportIdentity() needs a name: write passportIdentity({ name: 'legacy', … }).");
  if (!isStrategy(strategy) && (typeof strategy !== 'string' || strategy === '')) {
    throw new TypeError(
      `The strategy of '${name}' must be a Passport strategy, or the name one is registered under.`,
    );
  }
  return {
    name,
    issuer,
    authorizationServer,
    accepts: accepts ?? hasBearer,
    strategy,
    // The type is what the caller says of the strategy; what it is worth, the schema decides.
    toPrincipal: (user) => options.principal(user as User),
    timeoutMs,
  };
}
