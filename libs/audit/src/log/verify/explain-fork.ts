import { Frontier } from '@sallyport/tlog';

import type { LoggedRecord, LogRows } from '../log-rows.js';
import type { LogFinding } from './log-findings.js';
import { hex } from './signed-roots.js';

/** Part of the log in which the tree stopped being the signed one. */
export interface Fork {
  /** The tree as it was signed last and still is. */
  readonly good: Frontier;
  /** Size of the tree that was signed next. */
  readonly size: number;
  /** Roots, in hexadecimal, that were signed for it. */
  readonly roots: ReadonlyMap<string, string>;
}

/** Guesses are tried by building the tree again, so only between checkpoints that are not far apart. */
const MOST_TO_GUESS = 600;

/**
 * Names the first leaf that differs, where a guess about what was done gives exactly the root that was signed: leaves
 * that were put in another order, or one that was put in between. Otherwise the range between the two checkpoints.
 */
export async function explainFork(rows: LogRows, fork: Fork): Promise<LogFinding> {
  const { good, size } = fork;
  const leaves = size - good.size <= MOST_TO_GUESS ? await rows.logged(good.size, size - good.size + 1) : [];
  return reordered(fork, leaves.slice(0, size - good.size)) ?? inserted(fork, leaves) ?? range(fork);
}

function reordered(fork: Fork, leaves: readonly LoggedRecord[]): LogFinding | undefined {
  const sorted = [...leaves].sort((a, b) => a.seq - b.seq);
  if (!gives(fork, sorted)) return undefined;
  const place = leaves.findIndex((leaf, at) => leaf !== sorted[at]);
  const leaf = leaves[place];
  if (leaf === undefined) return undefined;
  return {
    code: 'record_reordered',
    message: `At index ${leaf.index} stands the record with seq ${leaf.seq}; what was signed has seq ${sorted[place]?.seq} there.`,
    ...namesOf(leaf),
  };
}

function inserted(fork: Fork, leaves: readonly LoggedRecord[]): LogFinding | undefined {
  const added = leaves.find((leaf) => {
    const without = leaves.filter((other) => other !== leaf);
    return without.length === fork.size - fork.good.size && gives(fork, without);
  });
  if (added === undefined) return undefined;
  return {
    code: 'record_inserted',
    message: `The leaf at index ${added.index} was put in after the log was signed there.`,
    ...namesOf(added),
  };
}

function gives({ good, roots, size }: Fork, leaves: readonly LoggedRecord[]): boolean {
  const tree = good.clone();
  for (const { hash } of leaves) if (hash.length === 32) tree.append(hash);
  return tree.size === size && roots.has(hex(tree.root()));
}

function range({ good, size, roots }: Fork): LogFinding {
  const [from = ''] = roots.values();
  return {
    code: 'log_forked',
    message:
      `The first ${good.size} records are as they were signed; between index ${good.size} and ${size - 1} at least one is not ` +
      `what ${from} says, although leaves and records agree: both were rewritten.`,
    index: good.size,
  };
}

export function namesOf({ index, seq, record }: LoggedRecord): Pick<LogFinding, 'index' | 'seq' | 'id'> {
  return { index, seq, ...(record === undefined ? {} : { id: record.id }) };
}
