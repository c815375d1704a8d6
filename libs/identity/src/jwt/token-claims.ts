import { CredentialRefused } from '../refusals.js';
import { firstClaimAt } from './claim-path.js';
import { ABSENT, ACCESS_TOKEN_TYPES, type TokenRules } from './token-rules.js';

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
  checkKind(claims, typ, rules);
  checkAudience(claims, rules);
  checkStrings(claims);
  checkClient(claims, rules);
  checkTimes(claims, rules, nowSeconds);
}

function checkIssuer({ iss }: Claims, rules: TokenRules): void {
  if (typeof iss !== 'string') throw new CredentialRefused('claims');
  if (iss !== rules.issuer) throw new CredentialRefused('issuer');
}

function checkKind(claims: Claims, typ: unknown, rules: TokenRules): void {
  // RFC 7800 §3.1: whoever holds it must prove a key, which a bearer does not.
  if (Object.hasOwn(claims, 'cnf')) throw new CredentialRefused('sender_constrained');
  const isTyped = typeof typ === 'string' && ACCESS_TOKEN_TYPES.includes(typ.toLowerCase());
  if (
    !isTyped &&
    (OTHER_TOKENS.some((name) => Object.hasOwn(claims, name)) || isMeantForClient(claims, rules))
  )
    throw new CredentialRefused('type');
  if (rules.isAccessToken(claims) !== true) throw new CredentialRefused('type');
}

/** OpenID Connect Core §2: the audience of an ID token is its client, and it grants nothing. */
function isMeantForClient(claims: Claims, rules: TokenRules): boolean {
  const audiences: unknown[] = Array.isArray(claims['aud']) ? claims['aud'] : [claims['aud']];
  const client = firstClaimAt(claims, rules.clientClaims);
  const grants = claims['scope'] !== undefined || claims['scp'] !== undefined;
  return client !== undefined && !grants && audiences.every((audience) => audience === client);
}

function checkAudience({ aud }: Claims, rules: TokenRules): void {
  if (aud === undefined && rules.unboundAudience === ABSENT) return;
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length === 0 || !audiences.every((audience) => typeof audience === 'string')) {
    throw new CredentialRefused('claims');
  }
  const isUnbound = audiences.every((audience) => audience === rules.unboundAudience);
  if (!audiences.includes(rules.audience) && !isUnbound) throw new CredentialRefused('audience');
}

function checkClient(claims: Claims, { clients, clientClaims }: TokenRules): void {
  if (clients === undefined) return;
  const client = firstClaimAt(claims, clientClaims);
  if (typeof client !== 'string' || !clients.includes(client)) throw new CredentialRefused('client');
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

/** Whether claims that passed {@link checkClaims} before would pass it at this time, too. */
export function areTimesGood(claims: Claims, rules: TokenRules, nowSeconds: number): boolean {
  try {
    checkTimes(claims, rules, nowSeconds);
    return true;
  } catch (error) {
    if (error instanceof CredentialRefused) return false;
    throw error;
  }
}

/** RFC 7519 §2 NumericDate, whole seconds: `1e400`, `-1`, `"1"` and `1.5` are not. */
export function seconds(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new CredentialRefused('claims');
  return value;
}
