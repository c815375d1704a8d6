import { formatTlogProof, inclusionProof, tileReader } from '@sallyport/tlog';

import type { LogKeys } from './log-keys.js';
import type { LogRows } from './log-rows.js';
import { LogTiles } from './log-tiles.js';
import { AuditLogError } from './log.errors.js';
import { leafOf } from './record-leaf.js';

/** A record and the proof that it is in the log: verifiable offline, with a verifier key and nothing else. */
export interface RecordProof {
  readonly index: number;
  /** Size of the tree that the checkpoint in the proof is of. */
  readonly size: number;
  /** The data of the leaf: canonical JSON of the record. Every byte counts. */
  readonly leaf: string;
  /** Text of a `.tlog-proof` file (c2sp.org/tlog-proof). */
  readonly proof: string;
  /** Verifier keys of those that signed the checkpoint. */
  readonly keys: readonly string[];
}

/** @throws AuditLogError when there is no such record, or no checkpoint covers it yet */
export async function proveRecord(rows: LogRows, keys: LogKeys, id: string): Promise<RecordProof> {
  const found = await rows.find(id);
  if (found === undefined) throw new AuditLogError(`There is no record with the id ${id}.`);
  const newest = await rows.newestCheckpoint();
  const { index } = found;
  if (index === undefined || newest === undefined || newest.size <= index)
    throw new AuditLogError(
      'No checkpoint covers this record yet: try again in a second, or see sallyport audit verify.',
    );
  const { size, keys: signedBy } = keys.open(newest.note);
  const hashes = await inclusionProof(index, size, tileReader(size, new LogTiles(rows)));
  return {
    index,
    size,
    leaf: leafOf(found.record),
    proof: formatTlogProof({ index, hashes, checkpoint: newest.note }),
    keys: signedBy,
  };
}
