import { hash as digest } from 'node:crypto';
import { TlogError } from './tlog.errors.js';

/** SHA-256 of a leaf or of a node: 32 bytes. */
export type Hash = Uint8Array;

/** Bytes of a {@link Hash}. */
export const HASH_LENGTH = 32;

/** Root of the tree without leaves: SHA-256 of nothing (RFC 6962 §2.1). */
export const EMPTY_ROOT: Hash = digest('sha256', '', 'buffer');

/** Hash of a leaf: SHA-256(0x00 ‖ data) (RFC 6962 §2.1). */
export function leafHash(data: Uint8Array): Hash {
  const input = new Uint8Array(1 + data.length);
  input.set(data, 1);
  return digest('sha256', input, 'buffer');
}

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1). Throws a `TlogError` unless both are 32 bytes. */
export function nodeHash(left: Hash, right: Hash): Hash {
  checkHash(left);
  checkHash(right);
  const input = new Uint8Array(1 + 2 * HASH_LENGTH);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + HASH_LENGTH);
  return digest('sha256', input, 'buffer');
}

/** Is it 32 bytes? */
export function isHash(value: unknown): value is Hash {
  return value instanceof Uint8Array && value.length === HASH_LENGTH;
}

export function checkHash(hash: Hash): void {
  if (!isHash(hash)) throw new TlogError('invalid_hash', 'A hash is 32 bytes.');
}

/** Roots are public, so the comparison need not take constant time. */
export function sameHash(a: Hash, b: Hash): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
