import passport from 'passport';
import type { CredentialRequest } from '@sallyport/mcp';
import { readAuthorization } from '../bearer.js';
import { CredentialRefused } from '../refusals.js';
import { verifyAccessToken } from './access-token.verifier.js';
import { IssuerKeys } from './issuer-keys.js';
import { tokenRules, type TokenOptions, type TokenRules } from './token-rules.js';

/**
 * A Passport strategy for JWT access tokens of one issuer, whose keys are found by discovery. `oidc()` wraps it; it also
 * works alone with any Passport.
 *
 * Succeeds with a `VerifiedAccessToken`, fails with a `CredentialRefused`, errs with an `IssuerUnavailable`.
 *
 * @example
 * passport.use('acme', new AccessTokenStrategy({ issuer: 'https://id.acme.example', audience: 'https://mcp.acme.example/mcp' }));
 */
export class AccessTokenStrategy extends passport.Strategy {
  override readonly name = 'access-token';
  // Passport derives an object from the strategy for each attempt, which `#private` members do not survive.
  private readonly rules: TokenRules;
  private readonly keys: IssuerKeys;
  private readonly clock: () => number;

  constructor(options: TokenOptions & { readonly clock?: (() => number) | undefined }) {
    super();
    this.rules = tokenRules(options);
    this.clock = options.clock ?? Date.now;
    this.keys = new IssuerKeys(this.rules.issuer, this.clock);
  }

  override authenticate(request: Pick<CredentialRequest, 'headers'>): void {
    this.verify(request).then(
      (token) => this.success(token),
      (error: unknown) => (error instanceof CredentialRefused ? this.fail(error, 401) : this.error(error)),
    );
  }

  private async verify(request: Pick<CredentialRequest, 'headers'>) {
    const authorization = readAuthorization(request);
    if (authorization.kind !== 'bearer') throw new CredentialRefused('malformed');
    return verifyAccessToken(authorization.token, this.rules, this.keys, Math.floor(this.clock() / 1000));
  }
}
