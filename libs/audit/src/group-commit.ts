import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

import type { WriteFault } from '@sallyport/store';

import { AuditUnavailableError } from './audit.errors.js';

export type { WriteFault };

export interface GroupCommitOptions<T> {
  /** Makes a batch durable, all of it or nothing. Must settle by itself: the next batch waits for it. */
  readonly write: (batch: readonly T[]) => Promise<void>;
  readonly faultOf: (error: unknown) => WriteFault;
  /** Items in one write, at most. */
  readonly maxBatch: number;
  /** Items that wait or are being written, at most. */
  readonly maxQueued: number;
  /** Milliseconds an item may take from {@link GroupCommit.add} to durable. */
  readonly timeoutMs: number;
}

interface Ticket<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: AuditUnavailableError) => void;
  readonly deadline: NodeJS.Timeout;
}

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

/**
 * One commit for all that arrived while the one before was under way. Every `add` settles: it resolves when its item
 * is durable, and rejects with an {@link AuditUnavailableError} otherwise. A rejected item may still be durable when
 * its write was under way at the deadline; it is never written after that.
 */
export class GroupCommit<T> {
  /** In order of arrival. A ticket leaves when it settles, so its size is all there is to bound. */
  private readonly waiting = new Set<Ticket<T>>();
  private running: Promise<void> | undefined;
  private stopped = false;
  private pauseMs = FIRST_PAUSE_MS;
  private lastBusy: unknown;

  constructor(private readonly options: GroupCommitOptions<T>) {}

  /** `timeoutMs`: when some of its time is over already. */
  add(item: T, timeoutMs = this.options.timeoutMs): Promise<void> {
    if (this.stopped) return Promise.reject(new AuditUnavailableError('stopped'));
    if (this.waiting.size >= this.options.maxQueued)
      return Promise.reject(new AuditUnavailableError('overloaded'));
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => this.expire(ticket), timeoutMs);
      const ticket: Ticket<T> = { item, resolve, reject, deadline };
      this.waiting.add(ticket);
      this.running ??= this.run();
    });
  }

  /** Takes nothing more, and resolves when everything that was taken has settled. */
  async drain(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.waiting.size > 0) {
      // Requests whose bytes are here already are read before an immediate runs. Without this a synchronous driver
      // would commit each of them alone.
      await setImmediate();
      await this.commit(this.nextBatch());
    }
    this.running = undefined;
  }

  private nextBatch(): Ticket<T>[] {
    const batch: Ticket<T>[] = [];
    for (const ticket of this.waiting) {
      if (batch.length === this.options.maxBatch) break;
      batch.push(ticket);
    }
    return batch;
  }

  /** Whether the batch is done with: `false` while the store is busy. */
  private async commit(batch: readonly Ticket<T>[]): Promise<boolean> {
    const due = batch.filter((ticket) => this.waiting.has(ticket));
    if (due.length === 0) return true;
    try {
      await this.options.write(due.map((ticket) => ticket.item));
    } catch (error) {
      return this.fail(due, error);
    }
    this.pauseMs = FIRST_PAUSE_MS;
    for (const ticket of due) this.settle(ticket)?.resolve();
    return true;
  }

  private async fail(batch: readonly Ticket<T>[], error: unknown): Promise<boolean> {
    const fault = this.options.faultOf(error);
    if (fault === 'busy') return this.pause(error);
    if (fault === 'item' && batch.length > 1) return this.commitHalves(batch);
    for (const ticket of batch) this.settle(ticket)?.reject(new AuditUnavailableError('store', error));
    return true;
  }

  /** One bad item must not refuse its neighbours: halve until it stands alone. */
  private async commitHalves(batch: readonly Ticket<T>[]): Promise<boolean> {
    const middle = batch.length >> 1;
    // The second half must not overtake a first one that found the store busy.
    return (await this.commit(batch.slice(0, middle))) && (await this.commit(batch.slice(middle)));
  }

  /** Busy items stay where they are: the next batch begins with them, until their deadline. */
  private async pause(error: unknown): Promise<false> {
    this.lastBusy = error;
    await sleep(this.pauseMs);
    this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
    return false;
  }

  private expire(ticket: Ticket<T>): void {
    this.settle(ticket)?.reject(new AuditUnavailableError('timeout', this.lastBusy));
  }

  /** The ticket, for the one that gets to settle it. */
  private settle(ticket: Ticket<T>): Ticket<T> | undefined {
    clearTimeout(ticket.deadline);
    return this.waiting.delete(ticket) ? ticket : undefined;
  }
}
