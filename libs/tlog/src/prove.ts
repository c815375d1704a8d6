import type { Hash } from './hash.js';
import { checkSize, isSize, powerUpTo } from './numbers.js';
import { foldEdge, readHashes, readRanges, subtreesOf, type HashReader, type LeafRange } from './subtree.js';
import { TlogError } from './tlog.errors.js';

/** Root of the tree of that size (RFC 6962 §2.1). Reads O(log n) hashes. */
export async function rootOf(size: number, reader: HashReader): Promise<Hash> {
  checkSize(size);
  return foldEdge(await readHashes(subtreesOf({ start: 0, end: size }), reader));
}

/**
 * Proof that the leaf `index` is in the tree of `size` leaves (RFC 6962 §2.1.1), from the leaf's sibling up to the root's
 * child. Reads O(log n) hashes. Throws a `TlogError` when there is no such leaf.
 */
export async function inclusionProof(index: number, size: number, reader: HashReader): Promise<Hash[]> {
  checkSize(size);
  if (!isSize(index) || index >= size)
    throw new TlogError('invalid_number', 'The index of a leaf is below the size of its tree.');
  return readRanges(inclusionRanges(index, size), reader);
}

/**
 * Proof that the tree of `oldSize` leaves is the beginning of the tree of `newSize` (RFC 6962 §2.1.2). Reads O(log n)
 * hashes. Empty for equal sizes, and for the tree without leaves, which is the beginning of every tree.
 */
export async function consistencyProof(
  oldSize: number,
  newSize: number,
  reader: HashReader,
): Promise<Hash[]> {
  checkSize(oldSize);
  checkSize(newSize);
  if (oldSize > newSize)
    throw new TlogError('invalid_number', 'The old tree is not larger than the new one.');
  return oldSize === 0 ? [] : readRanges(consistencyRanges(oldSize, newSize), reader);
}

/** PATH(m, D[n]) of RFC 6962 §2.1.1, as the ranges whose roots it lists. */
function inclusionRanges(index: number, size: number): LeafRange[] {
  const ranges: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const split = splitOf(start, end);
    if (index < split) {
      ranges.push({ start: split, end });
      end = split;
    } else {
      ranges.push({ start, end: split });
      start = split;
    }
  }
  return ranges.reverse();
}

/** PROOF(m, D[n]) of RFC 6962 §2.1.2, as the ranges whose roots it lists. */
function consistencyRanges(oldSize: number, newSize: number): LeafRange[] {
  const ranges: LeafRange[] = [];
  let [start, end] = [0, newSize];
  while (end !== oldSize) {
    const split = splitOf(start, end);
    if (oldSize <= split) {
      ranges.push({ start: split, end });
      end = split;
    } else {
      ranges.push({ start, end: split });
      start = split;
    }
  }
  // When the old tree is one complete subtree, its root is known to whoever verifies.
  if (start > 0) ranges.push({ start, end });
  return ranges.reverse();
}

/** Where RFC 6962 splits: after the largest power of two that is smaller than the range. */
function splitOf(start: number, end: number): number {
  return start + powerUpTo(end - start - 1).width;
}
