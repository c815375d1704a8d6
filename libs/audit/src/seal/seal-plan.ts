import type { Candidate, SealRows } from './seal-rows.js';

/** Why the range ends where it does, or is empty. */
export type SealLimit =
  /** The next record is not old enough. */
  | 'age'
  /** An attempt before has no outcome in the range, and may still get one. */
  | 'attempt'
  /** A follower has not shipped the next record. */
  | 'follower'
  /** No checkpoint covers more. */
  | 'checkpoint';

/** The records that may leave the database; `to` is `undefined` when there are none. */
export interface SealPlan {
  /** Index of the first leaf that is not sealed. */
  readonly from: number;
  /** Index of the last leaf, inclusive. */
  readonly to: number | undefined;
  /** Times of the first and of the last record; milliseconds since the epoch. */
  readonly first: number | undefined;
  readonly last: number | undefined;
  readonly endedBy: SealLimit;
}

export interface SealBounds {
  /** Index of the first leaf that is not sealed. */
  readonly from: number;
  /** Leaves that are signed. */
  readonly signed: number;
  /** Only records from before; milliseconds since the epoch. */
  readonly before: number;
  /** Only records up to this number; `undefined`: nobody ships them. */
  readonly shipped: number | undefined;
  readonly now: number;
}

/** An attempt that has no outcome after so long will not get one: no call runs for a day. */
const OPEN_MS = 24 * 60 * 60_000;
const BATCH = 1024;

/**
 * The longest range from the first leaf that is not sealed: all of it old enough, signed and shipped, and no attempt in
 * it without its outcome, unless there will be none.
 *
 * @throws MissingRecordError where there is a leaf, and its record is gone
 */
export async function planSeal(rows: Pick<SealRows, 'candidates'>, bounds: SealBounds): Promise<SealPlan> {
  const scan = new SealScan(bounds);
  for (let first = bounds.from; first < bounds.signed; first += BATCH) {
    const count = Math.min(BATCH, bounds.signed - first);
    const page = await rows.candidates(first, count);
    if (page.length !== count) throw new MissingRecordError(first);
    if (!page.every((candidate) => scan.take(candidate))) break;
  }
  return scan.plan();
}

/** A leaf has no record: it was removed, and the log says so. */
export class MissingRecordError extends Error {
  override readonly name = 'MissingRecordError';

  constructor(readonly index: number) {
    super(`The record with the index ${index} is missing.`);
  }
}

class SealScan {
  /** Index of the farthest outcome of the attempts so far: the range may end after it. */
  private reach = -1;
  private endedBy: SealLimit = 'checkpoint';
  private to: number | undefined;
  private first: number | undefined;
  private last: number | undefined;

  constructor(private readonly bounds: SealBounds) {}

  /** `false`: the range cannot reach this one. */
  take(candidate: Candidate): boolean {
    const { index, seq, at, isAttempt } = candidate;
    const { before, shipped } = this.bounds;
    if (at === undefined) throw new MissingRecordError(index);
    if (!(at < before)) return this.end('age');
    if (shipped !== undefined && seq > shipped) return this.end('follower');
    if (isAttempt) this.reach = Math.max(this.reach, this.outcomeOf(candidate, at));
    if (this.reach === Infinity) return this.end('attempt');
    this.first ??= at;
    if (this.reach > index) return true;
    this.to = index;
    this.last = at;
    return true;
  }

  plan(): SealPlan {
    const { to, first, last, bounds } = this;
    // The last record that was looked at waits for an outcome that comes later.
    const endedBy = this.endedBy === 'checkpoint' && this.reach >= bounds.signed ? 'attempt' : this.endedBy;
    return { from: bounds.from, to, first: to === undefined ? undefined : first, last, endedBy };
  }

  /** `-Infinity`: there will be none. */
  private outcomeOf({ outcome }: Candidate, at: number): number {
    if (outcome !== undefined) return outcome.index ?? Infinity;
    return this.bounds.now - at < OPEN_MS ? Infinity : -Infinity;
  }

  private end(limit: SealLimit): false {
    this.endedBy = limit;
    return false;
  }
}
