import { EMPTY_ROOT, isHash, nodeHash, type Hash } from './hash.js';
import { powerUpTo } from './numbers.js';
import { TlogError } from './tlog.errors.js';

/** A complete subtree: leaves `index · 2^level` to `(index + 1) · 2^level − 1`. Level 0 are the leaf hashes. */
export interface SubtreeAt {
  readonly level: number;
  readonly index: number;
}

/** Where the hashes of complete subtrees are kept. */
export interface HashReader {
  /** The hashes, in the order asked for. Asks for O(log n) subtrees at once, none of them beyond the tree. */
  read(at: readonly SubtreeAt[]): Promise<readonly Hash[]>;
}

/** Leaves `start` to `end − 1`. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** The complete subtrees that make up a range, from left to right. The range is one that RFC 6962 splits a tree into. */
export function subtreesOf({ start, end }: LeafRange): SubtreeAt[] {
  if (start === end) return [];
  const found: SubtreeAt[] = [];
  let { width, level } = powerUpTo(end - start);
  let from = start;
  while (from < end) {
    if (width <= end - from) {
      found.push({ level, index: from / width });
      from += width;
    }
    width /= 2;
    level -= 1;
  }
  return found;
}

/** Root over complete subtrees given from left to right, largest first (RFC 6962 §2.1). */
export function foldEdge(hashes: readonly Hash[]): Hash {
  const last = hashes.at(-1);
  if (last === undefined) return Uint8Array.from(EMPTY_ROOT);
  return hashes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), Uint8Array.from(last));
}

/** The root of each range, with one question to the reader. */
export async function readRanges(ranges: readonly LeafRange[], reader: HashReader): Promise<Hash[]> {
  const parts = ranges.map(subtreesOf);
  const hashes = await readHashes(parts.flat(), reader);
  let read = 0;
  return parts.map(({ length }) => foldEdge(hashes.slice(read, (read += length))));
}

/** What the reader answers, refused unless it is one hash for each that was asked for. */
export async function readHashes(at: readonly SubtreeAt[], reader: HashReader): Promise<readonly Hash[]> {
  if (at.length === 0) return [];
  const hashes = await reader.read(at);
  if (hashes.length !== at.length || !hashes.every(isHash))
    throw new TlogError(
      'missing_hash',
      'The hash reader did not give one hash of 32 bytes for each subtree that was asked for.',
    );
  return hashes;
}
