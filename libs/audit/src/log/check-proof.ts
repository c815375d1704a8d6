import {
  leafHash,
  NoteError,
  noteVerifier,
  parseTlogProof,
  TlogError,
  verifyTlogProof,
} from '@sallyport/tlog';

import { AuditLogError } from './log.errors.js';
import { LogKeys } from './log-keys.js';

export interface CheckedProof {
  readonly origin: string;
  readonly index: number;
  readonly size: number;
  /** When the checkpoint was signed, if it says so; milliseconds since the epoch. */
  readonly signedAt: number | undefined;
}

/**
 * Verifies offline that a record is in a log.
 *
 * @param leaf the bytes of the record, as `proveRecord` gave them
 * @param key verifier key of the log
 * @throws AuditLogError that says which step failed
 */
export function checkProof(leaf: Uint8Array, proof: string, key: string): CheckedProof {
  try {
    const verifier = noteVerifier(key);
    const { origin, size } = verifyTlogProof(proof, leafHash(leaf), [verifier], verifier.name);
    const { index, checkpoint } = parseTlogProof(proof);
    return { origin, index, size, signedAt: new LogKeys(origin, [key]).open(checkpoint).signedAt };
  } catch (error) {
    if (error instanceof TlogError || error instanceof NoteError)
      throw new AuditLogError(`The proof does not hold: ${error.message}`);
    throw error;
  }
}
