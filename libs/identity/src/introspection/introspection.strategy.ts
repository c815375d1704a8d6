import { createHash } from 'node:crypto';
import type { CredentialRequest } from '@sallyport/mcp';
import passport from 'passport';
import { readAuthorization } from '../bearer.js';
import { CredentialRefused } from '../refusals.js';
import { checkIntrospected, type IntrospectionRules } from './introspected-claims.js';
import type { IntrospectedTokens } from './introspected-tokens.js';

/** Node takes 16 KiB of headers in all. */
const MAX_TOKEN_LENGTH = 16_384;

/** A token that its issuer vouches for. Never holds the token itself. */
export class IntrospectedToken {
  constructor(
    /** What the issuer says of it, with `iss` and `sub` in any case. */
    readonly claims: Readonly<Record<string, unknown>>,
    /** A digest, in hexadecimal: an id for tokens without `jti`. */
    readonly fingerprint: string,
  ) {}
}

/** Judges bearer tokens by what their issuer says of them. What was kept is judged anew with every call. */
export class IntrospectionStrategy extends passport.Strategy {
  override readonly name = 'introspection';
  // Passport derives an object from the strategy for each attempt, which `#private` members do not survive.
  constructor(
    private readonly tokens: IntrospectedTokens,
    private readonly rules: IntrospectionRules,
    private readonly clock: () => number,
  ) {
    super();
  }

  override authenticate(request: Pick<CredentialRequest, 'headers'>): void {
    this.verify(request).then(
      (token) => this.success(token),
      (error: unknown) => (error instanceof CredentialRefused ? this.fail(error, 401) : this.error(error)),
    );
  }

  private async verify(request: Pick<CredentialRequest, 'headers'>): Promise<IntrospectedToken> {
    const authorization = readAuthorization(request);
    if (authorization.kind !== 'bearer') throw new CredentialRefused('malformed');
    const { token } = authorization;
    if (token.length > MAX_TOKEN_LENGTH) throw new CredentialRefused('too_large');
    const found = await this.tokens.find(token);
    if (found === undefined) throw new CredentialRefused('inactive');
    checkIntrospected(found, this.rules, Math.floor(this.clock() / 1000));
    const { issuer } = this.rules;
    const claims = Object.freeze({ ...found, iss: issuer, sub: found['sub'] ?? found['client_id'] });
    return new IntrospectedToken(claims, fingerprintOf(issuer, token));
  }
}

/** Not the plain SHA-256, which is what others may keep of a token. */
function fingerprintOf(issuer: string, token: string): string {
  return createHash('sha256').update(`sallyport-opaque-token/v1\n${issuer}\n${token}`).digest('hex');
}
