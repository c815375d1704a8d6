import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { BoundedMap } from '@sallyport/mcp';
import { deepFreeze } from '../deep-freeze.js';
import { FetchFailed } from '../jwt/fetch-json.js';
import { IssuerUnavailable } from '../refusals.js';
import type { Introspected } from './introspected-claims.js';

export interface LookUpBounds {
  readonly cacheSeconds: number;
  readonly maxLookUps: number;
}

/** An unknown token is not asked for again within this, or within `cacheSeconds` when that is less. */
const INACTIVE_SECONDS = 5;
/** Answers that are kept, of either kind. Apart, so that no flood of unknown tokens drives out the good ones. */
const MOST_ANSWERS = 10_000;
const WARN_EVERY_MS = 10_000;

interface Answer {
  /** `undefined`: the token is not active. */
  readonly token: Introspected | undefined;
  /** When it was asked for: what the issuer revoked later is not in it. */
  readonly at: number;
}

/**
 * What an issuer said of tokens, kept by the SHA-256 of a token for a bounded time. However many requests wait for the same
 * token, the issuer is asked once; and for so many tokens at a time, at most. A network failure is never kept.
 *
 * Beyond that number a token is answered `unavailable`, and not put in a queue: a flood of random tokens would fill every
 * queue, and the good ones would wait behind it. Tokens with an answer are not affected, and one address alone never takes
 * up the room, as the gate lets few of one that failed often be judged at a time.
 */
export class IntrospectedTokens {
  private readonly logger = new Logger('Identity');
  private readonly active = new BoundedMap<Answer>(MOST_ANSWERS);
  private readonly inactive = new BoundedMap<Answer>(MOST_ANSWERS);
  private readonly pending = new Map<string, Promise<Introspected | undefined>>();
  private warnedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly issuer: string,
    private readonly ask: (token: string) => Promise<Introspected | undefined>,
    private readonly bounds: LookUpBounds,
    private readonly clock: () => number,
  ) {}

  /**
   * What the issuer says, or said lately; `undefined`: the token is not active.
   *
   * @throws {@link IssuerUnavailable} when there is no answer, or too many are being waited for
   */
  async find(token: string): Promise<Introspected | undefined> {
    const digest = hash('sha256', token, 'base64url');
    const known = this.known(digest);
    if (known !== undefined) return known.token;
    const pending = this.pending.get(digest);
    if (pending !== undefined) return pending;
    if (this.pending.size >= this.bounds.maxLookUps) {
      this.warn(`${this.pending.size} tokens are being asked for already`);
      throw new IssuerUnavailable(this.issuer);
    }
    const looking = this.lookUp(token, digest).finally(() => this.pending.delete(digest));
    this.pending.set(digest, looking);
    return looking;
  }

  private known(digest: string): Answer | undefined {
    const { cacheSeconds } = this.bounds;
    return (
      this.younger(this.active.get(digest), cacheSeconds) ??
      this.younger(this.inactive.get(digest), Math.min(INACTIVE_SECONDS, cacheSeconds))
    );
  }

  private younger(answer: Answer | undefined, seconds: number): Answer | undefined {
    if (answer === undefined) return undefined;
    const age = this.clock() - answer.at;
    return age >= 0 && age < seconds * 1000 ? answer : undefined;
  }

  private async lookUp(token: string, digest: string): Promise<Introspected | undefined> {
    const at = this.clock();
    const answer = deepFreeze(await this.answerFor(token));
    this.active.delete(digest);
    this.inactive.delete(digest);
    const answers = answer === undefined ? this.inactive : this.active;
    if (this.bounds.cacheSeconds > 0) answers.set(digest, { token: answer, at });
    return answer;
  }

  private async answerFor(token: string): Promise<Introspected | undefined> {
    try {
      return await this.ask(token);
    } catch (error) {
      if (!(error instanceof FetchFailed)) throw error;
      this.warn(error.message);
      throw new IssuerUnavailable(this.issuer);
    }
  }

  /** An outage is said now and then, not with every call. */
  private warn(why: string): void {
    if (this.clock() - this.warnedAt < WARN_EVERY_MS) return;
    this.warnedAt = this.clock();
    this.logger.warn(`No introspection: ${why}.`);
  }
}
