import { Logger } from '@nestjs/common';
import { errors, type CryptoKey } from 'jose';
import { CredentialRefused, IssuerUnavailable } from '../refusals.js';
import { loadKeySet, type KeySet } from './discovery.js';
import type { TokenHeader } from './token-header.js';

const MINUTE = 60_000;

/** How a key set ages, in milliseconds. */
export const KEY_TIMES = {
  /** Discovery and key set together must arrive within this. */
  load: 5_000,
  /** A set younger than this is used without asking. */
  fresh: 10 * MINUTE,
  /** The last good set serves this long while the issuer cannot be reached. */
  lastGood: 60 * MINUTE,
  /** Least time between two loads after one that worked: what an unknown `kid` can cause (RFC 8725 §3.10). */
  cooldown: 30_000,
  /** The same after one that failed. */
  retry: 5_000,
} as const;

/** Keys without a `kid` in the token are tried one by one, so their number is bounded. */
const MAX_CANDIDATES = 4;

interface LoadedKeys {
  readonly keys: KeySet;
  /** As the issuer wrote them: another text is another set. */
  readonly text: string;
  /** The keys that were found in this set. */
  readonly found: WeakSet<CryptoKey>;
  readonly at: number;
}

/**
 * The keys of one issuer: found on first use, kept, renewed, and never shared with another issuer. One load runs at a time
 * however many requests wait for it.
 */
export class IssuerKeys {
  private readonly logger = new Logger('Identity');
  private loaded: LoadedKeys | undefined;
  private loading: Promise<void> | undefined;
  private lastLoad: { readonly at: number; readonly failed: boolean } | undefined;

  constructor(
    private readonly issuer: string,
    private readonly clock: () => number,
    private readonly loadTimeoutMs: number = KEY_TIMES.load,
  ) {}

  /**
   * The keys that may have signed under this header.
   *
   * @throws {@link IssuerUnavailable} when the issuer cannot be reached and no good set is left, or the set may be outdated
   * @throws {@link CredentialRefused} `unknown_key` or `unusable_key`
   */
  async find(header: TokenHeader): Promise<CryptoKey[]> {
    if (this.youngerThan(KEY_TIMES.fresh) === undefined) await this.renew();
    const known = await candidates(this.lastGood(), header);
    if (known.length > 0) return known;
    await this.renew();
    const renewed = await candidates(this.lastGood(), header);
    if (renewed.length > 0) return renewed;
    // Whether the key is new cannot be known while the issuer does not answer.
    if (this.lastLoad?.failed) throw new IssuerUnavailable(this.issuer);
    throw new CredentialRefused('unknown_key');
  }

  /**
   * Whether a look-up would find this key again, now and without asking the issuer. When the issuer has changed anything
   * in its set, it would have to be looked up.
   */
  isInUse(key: CryptoKey): boolean {
    const isSettled = this.loading === undefined && this.isCoolingDown();
    const loaded = this.youngerThan(isSettled ? KEY_TIMES.lastGood : KEY_TIMES.fresh);
    return loaded?.found.has(key) ?? false;
  }

  private lastGood(): LoadedKeys {
    const loaded = this.youngerThan(KEY_TIMES.lastGood);
    if (loaded === undefined) throw new IssuerUnavailable(this.issuer);
    return loaded;
  }

  private youngerThan(age: number): LoadedKeys | undefined {
    return this.loaded !== undefined && this.clock() - this.loaded.at < age ? this.loaded : undefined;
  }

  private async renew(): Promise<void> {
    if (this.loading === undefined && this.isCoolingDown()) return;
    this.loading ??= this.load().finally(() => {
      this.loading = undefined;
    });
    await this.loading;
  }

  private isCoolingDown(): boolean {
    if (this.lastLoad === undefined) return false;
    const pause = this.lastLoad.failed ? KEY_TIMES.retry : KEY_TIMES.cooldown;
    return this.clock() - this.lastLoad.at < pause;
  }

  private async load(): Promise<void> {
    try {
      const keys = await loadKeySet(this.issuer, AbortSignal.timeout(this.loadTimeoutMs));
      const text = JSON.stringify(keys.jwks());
      const same = this.loaded?.text === text ? this.loaded : { keys, text, found: new WeakSet<CryptoKey>() };
      this.loaded = { ...same, at: this.clock() };
      this.lastLoad = { at: this.clock(), failed: false };
    } catch (error) {
      this.lastLoad = { at: this.clock(), failed: true };
      this.logger.warn(`No keys: ${error instanceof Error ? error.message : 'unknown failure'}.`);
    }
  }
}

async function candidates(loaded: LoadedKeys, header: TokenHeader): Promise<CryptoKey[]> {
  const found = await matching(loaded.keys, header);
  for (const key of found) loaded.found.add(key);
  return found;
}

async function matching(keys: KeySet, header: TokenHeader): Promise<CryptoKey[]> {
  try {
    return [await keys({ ...header })];
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return [];
    if (error instanceof errors.JWKSMultipleMatchingKeys) return take(error, MAX_CANDIDATES);
    throw new CredentialRefused('unusable_key');
  }
}

async function take<T>(values: AsyncIterable<T>, most: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const value of values) {
    taken.push(value);
    if (taken.length === most) break;
  }
  return taken;
}
