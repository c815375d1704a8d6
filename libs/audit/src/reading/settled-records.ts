import { setTimeout as sleep } from 'node:timers/promises';

import type { AuditStore } from '../audit.store.js';
import type { RecordWalk } from './record-walk.js';

const MOST_SEQS = 1000;
/** How far back from the newest number one may still appear: more than are written while a statement may run. */
const RECENT = 20_000;
const PAUSE_MS = 250;
/** Work of others that writes may be under way for hours. */
const PATIENCE_MS = 30_000;

/** Where a reader begins who wants what comes from now on. */
export interface Beginning {
  /** The highest number that can be read now. */
  readonly top: number;
  /** Below the first gap of before: what fills it is to come. */
  readonly after: number;
  /** Numbers between the two that are there already. */
  readonly seen: ReadonlySet<number>;
}

/** A look at the numbers, which holds once everybody who wrote meanwhile has finished. */
interface Mark {
  /** The highest number then. */
  readonly top: number;
  /** Transactions before this one may have taken a number below `top`. */
  readonly nextTransaction: bigint;
  readonly at: number;
}

/**
 * Up to which number nothing can appear any more that is not there yet. On PostgreSQL a number is taken when a record is
 * written and seen when it is committed, so a lower one may appear after a higher one; and one that was taken for nothing
 * leaves a gap for ever. A gap is believed once every transaction that was there when it was seen has ended.
 */
export class SettledRecords {
  private settled = 0;
  private mark: Mark | undefined;

  constructor(
    private readonly store: AuditStore,
    private readonly walk: RecordWalk,
    /** For how long a statement may run at all, in milliseconds: a gap is no younger than that. */
    private readonly statementMs: number,
  ) {}

  /** The highest number above `after` that may be read up to; `after` when there is none. */
  async upTo(after: number): Promise<number> {
    const seqs = await this.walk.seqsAbove(after, MOST_SEQS);
    const last = seqs.at(-1) ?? after;
    // SQLite has one writer at a time: numbers are committed in the order in which they are taken.
    if (this.store.dataSource.options.type !== 'postgres') return last;
    if (last - after === seqs.length || last <= this.settled) return last;
    await this.settle();
    return Math.max(endOfRun(after, seqs), Math.min(last, this.settled));
  }

  /** From where to go on with {@link upTo} so that nothing is passed over, and what of that was there before. */
  async beginning(): Promise<Beginning> {
    const top = await this.walk.lastSeq();
    // SQLite has no gaps that are filled later.
    if (this.store.dataSource.options.type !== 'postgres') return { top, after: top, seen: new Set() };
    const from = Math.max(top - RECENT, 0);
    const seqs = (await this.walk.seqsAbove(from, RECENT)).filter((seq) => seq <= top);
    const after = endOfRun(from, seqs);
    return { top, after, seen: new Set(seqs.filter((seq) => seq > after)) };
  }

  /**
   * The highest number of now, once nothing below it can appear any more. Waits where there is a gap; when somebody's
   * transaction takes too long for that, it is the last number before the gap.
   */
  async top(patienceMs = PATIENCE_MS): Promise<number> {
    const { top, after } = await this.beginning();
    if (after === top) return top;
    const until = performance.now() + patienceMs;
    for (;;) {
      await this.settle();
      if (this.settled >= top) return top;
      if (performance.now() >= until) return after;
      await sleep(PAUSE_MS);
    }
  }

  private async settle(): Promise<void> {
    const { mark } = this;
    if (mark === undefined) {
      // The transactions are looked at last: whoever took a number below the top is among them, or has ended.
      const top = await this.walk.lastSeq();
      const { next } = await this.transactions();
      this.mark = { top, nextTransaction: next, at: performance.now() };
      return;
    }
    // A transaction has no id yet while it takes its first number: the age of the mark covers that moment.
    if (performance.now() - mark.at < this.statementMs) return;
    const { oldest } = await this.transactions();
    if (oldest < mark.nextTransaction) return;
    this.settled = mark.top;
    this.mark = undefined;
  }

  /** Ids of the oldest transaction that is under way, and of the next one to begin. */
  private async transactions(): Promise<{ oldest: bigint; next: bigint }> {
    const [row] = await this.store.dataSource.query<{ oldest: string; next: string }[]>(
      `SELECT pg_snapshot_xmin(snapshot)::text AS oldest, pg_snapshot_xmax(snapshot)::text AS next
       FROM pg_current_snapshot() AS snapshot`,
    );
    if (row === undefined) throw new Error('PostgreSQL did not say which transactions are under way.');
    return { oldest: BigInt(row.oldest), next: BigInt(row.next) };
  }
}

/** The last number before the first gap. */
export function endOfRun(after: number, seqs: readonly number[]): number {
  const gap = seqs.findIndex((seq, index) => seq !== after + index + 1);
  return gap === -1 ? after + seqs.length : after + gap;
}
