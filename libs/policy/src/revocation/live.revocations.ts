import { Logger } from '@nestjs/common';
import { Revocations, type RevocationView } from '@sallyport/mcp';
import type { RevocationRecord } from './revocation-record.entity.js';
import type { RevocationLog } from './revocation.log.js';
import { revocationView, targetKey, type RevocationTarget } from './revocation.js';

/** One thing that is revoked now. */
export interface ActiveRevocation extends RevocationTarget {
  readonly at: Date;
  readonly reason: string | null;
  readonly by: string;
}

/**
 * How many steps back each look reaches. PostgreSQL gives numbers when a statement starts and shows rows when it ends, so
 * a row may appear behind one with a higher number; it is never this far behind.
 */
const OVERLAP = 256;

/**
 * What is revoked now, by whichever process. Each call asks the database for news, one question for all calls that wait
 * at a time, so a revocation applies to the next call everywhere; a steady look beside it ends calls that are running.
 */
export class LiveRevocations extends Revocations {
  readonly #logger = new Logger('Sallyport');
  readonly #latest = new Map<string, RevocationRecord>();
  /** The steps of the overlap that are known already. */
  readonly #known = new Set<number>();
  readonly #listeners = new Set<(view: RevocationView) => void>();
  readonly #timer: NodeJS.Timeout;
  #newest = 0;
  #view: RevocationView = revocationView([]);
  #looking: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** @param lookEveryMs how soon running calls end that another process revoked; 1000 by default */
  constructor(
    private readonly log: Pick<RevocationLog, 'after' | 'countAfter'>,
    lookEveryMs = 1000,
  ) {
    super();
    this.#timer = setInterval(() => this.#lookInPassing(), lookEveryMs).unref();
  }

  async current(): Promise<RevocationView> {
    await this.#look();
    return this.#view;
  }

  onChange(listener: (view: RevocationView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Everything that is revoked now, oldest first. */
  async active(): Promise<ActiveRevocation[]> {
    await this.#look();
    return [...this.#latest.values()]
      .filter(({ action }) => action === 'revoke')
      .toSorted((a, b) => a.seq - b.seq)
      .map((record) => ({
        ...targetOf(record),
        at: new Date(record.at),
        reason: record.reason,
        by: record.by,
      }));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A look that is under way may have begun before the step one is asking for: whoever comes meanwhile waits for the next. */
  #look(): Promise<void> {
    if (this.#looking === undefined) return this.#start();
    this.#next ??= this.#looking.then(ignore, ignore).then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  #start(): Promise<void> {
    const look = this.#read().finally(() => {
      if (this.#looking === look) this.#looking = undefined;
    });
    this.#looking = look;
    return look;
  }

  async #read(): Promise<void> {
    const from = Math.max(0, this.#newest - OVERLAP);
    if ((await this.log.countAfter(from)) === this.#known.size) return;
    for (const step of await this.log.after(from)) this.#learn(step);
    for (const seq of this.#known) if (seq <= this.#newest - OVERLAP) this.#known.delete(seq);
    const revoked = [...this.#latest.values()].filter(({ action }) => action === 'revoke');
    this.#view = revocationView(revoked.map(targetOf));
    for (const listener of this.#listeners) listener(this.#view);
  }

  #learn(step: RevocationRecord): void {
    const key = targetKey(targetOf(step));
    const before = this.#latest.get(key);
    if (before === undefined || before.seq < step.seq) this.#latest.set(key, step);
    this.#known.add(step.seq);
    this.#newest = Math.max(this.#newest, step.seq);
  }

  /** Calls that come fail closed by themselves; for those that are running the next look will do. */
  #lookInPassing(): void {
    this.#look().catch(() => this.#logger.warn('What is revoked could not be looked up; trying again.'));
  }
}

function targetOf({ kind, value, issuer, tenant }: RevocationRecord): RevocationTarget {
  return { kind, value, ...(issuer === null ? {} : { issuer }), ...(tenant === null ? {} : { tenant }) };
}

function ignore(): void {
  // The failure is the business of whoever asked for that look.
}
