import type { AuditStore } from '../audit.store.js';
import type { RecordWalk } from './record-walk.js';

const MOST_SEQS = 1000;

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
