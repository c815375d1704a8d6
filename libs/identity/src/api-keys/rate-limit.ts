import { isIPv6 } from 'node:net';

export interface RateLimitOptions {
  /** How many in a window. */
  readonly most: number;
  readonly windowMs: number;
  /** How many callers are remembered; beyond, the one that came first is forgotten. */
  readonly mostCallers: number;
}

interface Window {
  readonly endsAt: number;
  count: number;
}

/** So many in a window of time for each caller. Keeps a bounded memory. */
export class RateLimit {
  private readonly windows = new Map<string, Window>();

  constructor(private readonly options: RateLimitOptions) {}

  /** Milliseconds to wait; 0: go on, and it is counted. */
  waitFor(address: string | undefined, now: number): number {
    const window = this.windowOf(callerOf(address), now);
    if (window.count >= this.options.most) return window.endsAt - now;
    window.count += 1;
    return 0;
  }

  private windowOf(caller: string, now: number): Window {
    const known = this.windows.get(caller);
    if (known !== undefined && known.endsAt > now) return known;
    const window = { endsAt: now + this.options.windowMs, count: 0 };
    // To the end of the order, which is the order of forgetting.
    this.windows.delete(caller);
    this.windows.set(caller, window);
    this.forget();
    return window;
  }

  private forget(): void {
    if (this.windows.size <= this.options.mostCallers) return;
    for (const caller of this.windows.keys()) {
      this.windows.delete(caller);
      return;
    }
  }
}

/** One caller of IPv6 has a whole /64 to come from. */
function callerOf(address: string | undefined): string {
  if (address === undefined) return '';
  const [plain = ''] = address.toLowerCase().split('%');
  if (!isIPv6(plain) || plain.startsWith('::ffff:')) return plain;
  const [head = ''] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  return [...groups, '0', '0', '0', '0'].slice(0, 4).join(':');
}
