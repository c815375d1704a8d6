import { CredentialRefused } from '../refusals.js';
import { ACCESS_TOKEN_TYPES, type TokenRules } from './token-rules.js';

type Claims = Readonly<Record<string, unknown>>;

/** Claims of ID tokens (OIDC Core §3.1.3.6) and logout tokens, where `typ` was relaxed and cannot tell. */
const OTHER_TOKENS = ['at_hash', 'c_hash', 'nonce', 'events'];

/**
 * Checks every registered claim by RFC 9068 §2.2 and §4; the issuer first, so that no key of another issuer is looked up.
 *
 * @throws {@link CredentialRefused}
 */
export function checkClaims(claims: Claims, typ: unknown, rules: TokenRules, nowSeconds: number): void {
  checkIssuer(claims, rules);
  checkKind(claims, typ);
  checkAudience(claims, rules);
  checkStrings(claims);
  checkTimes(claims, rules, nowSeconds);
}

function checkIssuer({ iss }: Claims, rules: TokenRules): void {
  if (typeof iss !== 'string') throw new CredentialRefused('claims');
  if (iss !== rules.issuer) throw new CredentialRefused('issuer');
}

function checkKind(claims: Claims, typ: unknown): void {
  // RFC 7800 §3.1: whoever holds it must prove a key, which a bearer does not.
  if (Object.hasOwn(claims, 'cnf')) throw new CredentialRefused('sender_constrained');
  const isTyped = typeof typ === 'string' && ACCESS_TOKEN_TYPES.includes(typ.toLowerCase());
  if (!isTyped && OTHER_TOKENS.some((name) => Object.hasOwn(claims, name)))
    throw new CredentialRefused('type');
}

function checkAudience({ aud }: Claims, rules: TokenRules): void {
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length === 0 || !audiences.every((audience) => typeof audience === 'string')) {
    throw new CredentialRefused('claims');
  }
  if (!audiences.includes(rules.audience)) throw new CredentialRefused('audience');
}

function checkStrings({ sub, jti, client_id, azp }: Claims): void {
  if (typeof sub !== 'string' || sub === '') throw new CredentialRefused('claims');
  for (const optional of [jti, client_id, azp]) {
    if (optional !== undefined && (typeof optional !== 'string' || optional === '')) {
      throw new CredentialRefused('claims');
    }
  }
}

function checkTimes(claims: Claims, rules: TokenRules, now: number): void {
  const { clockToleranceSeconds: tolerance, maxTokenLifetimeSeconds } = rules;
  const expires = seconds(claims['exp']);
  const issued = seconds(claims['iat']);
  const begins = claims['nbf'] === undefined ? issued : seconds(claims['nbf']);
  if (expires <= now - tolerance) throw new CredentialRefused('expired');
  if (issued > now + tolerance || begins > now + tolerance) throw new CredentialRefused('not_yet_valid');
  if (expires <= issued || expires - issued > maxTokenLifetimeSeconds)
    throw new CredentialRefused('lifetime');
}

/** RFC 7519 §2 NumericDate, whole seconds: `1e400`, `-1`, `"1"` and `1.5` are not. */
function seconds(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new CredentialRefused('claims');
  return value;
}
