import type { LogRows } from './log-rows.js';

/** Leaves that follow on each other from the first on, and what stands beyond them. */
export interface TreeSize {
  /** Indices 0 to `size - 1` have a leaf. */
  readonly size: number;
  /** The lowest index of a leaf that stands behind a gap. */
  readonly stray: number | undefined;
}

/**
 * How large the tree is. A leaf far ahead of the others makes it no larger: a role that may add rows may add that one.
 *
 * @param known so many leaves are known to be there, such as those that were signed
 */
export async function treeSize(rows: LogRows, known: number): Promise<TreeSize> {
  const end = await rows.size();
  if (end <= known || (await rows.countLeaves(known, end)) === end - known)
    return { size: end, stray: undefined };
  let [low, high] = [known, end];
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if ((await rows.countLeaves(low, middle)) === middle - low) low = middle;
    else high = middle;
  }
  return { size: low, stray: await rows.nextIndex(low) };
}

/** The highest `seq` of the last leaves of a tree; 0 when it has none. */
export async function lastSequenced(rows: LogRows, size: number): Promise<number> {
  return rows.lastSeq(Math.max(0, size - LAST_LEAVES), size);
}

/** As far apart as numbers and indices may be: what is below is looked at again anyway. */
const LAST_LEAVES = 10_000;
