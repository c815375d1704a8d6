import { randomUUID } from 'node:crypto';

import { errorCodeOf } from '@sallyport/store';

import type { RecordWalk } from '../../reading/record-walk.js';
import type { SettledRecords } from '../../reading/settled-records.js';
import { lineOf } from '../export-format.js';
import { SinkError, type AuditSink, type SinkBatch } from './audit-sink.js';
import { LEASE_MS, type FollowerPositions } from './follower-positions.js';

export interface FollowerParts {
  readonly sink: AuditSink;
  readonly walk: RecordWalk;
  readonly settled: SettledRecords;
  readonly positions: FollowerPositions;
  /** Told what an operator should know: no secret, and each thing once until it changes. */
  readonly onProblem: (sentence: string) => void;
}

export interface FollowerStatus {
  readonly name: string;
  /** `standby`: another process ships. */
  readonly state: 'idle' | 'standby' | 'shipping' | 'stopped';
  /** The highest `seq` that the sink has confirmed, as far as this process knows. */
  readonly position: number | undefined;
  /** What fails just now, in words for the operator. */
  readonly failure: string | undefined;
}

const BATCH = 100;
const POLL_MS = 1000;
const STANDBY_MS = 5000;
const DELIVERY_MS = 10_000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Ships records to a sink in the order of their numbers, at least once: the position is stored after the sink has
 * confirmed a batch, and a process that begins goes on from there. It is never on the way of a call.
 */
export class Follower {
  private readonly owner = randomUUID();
  private readonly stopping = new AbortController();
  private state: FollowerStatus['state'] = 'idle';
  private position: number | undefined;
  private renewAt = Number.NEGATIVE_INFINITY;
  private pauseMs = FIRST_PAUSE_MS;
  private failure: string | undefined;
  private running: Promise<void> | undefined;
  private wake: (() => void) | undefined;

  constructor(private readonly parts: FollowerParts) {}

  get status(): FollowerStatus {
    const { state, position, failure } = this;
    return { name: this.parts.sink.name, state, position, failure };
  }

  start(): void {
    if (this.state !== 'idle') return;
    this.state = 'standby';
    this.running = this.work();
  }

  /** Ends what is under way, and lets another process go on at once. Never rejects. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake?.();
    await this.running;
    const held = this.state === 'shipping';
    this.state = 'stopped';
    if (!held) return;
    // A lease that cannot be given back ends by itself.
    await this.parts.positions.release(this.parts.sink.name, this.owner).catch(() => undefined);
  }

  private async work(): Promise<void> {
    while (!this.stopping.signal.aborted) await this.pause(await this.step());
  }

  /** Milliseconds until the next one. Never rejects. */
  private async step(): Promise<number> {
    try {
      const position = await this.hold();
      if (position === undefined) return STANDBY_MS;
      const delay = await this.ship(position);
      this.pauseMs = FIRST_PAUSE_MS;
      this.failure = undefined;
      return delay;
    } catch (error) {
      return this.fail(error);
    }
  }

  /** The position, while this process may ship. Asked again in good time before another could take over. */
  private async hold(): Promise<number | undefined> {
    if (this.position !== undefined && performance.now() < this.renewAt) return this.position;
    this.position = undefined;
    const position = await this.parts.positions.hold(this.parts.sink.name, this.owner);
    this.state = position === undefined ? 'standby' : 'shipping';
    this.position = position;
    this.renewAt = performance.now() + LEASE_MS / 3;
    return position;
  }

  private async ship(position: number): Promise<number> {
    const { walk, settled, sink, positions } = this.parts;
    const upTo = await settled.upTo(position);
    const records = await walk.read({ after: position, upTo }, BATCH);
    const [first] = records;
    const last = records.at(-1);
    if (first === undefined || last === undefined) return POLL_MS;
    const lines = records.map((record) => lineOf(record, sink.format));
    await this.deliver({ lines, first: first.seq, last: last.seq });
    const isOurs = await positions.advance(sink.name, this.owner, position, last.seq);
    this.position = isOurs ? last.seq : undefined;
    this.renewAt = isOurs ? performance.now() + LEASE_MS / 3 : Number.NEGATIVE_INFINITY;
    return records.length === BATCH ? 0 : POLL_MS;
  }

  /** Until it takes too long, or the server stops. */
  private async deliver(batch: SinkBatch): Promise<void> {
    const { signal: stopping } = this.stopping;
    const delivery = new AbortController();
    const giveUp = () => delivery.abort();
    const late = setTimeout(giveUp, DELIVERY_MS);
    stopping.addEventListener('abort', giveUp);
    if (stopping.aborted) giveUp();
    try {
      await settledBefore(delivery.signal, () => this.parts.sink.deliver(batch, delivery.signal));
    } finally {
      clearTimeout(late);
      stopping.removeEventListener('abort', giveUp);
    }
  }

  private fail(error: unknown): number {
    // What may have been stored is asked for anew.
    this.position = undefined;
    if (this.stopping.signal.aborted) return 0;
    const failure = reasonOf(error);
    if (failure !== this.failure) {
      this.parts.onProblem(
        `Audit records do not reach ${this.parts.sink.name}: ${failure}. It is tried again, and nothing is lost.`,
      );
    }
    this.failure = failure;
    this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
    // Several processes that wait for one sink should not ask it at once.
    return this.pauseMs * (0.5 + Math.random() / 2);
  }

  private async pause(delayMs: number): Promise<void> {
    if (delayMs === 0 || this.stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      timer.unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A sink that does not mind the signal must not hold up a shutdown. */
async function settledBefore(signal: AbortSignal, deliver: () => Promise<void>): Promise<void> {
  const late = new SinkError('it did not answer in time');
  // A signal that was aborted before says so to nobody who listens after.
  if (signal.aborted) throw late;
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(late), { once: true });
  });
  await Promise.race([deliver(), aborted]);
}

/** What drivers and file systems say in words may quote what they were given. */
function reasonOf(error: unknown): string {
  if (error instanceof SinkError) return error.message;
  return `it failed with ${errorCodeOf(error) ?? 'an error'}`;
}
