import type { Origin } from '../call/operation.js';
import { networkOf } from './network.js';
import { TokenBuckets, type Rate } from './token-buckets.js';

/** Fits people who mistype and clients whose tokens expire, and none who tries keys. */
export const DEFAULT_FAILED_AUTHENTICATIONS: Rate = { perMinute: 30, burst: 30 };

/** Networks that are told apart; beyond, those that were longest quiet start again. */
const MOST_NETWORKS = 10_000;
/** All networks together may fail so many times as often as one. */
const NETWORKS_AT_ONCE = 20;
/** What is judged at a time, of one network that is over its limit, and of all of them. */
const MOST_TURNS = { network: 4, all: 16 };
const WINDOW_MS = 60_000;
/** Networks that are counted apart; beyond, they are counted together. */
const MOST_WINDOWS = 1_000;
const SWEEP_MS = 10_000;
const EVERYBODY = '';

/** Leave to have one credential judged. To be ended in any case. */
export interface Turn {
  end(): void;
}

/** Failures that have no record of their own. */
export interface CountedFailures {
  /** `undefined`: more than one network. */
  readonly network: string | undefined;
  readonly count: number;
  readonly since: Date;
}

/** A window of one network: what came after the record that opened it. */
interface Window {
  openedAt: number;
  count: number;
}

export type Noted =
  /** Recorded, or counted: the caller is told why. */
  | 'noted'
  /** Counted, and this network has failed too often. */
  | 'too_many'
  /** It could not be recorded. */
  | 'unrecorded';

/**
 * Bounds what failed authentications can cost, by the network they come from. Up to the limit each is judged and recorded
 * by itself. Over it, only so many are judged at a time, the rest is refused unseen, and all of them share a record a
 * minute. Who brings a credential that was good before passes by: an office is not locked out by one of its machines.
 */
export class FailedAuthentications {
  readonly #networks: TokenBuckets;
  readonly #everybody: TokenBuckets;
  readonly #turns = new Map<string, number>();
  readonly #windows = new Map<string, Window>();
  #turnsTaken = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(
    rate: Rate,
    /** Makes one record of several failures; tells whether it is durable. */
    private readonly recordCount: (failures: CountedFailures) => Promise<boolean>,
    private readonly clock: () => number = Date.now,
  ) {
    const { perMinute, burst } = rate;
    this.#networks = new TokenBuckets(rate, MOST_NETWORKS);
    this.#everybody = new TokenBuckets(
      { perMinute: perMinute * NETWORKS_AT_ONCE, burst: burst * NETWORKS_AT_ONCE },
      1,
    );
  }

  /**
   * Leave to be judged; `undefined`: not now. Asks whether a credential is recognized only where that matters. The one
   * process on the other side of stdio is not limited.
   */
  turnFor({ via, address }: Origin, isRecognized: () => boolean): Turn | undefined {
    const network = networkOf(address);
    if (via !== 'http' || !this.#isOver(network) || isRecognized()) return UNLIMITED;
    const taken = this.#turns.get(network) ?? 0;
    if (taken >= MOST_TURNS.network || this.#turnsTaken >= MOST_TURNS.all) return undefined;
    this.#turns.set(network, taken + 1);
    this.#turnsTaken += 1;
    return { end: () => this.#endTurn(network) };
  }

  /** A credential failed. Within the limit it is recorded by `record`, which tells whether that is durable. */
  async note({ via, address }: Origin, record: () => Promise<boolean>): Promise<Noted> {
    if (via !== 'http') return (await record()) ? 'noted' : 'unrecorded';
    const network = networkOf(address);
    const now = this.clock();
    const isWithin = this.#networks.take(network, now);
    const isRecorded =
      isWithin && this.#everybody.take(EVERYBODY, now)
        ? await record()
        : await this.#count(isWithin ? EVERYBODY : network, now);
    if (!isRecorded) return 'unrecorded';
    return isWithin ? 'noted' : 'too_many';
  }

  /** One was refused unseen. */
  async noteUnseen({ address }: Origin): Promise<Noted> {
    return (await this.#count(networkOf(address), this.clock())) ? 'too_many' : 'unrecorded';
  }

  retryAfterSeconds({ address }: Origin): number {
    return Math.max(1, Math.ceil(this.#networks.wait(networkOf(address), this.clock()) / 1000));
  }

  /** Records what was counted so far, and counts on. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    await this.#sweep(0);
  }

  #isOver(network: string): boolean {
    const now = this.clock();
    return !this.#networks.has(network, now) || !this.#everybody.has(EVERYBODY, now);
  }

  #endTurn(network: string): void {
    const left = (this.#turns.get(network) ?? 1) - 1;
    if (left === 0) this.#turns.delete(network);
    else this.#turns.set(network, left);
    this.#turnsTaken -= 1;
  }

  /** The first of a window is recorded at once, so that there is word of it; the others when the window is over. */
  async #count(network: string, now: number): Promise<boolean> {
    const key = this.#windows.has(network) || this.#windows.size < MOST_WINDOWS ? network : EVERYBODY;
    const open = this.#windows.get(key);
    if (open !== undefined) {
      open.count += 1;
      return true;
    }
    const window: Window = { openedAt: now, count: 0 };
    this.#windows.set(key, window);
    this.#sweeper ??= setInterval(() => void this.#sweep(WINDOW_MS), SWEEP_MS).unref();
    const isRecorded = await this.recordCount(countedBy(key, { openedAt: now, count: 1 }));
    if (!isRecorded) window.count += 1;
    return isRecorded;
  }

  /** Records what is in windows of this age. One in which nothing more came is closed. */
  async #sweep(age: number): Promise<void> {
    const now = this.clock();
    for (const [network, window] of this.#windows) {
      if (now - window.openedAt < age) continue;
      if (window.count === 0) this.#windows.delete(network);
      else await this.#recordWindow(network, window);
    }
    if (this.#windows.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  /** What cannot be recorded now stays counted. */
  async #recordWindow(network: string, window: Window): Promise<void> {
    const { count, openedAt } = window;
    window.count = 0;
    window.openedAt = this.clock();
    if (!(await this.recordCount(countedBy(network, { count, openedAt })))) window.count += count;
  }
}

const UNLIMITED: Turn = { end: () => undefined };

function countedBy(network: string, { count, openedAt }: Window): CountedFailures {
  return { network: network === EVERYBODY ? undefined : network, count, since: new Date(openedAt) };
}
