import {
  consistencyProof,
  Frontier,
  leafHash,
  tileReader,
  type Hash,
  type HashReader,
} from '@sallyport/tlog';

import type { OpenedCheckpoint } from '../log/log-keys.js';
import type { LogRows } from '../log/log-rows.js';
import { LogTiles } from '../log/log-tiles.js';
import { AuditLogError } from '../log/log.errors.js';
import { leafOf } from '../log/record-leaf.js';
import { createFileAtomically } from '../log/write-file-atomically.js';
import { formatSealedHeader, type SealedHeader } from './sealed-header.js';

const BATCH = 512;

/**
 * Writes the exact leaf data (RFC 8785) of a range of records, one in each line, after a line with what it takes to verify
 * them. The file is there when it is whole and durable, and never in the place of another.
 *
 * @throws AuditLogError when a record is not the one that was logged; and what writing throws
 */
export async function writeSealedFile(
  path: string,
  rows: LogRows,
  range: { readonly from: number; readonly to: number },
  checkpoint: OpenedCheckpoint,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const header = await headerOf(rows, range, checkpoint);
  await createFileAtomically(path, linesOf(rows, header, onProgress));
}

async function headerOf(
  rows: LogRows,
  { from, to }: { readonly from: number; readonly to: number },
  { origin, size, note }: OpenedCheckpoint,
): Promise<SealedHeader> {
  const reader = tileReader(size, new LogTiles(rows));
  return {
    origin,
    from,
    to,
    checkpoint: note,
    edge: await edgeOf(from, reader),
    consistency: await consistencyProof(to + 1, size, reader),
  };
}

/** What a tree of that size is made of, as the reader is asked for it. */
async function edgeOf(size: number, reader: HashReader): Promise<Hash[]> {
  const edge: Hash[] = [];
  await Frontier.read(size, {
    read: async (at) => {
      const hashes = await reader.read(at);
      edge.push(...hashes);
      return hashes;
    },
  });
  return edge;
}

async function* linesOf(
  rows: LogRows,
  header: SealedHeader,
  onProgress: (done: number, total: number) => void,
): AsyncGenerator<string> {
  yield `${formatSealedHeader(header)}\n`;
  const { from, to } = header;
  for (let first = from; first <= to; first += BATCH) {
    const end = Math.min(first + BATCH, to + 1);
    const leaves = await leavesOf(rows, first, end);
    yield leaves.map((leaf) => `${leaf}\n`).join('');
    onProgress(end - from, to + 1 - from);
  }
}

async function leavesOf(rows: LogRows, first: number, end: number): Promise<string[]> {
  const logged = await rows.logged(first, end - first);
  if (logged.length !== end - first) throw notIntact(first);
  return logged.map(({ index, hash, record }) => {
    const leaf = record === undefined ? undefined : leafOf(record);
    if (leaf === undefined || Buffer.compare(leafHash(Buffer.from(leaf)), hash) !== 0) throw notIntact(index);
    return leaf;
  });
}

function notIntact(index: number): AuditLogError {
  return new AuditLogError(
    `The record with the index ${index} is not the one that was logged there: nothing is sealed over it. Run sallyport audit verify.`,
  );
}
