/** Asymmetric JWS algorithms (RFC 7518 §3.1, RFC 8037, RFC 9864). A shared secret would let every verifier mint. */
export const ASYMMETRIC_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export type AsymmetricAlgorithm = (typeof ASYMMETRIC_ALGORITHMS)[number];

export function isAsymmetric(algorithm: unknown): algorithm is AsymmetricAlgorithm {
  return ASYMMETRIC_ALGORITHMS.some((known) => known === algorithm);
}
