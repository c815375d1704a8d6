import { CredentialRefused } from '../refusals.js';
import { isAsymmetric, type AsymmetricAlgorithm } from './algorithms.js';
import type { TokenRules } from './token-rules.js';

/** A header that passed every check that needs no key. */
export interface TokenHeader {
  readonly alg: AsymmetricAlgorithm;
  readonly kid?: string;
}

/**
 * Keys a token brings along or points to (RFC 8725 §3.10), extensions nobody here understands (RFC 7515 §4.1.11) and
 * unencoded payloads (RFC 7797 §7): refused, never followed.
 */
const REFUSED_PARAMETERS = ['crit', 'jku', 'jwk', 'x5u', 'x5c', 'b64'];
const MAX_KEY_ID_LENGTH = 512;

/**
 * @throws {@link CredentialRefused} `algorithm`, `header` or `type`, in this order
 */
export function checkHeader(header: Readonly<Record<string, unknown>>, rules: TokenRules): TokenHeader {
  const { alg, typ, kid } = header;
  if (!isAsymmetric(alg) || !rules.algorithms.includes(alg)) throw new CredentialRefused('algorithm');
  if (REFUSED_PARAMETERS.some((parameter) => Object.hasOwn(header, parameter)))
    throw new CredentialRefused('header');
  if (!isAccepted(typ, rules)) throw new CredentialRefused('type');
  if (kid === undefined) return { alg };
  if (typeof kid !== 'string' || kid.length > MAX_KEY_ID_LENGTH) throw new CredentialRefused('header');
  return { alg, kid };
}

function isAccepted(typ: unknown, { types, untyped }: TokenRules): boolean {
  if (typ === undefined) return untyped;
  return typeof typ === 'string' && types.includes(typ.toLowerCase());
}
