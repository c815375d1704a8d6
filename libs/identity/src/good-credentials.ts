import { hash } from 'node:crypto';
import { BoundedMap, type Principal } from '@sallyport/mcp';

/** How many good credentials are remembered, and for how long an answer is given again. */
export interface TokenCacheOptions {
  /** Beyond, the one that was longest without use is forgotten. 0 to 1,000,000. Default 10,000. */
  readonly entries?: number | undefined;
  /**
   * Longest time from a verification to the last answer without a new one, 0 to 300. It ends earlier when the token
   * expires, or when the issuer changes its keys. 0 verifies every time. Default 60.
   */
  readonly seconds?: number | undefined;
}

/** A principal, and whether judging its credential again would still find it; asks nobody. */
export interface Kept {
  readonly principal: Principal;
  readonly isStillGood: (now: number) => boolean;
}

interface KeptSince extends Kept {
  readonly since: number;
}

/** It was good once, and has to be judged again. */
const ONCE = Symbol('once good');

/** Larger ones are rare, and many of them would hold much memory. */
const LONGEST_TOKEN = 8_192;

/**
 * Remembers which bearer tokens were good, by their SHA-256 and never by themselves. The digest is of the very spelling
 * that was verified, so no other string is ever answered in its place. Failures are not kept.
 *
 * What is kept is only that a token is genuine. Whether it, its user, client or tenant was revoked is asked with every
 * call behind this (the second gate), so that a revocation need not reach in here.
 */
export class GoodCredentials {
  private readonly known: BoundedMap<KeptSince | typeof ONCE>;
  private readonly milliseconds: number;

  /** @throws TypeError for bounds that are none */
  constructor({ entries = 10_000, seconds = 60 }: TokenCacheOptions = {}) {
    this.known = new BoundedMap(bounded('entries', entries, 1_000_000));
    this.milliseconds = bounded('seconds', seconds, 300) * 1000;
  }

  /** The principal of a token that was verified lately and would be again. */
  find(token: string, now: number): Principal | undefined {
    const digest = digestOf(token);
    const kept = this.known.get(digest);
    if (kept === undefined || kept === ONCE) return undefined;
    const age = now - kept.since;
    if (age >= 0 && age < this.milliseconds && kept.isStillGood(now)) return kept.principal;
    this.known.set(digest, ONCE);
    return undefined;
  }

  /** Was it ever good, as far as is remembered? It may have to be judged again. */
  remembers(token: string): boolean {
    return this.known.has(digestOf(token));
  }

  /** Takes note of a token that was verified at `now`; answers it again only if it is still good by itself. */
  keep(token: string, kept: Kept, now: number): void {
    const mayAnswer = this.milliseconds > 0 && token.length <= LONGEST_TOKEN && kept.isStillGood(now);
    this.known.set(digestOf(token), mayAnswer ? { ...kept, since: now } : ONCE);
  }

  /** It was judged again and is not good any more. */
  forget(token: string): void {
    this.known.delete(digestOf(token));
  }
}

function digestOf(token: string): string {
  return hash('sha256', token, 'base64url');
}

function bounded(name: string, value: number, most: number): number {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new TypeError(`tokenCache.${name} must be a whole number from 0 to ${most}.`);
  }
  return value;
}
