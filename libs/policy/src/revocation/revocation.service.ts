import { uuidV7, type AdministrationEvent, type AuditTrail, type ServerIdentity } from '@sallyport/mcp';
import type { LiveRevocations } from './live.revocations.js';
import type { RevocationLog } from './revocation.log.js';
import { isRevocable, targetKey, type RevocationTarget } from './revocation.js';

/** Who does it, from where, and why. */
export interface RevocationAuthor extends Pick<AdministrationEvent, 'via' | 'address' | 'actor'> {
  /** Shown beside the revocation: a subject, or a user of the operating system. */
  readonly by: string;
  readonly reason?: string | undefined;
}

/** What was asked for makes no sense; the message says what to write. */
export class RevocationInputError extends Error {
  override readonly name = 'RevocationInputError';
}

const LONGEST = 512;

/** Revokes and restores. What cannot be recorded does not happen. */
export class RevocationService {
  constructor(
    private readonly log: RevocationLog,
    private readonly live: LiveRevocations,
    private readonly trail: AuditTrail,
    private readonly server: ServerIdentity,
    private readonly knowsEntry: (name: string) => boolean,
  ) {}

  /** In force when this resolves: here at once, in other processes with their next call. */
  revoke(target: RevocationTarget, author: RevocationAuthor): Promise<void> {
    return this.#step('revoke', target, author);
  }

  /** Lifts the revocation of exactly this target. */
  restore(target: RevocationTarget, author: RevocationAuthor): Promise<void> {
    return this.#step('restore', target, author);
  }

  /** Somebody who may not revoke has tried to. */
  async recordRefusal({ via, address, actor, by }: RevocationAuthor, reason: string): Promise<void> {
    await this.trail.record({
      kind: 'administration',
      id: uuidV7(),
      at: new Date(),
      server: this.server,
      via,
      address,
      actor,
      action: 'revocation.added',
      target: '',
      reason,
      details: { by },
    });
  }

  async #step(
    action: 'revoke' | 'restore',
    target: RevocationTarget,
    author: RevocationAuthor,
  ): Promise<void> {
    const { kind, value, issuer, tenant } = checked(target);
    const { by, reason } = author;
    await this.#refuseNothing(action, target);
    await this.trail.record(this.#event(action, target, author));
    const step = {
      at: Date.now(),
      action,
      kind,
      value,
      issuer: issuer ?? null,
      tenant: tenant ?? null,
      reason: reason ?? null,
      by,
    };
    try {
      await this.log.append(step);
    } catch (error) {
      await this.trail.record({ ...this.#event(action, target, author), reason: 'store_unavailable' });
      throw error;
    }
    await this.live.current();
  }

  /** A change that would change nothing is a slip of the pen: whoever makes it should not believe that it worked. */
  async #refuseNothing(action: 'revoke' | 'restore', target: RevocationTarget): Promise<void> {
    if (action === 'revoke' && target.kind === 'entry' && !this.knowsEntry(target.value)) {
      throw new RevocationInputError(`There is no tool, resource or prompt named ${target.value}.`);
    }
    if (action === 'revoke') return;
    const active = await this.live.active();
    if (active.some((one) => targetKey(one) === targetKey(target))) return;
    throw new RevocationInputError('Exactly this is not revoked: see what is with `sallyport revocations`.');
  }

  #event(
    action: 'revoke' | 'restore',
    target: RevocationTarget,
    author: RevocationAuthor,
  ): AdministrationEvent {
    const { kind, value, issuer, tenant } = target;
    const { by, reason, via, address, actor } = author;
    return {
      kind: 'administration',
      id: uuidV7(),
      at: new Date(),
      server: this.server,
      via,
      address,
      actor,
      action: action === 'revoke' ? 'revocation.added' : 'revocation.lifted',
      target: `${kind} ${value}`,
      ...(kind === 'user' ? { about: personOf(target) } : {}),
      details: {
        by,
        ...(issuer === undefined ? {} : { issuer }),
        ...(tenant === undefined ? {} : { tenant }),
        ...(reason === undefined ? {} : { why: reason }),
      },
    };
  }
}

/** A user, as far as they are named. */
function personOf({ value, issuer, tenant }: RevocationTarget): NonNullable<AdministrationEvent['about']> {
  return {
    subject: value,
    ...(issuer === undefined ? {} : { issuer }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

/** What an issuer narrows. */
const OF_AN_ISSUER: ReadonlySet<string> = new Set(['token', 'user']);

function checked(target: RevocationTarget): RevocationTarget {
  const { kind, value, issuer, tenant } = target;
  if (!isRevocable(kind))
    throw new RevocationInputError('Say what to revoke: token, key, user, client, tenant or entry.');
  if (issuer !== undefined && !OF_AN_ISSUER.has(kind)) {
    throw new RevocationInputError(
      `A ${kind} is not of an issuer: leave it out. Tokens and users may be narrowed to one.`,
    );
  }
  for (const text of [value, issuer ?? 'none', tenant ?? 'none']) {
    if (text === '' || text.length > LONGEST || /\p{Cc}/u.test(text) || !text.isWellFormed()) {
      throw new RevocationInputError(`Write 1 to ${LONGEST} characters, without control characters.`);
    }
  }
  return target;
}
