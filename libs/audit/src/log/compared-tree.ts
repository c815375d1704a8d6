import { Frontier, tileReader, TlogError } from '@sallyport/tlog';

import type { OpenedCheckpoint } from './log-keys.js';
import type { LogRows } from './log-rows.js';
import { LogTiles } from './log-tiles.js';
import { RefusedSigning } from './log.errors.js';
import { treeSize } from './tree-size.js';

/** What was signed before, and who says so. */
export interface RememberedCheckpoint {
  readonly name: string;
  readonly checkpoint: OpenedCheckpoint;
}

/** Leaves of one query. */
const BATCH = 1024;

/**
 * The tree of the log as it is now, found to have only grown since each of these was signed (RFC 6962 §2.1.2). The oldest is
 * compared with the stored tiles; from there on the tree grows by leaves, so no tile that somebody put in gets into it.
 *
 * @throws RefusedSigning when it is another tree
 */
export async function comparedTree(
  rows: LogRows,
  remembered: readonly RememberedCheckpoint[],
): Promise<Frontier> {
  const inOrder = [...remembered].sort((a, b) => a.checkpoint.size - b.checkpoint.size);
  const [oldest, newest] = [inOrder[0], inOrder.at(-1)];
  const { size } = await treeSize(rows, newest?.checkpoint.size ?? 0);
  if (newest !== undefined && newest.checkpoint.size > size) throw wentBackwards(newest, size);
  const tree = oldest === undefined ? Frontier.empty() : await storedTree(rows, oldest);
  for (const one of inOrder) {
    await grow(rows, tree, one.checkpoint.size);
    if (!isSigned(tree, one)) throw forked(one, size);
  }
  await grow(rows, tree, size);
  return tree;
}

/** From the tiles as they are stored, compared with what was signed of them. */
async function storedTree(rows: LogRows, oldest: RememberedCheckpoint): Promise<Frontier> {
  const { size } = oldest.checkpoint;
  const tree = await Frontier.read(size, tileReader(size, new LogTiles(rows))).catch((error: unknown) => {
    if (error instanceof TlogError) throw missingLeaf(size);
    throw error;
  });
  if (isSigned(tree, oldest)) return tree;
  const fromLeaves = Frontier.empty();
  await grow(rows, fromLeaves, size);
  if (!isSigned(fromLeaves, oldest)) throw forked(oldest, size);
  throw new RefusedSigning(
    'log_put_in',
    `A stored tile of the first ${size} records is not made of its leaves, which are as they were signed. Run sallyport audit ` +
      'verify to find it; as the owner of the tables remove it from sallyport_log_tile, as the README of @sallyport/audit says.',
  );
}

async function grow(rows: LogRows, tree: Frontier, size: number): Promise<void> {
  while (tree.size < size) {
    const count = Math.min(BATCH, size - tree.size);
    const hashes = await rows.leafHashes(tree.size, count);
    if (hashes.length !== count * 32) throw missingLeaf(size);
    for (let at = 0; at < hashes.length; at += 32) tree.append(hashes.subarray(at, at + 32));
  }
}

function isSigned(tree: Frontier, { checkpoint }: RememberedCheckpoint): boolean {
  return Buffer.compare(tree.root(), checkpoint.root) === 0;
}

function wentBackwards({ name, checkpoint }: RememberedCheckpoint, size: number): RefusedSigning {
  return new RefusedSigning(
    'log_went_backwards',
    `The log has ${size} records, and ${name} remembers ${checkpoint.size} that were signed: this database is ` +
      'older than its log, or was cut. Restore the newer one. If the loss is accepted, keep what remembers it as evidence, ' +
      'move it away, and run sallyport audit remember.',
  );
}

function forked({ name, checkpoint }: RememberedCheckpoint, size: number): RefusedSigning {
  return new RefusedSigning(
    'log_forked',
    `The first ${checkpoint.size} of the ${size} records of the log are not those that ${name} remembers as signed. ` +
      'Run sallyport audit verify to find the first that differs, and restore the database that was signed.',
  );
}

function missingLeaf(size: number): RefusedSigning {
  return new RefusedSigning(
    'log_forked',
    `Of the first ${size} records of the log, which were signed, at least one has no leaf. Run sallyport audit verify to find ` +
      'it, and restore the database that was signed.',
  );
}
