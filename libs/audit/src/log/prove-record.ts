import { formatTlogProof, inclusionProof, leafHash, tileReader, verifyInclusion } from '@sallyport/tlog';

import { sealedRecord } from '../seal/sealed-record-of.js';
import type { LogKeys } from './log-keys.js';
import type { LogRows } from './log-rows.js';
import { LogTiles } from './log-tiles.js';
import { AuditLogError } from './log.errors.js';
import { newestSigned } from './newest-signed.js';
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
  return proveLeaf(rows, keys, found.index, leafOf(found.record));
}

/** @throws AuditLogError when the file is not as it was sealed, or holds no such record */
export async function proveSealedRecord(
  rows: LogRows,
  keys: LogKeys,
  id: string,
  file: string,
): Promise<RecordProof> {
  const { index, leaf } = await sealedRecord(file, id, {
    keys,
    leafHashes: (first, count) => rows.leafHashes(first, count),
  });
  return proveLeaf(rows, keys, index, leaf);
}

async function proveLeaf(
  rows: LogRows,
  keys: LogKeys,
  index: number | undefined,
  leaf: string,
): Promise<RecordProof> {
  const { checkpoint } = await newestSigned(rows, keys);
  if (index === undefined || checkpoint === undefined || checkpoint.size <= index)
    throw new AuditLogError(
      'No checkpoint covers this record yet: try again in a second, or see sallyport audit verify.',
    );
  const { size, root, note, keys: signedBy } = checkpoint;
  const hashes = await inclusionProof(index, size, tileReader(size, new LogTiles(rows)));
  const hash = leafHash(Buffer.from(leaf));
  if (!verifyInclusion({ index, size, leaf: hash, proof: hashes, root }))
    throw new AuditLogError(
      'What the database holds does not lead from this record to the root that was signed, so there is no proof of it: run sallyport audit verify.',
    );
  return { index, size, leaf, proof: formatTlogProof({ index, hashes, checkpoint: note }), keys: signedBy };
}
