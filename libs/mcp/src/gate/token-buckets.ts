import { BoundedMap } from '../bounded-map.js';

/** How often something may happen. */
export interface Rate {
  readonly perMinute: number;
  /** How often at once, before {@link perMinute} holds. */
  readonly burst: number;
}

interface Bucket {
  readonly tokens: number;
  /** Milliseconds. */
  readonly at: number;
}

/** A token bucket for each of a bounded number of keys; of more, those that were longest without use start again, full. */
export class TokenBuckets {
  readonly #buckets: BoundedMap<Bucket>;

  constructor(
    private readonly rate: Rate,
    mostKeys: number,
  ) {
    this.#buckets = new BoundedMap(mostKeys);
  }

  /** Whether a token is left. */
  has(key: string, now: number): boolean {
    return this.#tokens(key, now) >= 1;
  }

  /** Takes a token when one is left. */
  take(key: string, now: number): boolean {
    const tokens = this.#tokens(key, now);
    if (tokens < 1) return false;
    this.#buckets.set(key, { tokens: tokens - 1, at: now });
    return true;
  }

  /** Milliseconds until there is a token. */
  wait(key: string, now: number): number {
    const missing = 1 - this.#tokens(key, now);
    return missing <= 0 ? 0 : (missing * 60_000) / this.rate.perMinute;
  }

  #tokens(key: string, now: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return this.rate.burst;
    // A clock that was set back gives nothing and takes nothing.
    const elapsed = Math.max(0, now - bucket.at);
    return Math.min(this.rate.burst, bucket.tokens + (elapsed * this.rate.perMinute) / 60_000);
  }
}
