import { CredentialRefused } from '../refusals.js';
import { seconds } from '../jwt/token-claims.js';

/** What an issuer says of a token (RFC 7662 §2.2). */
export type Introspected = Readonly<Record<string, unknown>>;

/** What an introspected token must be like. */
export interface IntrospectionRules {
  readonly issuer: string;
  readonly audience: string;
  readonly clockToleranceSeconds: number;
  readonly maxTokenLifetimeSeconds: number;
}

/** `token_use` of Hydra and Cognito, `typ` of Keycloak: a refresh token or an ID token may be active, too. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  token_use: ['access_token', 'access'],
  typ: ['bearer', 'at+jwt', 'application/at+jwt'],
};

/**
 * Checks what an issuer says of a token that it calls active. Stricter than RFC 7662, which leaves everything but `active`
 * to the issuer: without an expiry, a type and an audience nobody can tell whether a token is meant for this server.
 *
 * @throws {@link CredentialRefused}
 */
export function checkIntrospected(token: Introspected, rules: IntrospectionRules, nowSeconds: number): void {
  checkIssuer(token, rules);
  checkKind(token);
  checkAudience(token, rules);
  checkNames(token);
  checkTimes(token, rules, nowSeconds);
}

function checkIssuer({ iss }: Introspected, { issuer }: IntrospectionRules): void {
  if (iss !== undefined && typeof iss !== 'string') throw new CredentialRefused('claims');
  if (iss !== undefined && iss !== issuer) throw new CredentialRefused('issuer');
}

function checkKind(token: Introspected): void {
  const type = token['token_type'];
  // RFC 7800 §3.1, RFC 9449 §6.2: whoever holds it must prove a key, which a bearer does not.
  if (Object.hasOwn(token, 'cnf')) throw new CredentialRefused('sender_constrained');
  if (typeof type !== 'string') throw new CredentialRefused('claims');
  if (/^dpop$/i.test(type)) throw new CredentialRefused('sender_constrained');
  if (!/^bearer$/i.test(type)) throw new CredentialRefused('type');
  for (const [name, kinds] of Object.entries(KINDS)) {
    const kind = token[name];
    if (kind === undefined) continue;
    if (typeof kind !== 'string' || !kinds.includes(kind.toLowerCase())) throw new CredentialRefused('type');
  }
}

function checkAudience({ aud }: Introspected, { audience }: IntrospectionRules): void {
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length === 0 || !audiences.every((each) => typeof each === 'string'))
    throw new CredentialRefused('claims');
  if (!audiences.includes(audience)) throw new CredentialRefused('audience');
}

function checkNames({ sub, client_id, username, jti, scope }: Introspected): void {
  for (const name of [sub, client_id, username, jti]) {
    if (name !== undefined && (typeof name !== 'string' || name === ''))
      throw new CredentialRefused('claims');
  }
  if (scope !== undefined && typeof scope !== 'string') throw new CredentialRefused('claims');
  // A client that acts for nobody has no subject here. One that acts for somebody must say for whom.
  if (sub === undefined && (client_id === undefined || username !== undefined))
    throw new CredentialRefused('claims');
}

function checkTimes(token: Introspected, rules: IntrospectionRules, now: number): void {
  const { clockToleranceSeconds: tolerance, maxTokenLifetimeSeconds } = rules;
  const expires = seconds(token['exp']);
  const issued = token['iat'] === undefined ? now : seconds(token['iat']);
  const begins = token['nbf'] === undefined ? issued : seconds(token['nbf']);
  if (expires <= now - tolerance) throw new CredentialRefused('expired');
  if (issued > now + tolerance || begins > now + tolerance) throw new CredentialRefused('not_yet_valid');
  if (expires - issued > maxTokenLifetimeSeconds) throw new CredentialRefused('lifetime');
}
