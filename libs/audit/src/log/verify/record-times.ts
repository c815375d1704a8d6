import type { LoggedRecord } from '../log-rows.js';
import { namesOf } from './explain-fork.js';
import type { Examined } from './record-check.js';
import type { SignedSize } from './signed-roots.js';

/**
 * How much later than its time a record may enter the log, and how much earlier than the records before it its time may be:
 * the clocks of servers differ, and one of them may be set back. What is put in within it is not found by its time.
 */
export const LATE_MS = 10 * 60_000;

/**
 * Compares the time of each record with those before it in the log, and with the last time that the log was signed without
 * it. Whoever removes checkpoints takes away the second, and not the first.
 */
export class RecordTimes {
  /** The latest time of all records so far. */
  private latest = 0;
  private first = 0;
  /** For each leaf of the batch: when it was signed first. */
  private bounds: number[] = [];

  constructor(private readonly now: number) {}

  /** The next leaves to come: a batch, what was signed in it, and when more than that was signed first. */
  expect(
    first: number,
    end: number,
    signed: ReadonlyMap<number, SignedSize>,
    signedAfter: number | undefined,
  ): void {
    let bound = signedAfter ?? this.now;
    this.first = first;
    this.bounds = [];
    for (let index = end - 1; index >= first; index -= 1) {
      bound = signed.get(index + 1)?.firstSignedAt || bound;
      this.bounds[index - first] = bound;
    }
  }

  /** @param signedAt the last time that the log was signed without this leaf, whose record is the one that was logged */
  examine(leaf: LoggedRecord, signedAt: number): Examined | undefined {
    const { record, index } = leaf;
    if (record === undefined || !Number.isFinite(record.at)) return undefined;
    const { latest } = this;
    // A record from the future, as anybody may add one, does not make those after it late.
    this.latest = Math.max(latest, Math.min(record.at, this.bounds[index - this.first] ?? this.now));
    if (record.at >= Math.max(signedAt, latest) - LATE_MS) return undefined;
    const why =
      record.at < signedAt - LATE_MS
        ? `was not in the log that was signed at ${timeOf(signedAt)}`
        : `stands behind records of ${timeOf(latest)}`;
    const message = `The record at index ${index} says ${timeOf(record.at)}, and ${why}.`;
    return { finding: { code: 'record_inserted', message, ...namesOf(leaf) }, inDoubt: false };
  }
}

function timeOf(at: number): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? 'no time' : time.toISOString();
}
