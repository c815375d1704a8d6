import type { SealedRange } from './announcement.js';
import type { SealRows, SeqRun } from './seal-rows.js';

/** Leaves of one statement: few, because SQLite does nothing else meanwhile. */
const BATCH = 500;

type Leaves = Pick<SealedRange, 'from' | 'to'>;

/** Whether nothing of the range is left to delete. */
export async function isDeleted(rows: Pick<SealRows, 'remaining'>, range: Leaves): Promise<boolean> {
  for (const [first, end] of batches(range)) {
    if ((await rows.remaining(first, end)).length > 0) return false;
  }
  return true;
}

/** Deletes the records of the range, batch after batch. Whatever a crash leaves, the next time goes on from there. */
export async function deleteSealed(rows: SealRows, range: SealedRange): Promise<void> {
  const reason = `sealed ${range.from}-${range.to} ${range.sha256}`;
  for (const run of await runsOf(rows, range)) {
    if (await rows.isOpen(run)) continue;
    await rows.open(run, Date.now(), reason).catch(async (error: unknown) => {
      // Another process may be finishing the same range.
      if (!(await rows.isOpen(run))) throw error;
    });
  }
  for (const [first, end] of batches(range)) await rows.delete(first, end);
}

/**
 * The numbers of what is still there, as few ranges: exactly these may be deleted, because a number between them belongs
 * to a record that stays.
 */
async function runsOf(rows: SealRows, range: Leaves): Promise<SeqRun[]> {
  const seqs: SeqRun[] = [];
  for (const [first, end] of batches(range)) {
    for (const seq of await rows.remaining(first, end)) {
      const last = seqs.at(-1);
      if (last !== undefined && seq === last.to + 1) last.to = seq;
      else seqs.push({ from: seq, to: seq });
    }
  }
  return seqs;
}

function* batches({ from, to }: Leaves): Generator<[first: number, end: number]> {
  for (let first = from; first <= to; first += BATCH) yield [first, Math.min(first + BATCH, to + 1)];
}
