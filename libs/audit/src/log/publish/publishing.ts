import { setTimeout as sleep } from 'node:timers/promises';

import { inTime, messageOf, type Memory } from '../memory.js';
import type { CheckpointPublisher, PublishedCheckpoint } from './checkpoint-publisher.js';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/**
 * Brings checkpoints to the publishers, each at its own pace: the newest one only, and again until it is there. None of
 * them can hold up a signing for long: each is asked once, for some seconds, what it holds.
 */
export class Publishing {
  private readonly outlets: readonly Outlet[];

  constructor(
    publishers: readonly CheckpointPublisher[],
    private readonly onFailure: (publisher: string, error: unknown) => void,
  ) {
    this.outlets = publishers.map((publisher) => new Outlet(publisher, onFailure));
  }

  /** Another process may have published meanwhile. */
  forget(): void {
    for (const outlet of this.outlets) outlet.forget();
  }

  /**
   * What the publishers hold that this process has not compared the log with. One that cannot say now is asked again later,
   * and what it said before still counts.
   */
  async memories(): Promise<Memory[]> {
    const open = this.outlets.filter((outlet) => !outlet.isCompared && outlet.mayBeAsked);
    await Promise.all(open.map((outlet) => this.ask(outlet)));
    return this.outlets.map((outlet) => outlet.memory);
  }

  /** After the log was found to agree with what {@link memories} gave. */
  offer(checkpoint: PublishedCheckpoint): void {
    for (const outlet of this.outlets) outlet.offer(checkpoint);
  }

  /** Waits for what is under way, and closes. */
  async stop(patienceMs: number): Promise<void> {
    const settled = Promise.allSettled(this.outlets.map((outlet) => outlet.settled()));
    await Promise.race([settled, sleep(patienceMs, undefined, { ref: false })]);
    const closed = Promise.allSettled(this.outlets.map((outlet) => outlet.close()));
    await Promise.race([closed, sleep(patienceMs, undefined, { ref: false })]);
  }

  private async ask(outlet: Outlet): Promise<void> {
    try {
      await outlet.ask();
    } catch (error) {
      this.onFailure(outlet.name, error);
    }
  }
}

class Outlet {
  /** Whether the log agrees with what it held; until then nothing is given to it. */
  isCompared = false;
  /** What it held when it answered last. */
  private note: string | undefined;
  private answered = false;
  private failure = 'It was not asked yet.';
  private next: PublishedCheckpoint | undefined;
  private work: Promise<void> | undefined;
  private pauseMs = FIRST_PAUSE_MS;
  private askAgainAt = 0;
  private readonly stopping = new AbortController();

  constructor(
    private readonly publisher: CheckpointPublisher,
    private readonly onFailure: (publisher: string, error: unknown) => void,
  ) {}

  get name(): string {
    return this.publisher.name;
  }

  /** One that was compared has nothing more to say. */
  get memory(): Memory {
    return {
      name: this.name,
      kind: 'publisher',
      note: this.isCompared ? undefined : this.note,
      failure: this.isCompared || this.answered ? undefined : this.failure,
    };
  }

  get mayBeAsked(): boolean {
    return Date.now() >= this.askAgainAt;
  }

  forget(): void {
    this.isCompared = false;
    this.answered = false;
  }

  async ask(): Promise<void> {
    this.answered = false;
    this.askAgainAt = Date.now() + this.nextPause();
    try {
      this.note = await inTime(this.publisher.latest());
    } catch (error) {
      this.failure = messageOf(error);
      throw error;
    }
    this.answered = true;
    this.askAgainAt = 0;
    this.pauseMs = FIRST_PAUSE_MS;
  }

  offer(checkpoint: PublishedCheckpoint): void {
    this.isCompared ||= this.answered;
    if (!this.isCompared) return;
    this.next = checkpoint;
    this.work ??= this.run();
  }

  async settled(): Promise<void> {
    this.stopping.abort();
    await this.work;
  }

  async close(): Promise<void> {
    await this.publisher.close?.();
  }

  private async run(): Promise<void> {
    while (this.next !== undefined) {
      const checkpoint = this.next;
      this.next = undefined;
      try {
        await this.publisher.publish(checkpoint);
        this.pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        this.onFailure(this.name, error);
        if (this.stopping.signal.aborted) break;
        this.next ??= checkpoint;
        await this.pause();
      }
    }
    this.work = undefined;
  }

  /** A shutdown ends the pause, and what waits is tried once more. */
  private async pause(): Promise<void> {
    const { signal } = this.stopping;
    await sleep(this.nextPause(), undefined, { ref: false, signal }).catch(() => undefined);
  }

  private nextPause(): number {
    const pause = this.pauseMs;
    this.pauseMs = Math.min(pause * 2, LONGEST_PAUSE_MS);
    return pause;
  }
}
