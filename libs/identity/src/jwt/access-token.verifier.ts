import { compactVerify, errors, type CryptoKey } from 'jose';
import { deepFreeze } from '../deep-freeze.js';
import { CredentialRefused } from '../refusals.js';
import type { AsymmetricAlgorithm } from './algorithms.js';
import { parseCompactJwt } from './compact-jwt.js';
import type { IssuerKeys } from './issuer-keys.js';
import { areTimesGood, checkClaims } from './token-claims.js';
import { checkHeader } from './token-header.js';
import type { TokenRules } from './token-rules.js';

const MIN_RSA_BITS = 2048;

/** An access token whose signature and claims are good. Never holds the token itself. */
export class VerifiedAccessToken {
  constructor(
    readonly claims: Readonly<Record<string, unknown>>,
    /** SHA-256 over header and payload, in hexadecimal: an id for tokens without `jti`. */
    readonly fingerprint: string,
    /**
     * Whether verifying it again would end the same, at `nowSeconds`: its times still hold, and the key that signed it is
     * still the issuer's. Asks nobody.
     */
    readonly isStillGood: (nowSeconds: number) => boolean = () => false,
  ) {}
}

/**
 * Verifies an access token by RFC 8725 and RFC 9068. Everything that needs no key is checked first, so that a token that
 * cannot be good never causes a look-up or a request.
 *
 * @throws {@link CredentialRefused}
 * @throws {@link IssuerUnavailable}
 */
export async function verifyAccessToken(
  token: string,
  rules: TokenRules,
  keys: IssuerKeys,
  nowSeconds: number,
): Promise<VerifiedAccessToken> {
  const { header, claims, fingerprint } = parseCompactJwt(token);
  const checked = checkHeader(header, rules);
  checkClaims(claims, header['typ'], rules, nowSeconds);
  const key = await verifySignature(token, checked.alg, await keys.find(checked));
  const isStillGood = (now: number) => keys.isInUse(key) && areTimesGood(claims, rules, now);
  return new VerifiedAccessToken(deepFreeze(claims), fingerprint, isStillGood);
}

/** The key that signed it. */
async function verifySignature(
  token: string,
  alg: AsymmetricAlgorithm,
  keys: CryptoKey[],
): Promise<CryptoKey> {
  for (const key of keys) {
    if (isWeak(key)) throw new CredentialRefused('weak_key');
    if (await isSignedBy(token, alg, key)) return key;
  }
  throw new CredentialRefused('signature');
}

async function isSignedBy(token: string, alg: AsymmetricAlgorithm, key: CryptoKey): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [alg] });
    return true;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return false;
    throw new CredentialRefused('unusable_key');
  }
}

/** RFC 7518 §3.3: RSA keys have 2048 bits or more. */
function isWeak({ algorithm }: CryptoKey): boolean {
  return 'modulusLength' in algorithm && Number(algorithm.modulusLength) < MIN_RSA_BITS;
}
