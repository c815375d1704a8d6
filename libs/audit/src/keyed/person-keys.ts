import { randomBytes } from 'node:crypto';
import { BoundedMap } from '@sallyport/mcp';
import type { Store } from '@sallyport/store';
import { In, IsNull, Not } from 'typeorm';

import { AuditKey } from './audit-key.entity.js';
import { CLEAR_WRAPPING, secretWrapping, type KeyWrapping } from './key-wrapping.js';
import { PersonKey } from './person-key.js';
import { namesOf, personText, type Person } from './person.js';
import { boundedText } from '../safe-text.js';

/** How long an erasure by another process may go unnoticed here. */
const NOTICE_MS = 1000;
const MOST_KNOWN = 10_000;
const LONGEST_TENANT = 256;
/** A person may be erased between the moment their key is made and the moment it is read. */
const MOST_TRIES = 3;

export interface KeySecrets {
  /** Wraps every key from now on. */
  readonly secret?: string | undefined;
  /** Open what was wrapped before. */
  readonly previousSecrets?: readonly string[] | undefined;
}

/** Keys at hand, for the record of one event. */
export type KeyRing = (person: Person) => PersonKey;

/** The keys of people: made when they are first recorded, kept in the database, remembered for a moment. */
export class PersonKeys {
  private readonly current: KeyWrapping;
  private readonly wrappings: ReadonlyMap<string | null, KeyWrapping>;
  private known = new BoundedMap<PersonKey>(MOST_KNOWN);
  private readonly underWay = new Map<string, Promise<PersonKey>>();
  /** Goes up whenever all that is known is forgotten: what was read before is not remembered after. */
  private generation = 0;
  private erasures: number | undefined;
  private noticed = Number.NEGATIVE_INFINITY;
  private noticing: Promise<void> | undefined;

  constructor(
    private readonly store: Store,
    { secret, previousSecrets = [] }: KeySecrets,
  ) {
    this.current = secret === undefined ? CLEAR_WRAPPING : secretWrapping(secret);
    const all = [this.current, ...previousSecrets.map(secretWrapping), CLEAR_WRAPPING];
    this.wrappings = new Map(all.map((wrapping) => [wrapping.id, wrapping]));
  }

  /** The keys of these people, when all of them are remembered and may still be used: without any waiting. */
  atHand(people: readonly Person[]): KeyRing | undefined {
    if (performance.now() - this.noticed > NOTICE_MS) return undefined;
    const keys = new Map<string, PersonKey>();
    for (const person of people) {
      const text = personText(person);
      const key = this.known.get(text);
      if (key === undefined) return undefined;
      keys.set(text, key);
    }
    return ringOf(keys);
  }

  /** The keys of these people; makes those that are missing. Rejects with the error of the driver. */
  async ring(people: readonly Person[]): Promise<KeyRing> {
    if (performance.now() - this.noticed > NOTICE_MS) await this.noticeErasures();
    const keys = new Map<string, PersonKey>();
    for (const person of people) {
      const text = personText(person);
      keys.set(text, this.known.get(text) ?? (await this.load(text, person)));
    }
    return ringOf(keys);
  }

  /**
   * The keys with these ids that are still there, read anew. An id that is missing was erased; one that is `undefined`
   * cannot be opened with the secrets of this server.
   */
  async withIds(ids: readonly string[]): Promise<ReadonlyMap<string, PersonKey | undefined>> {
    if (ids.length === 0) return new Map();
    const rows = await this.store.run((manager) =>
      manager.findBy(AuditKey, { id: In([...ids]), key: Not(IsNull()) }),
    );
    return new Map(rows.map((row) => [row.id, this.opened(row)]));
  }

  /** Under which ids the records of people with this subject stand, in whichever tenant and of whichever issuer. */
  async idsOfSubject(subject: string): Promise<string[]> {
    const rows = await this.store.run((manager) =>
      manager.find(AuditKey, {
        select: { id: true },
        where: { subjectLookup: In(this.lookups('subject', subjectText(subject))) },
      }),
    );
    return rows.map(({ id }) => id);
  }

  /** Ids of all keys of this person, by every name and under every secret. */
  async idsOf(person: Person): Promise<string[]> {
    const lookups = namesOf(person).flatMap((name) => this.lookups('person', personText(name)));
    const rows = await this.store.run((manager) =>
      manager.find(AuditKey, { select: { id: true }, where: { lookup: In(lookups) } }),
    );
    return rows.map(({ id }) => id);
  }

  /**
   * Destroys these keys: here at once, elsewhere they are forgotten within a second.
   *
   * @param as the same tables, as a role that may do this where the server may not
   */
  async destroy(ids: readonly string[], as: Store = this.store): Promise<void> {
    const nothing = { key: null, lookup: null, subjectLookup: null, erasedAt: Date.now() };
    await as.run((manager) => manager.update(AuditKey, { id: In([...ids]) }, nothing));
    this.forget();
  }

  /** How many keys cannot be opened, because the secret they were wrapped with is not among those given. */
  async countUnopenable(): Promise<number> {
    const ids = [...this.wrappings.keys()].filter((id) => id !== null);
    const wrapping = Not(ids.length === 0 ? IsNull() : In(ids));
    return this.store.run((manager) => manager.countBy(AuditKey, { key: Not(IsNull()), wrapping }));
  }

  private lookups(kind: string, text: string): string[] {
    return [...this.wrappings.values()].map((wrapping) => wrapping.lookup(kind, text));
  }

  /** Whoever asks meanwhile waits for the same answer. */
  private load(text: string, person: Person): Promise<PersonKey> {
    return this.underWay.get(text) ?? this.startLoading(text, person);
  }

  private startLoading(text: string, person: Person): Promise<PersonKey> {
    const { generation } = this;
    const loading = this.findOrMake(text, person)
      .then((key) => {
        if (generation === this.generation) this.known.set(text, key);
        return key;
      })
      .finally(() => {
        if (this.underWay.get(text) === loading) this.underWay.delete(text);
      });
    this.underWay.set(text, loading);
    return loading;
  }

  private async findOrMake(text: string, person: Person): Promise<PersonKey> {
    const lookup = this.current.lookup('person', text);
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const row = await this.store.run((manager) => manager.findOneBy(AuditKey, { lookup }));
      if (row !== null && row.key !== null)
        return new PersonKey(row.id, this.current.unwrap(row.id, row.key));
      await this.make(lookup, person);
    }
    throw new Error('The key of a person is erased again and again.');
  }

  /** Of two processes that make one at once, the first is heard, and both read it. */
  private async make(lookup: string, { tenant, subject }: Person): Promise<void> {
    const id = randomBytes(16).toString('base64url');
    const row = {
      id,
      lookup,
      subjectLookup: subject === undefined ? null : this.current.lookup('subject', subjectText(subject)),
      tenant: tenant === undefined ? null : boundedText(tenant, LONGEST_TENANT),
      wrapping: this.current.id,
      key: this.current.wrap(id, randomBytes(32)),
      createdAt: Date.now(),
      erasedAt: null,
    };
    await this.store.run((manager) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(AuditKey)
        .values(row)
        .orIgnore()
        .updateEntity(false)
        .execute(),
    );
  }

  private opened({ id, key, wrapping }: AuditKey): PersonKey | undefined {
    if (key === null) return undefined;
    try {
      const secret = this.wrappings.get(wrapping)?.unwrap(id, key);
      return secret && new PersonKey(id, secret);
    } catch {
      // Changed by somebody, or wrapped with a secret that only looks like ours: a reader says that it cannot be read.
      return undefined;
    }
  }

  /** One question a second at most, however many ask. */
  private noticeErasures(): Promise<void> {
    this.noticing ??= this.countErasures().finally(() => {
      this.noticing = undefined;
    });
    return this.noticing;
  }

  private async countErasures(): Promise<void> {
    const asked = performance.now();
    const erasures = await this.store.run((manager) =>
      manager.countBy(AuditKey, { erasedAt: Not(IsNull()) }),
    );
    if (this.erasures !== erasures) this.forget();
    this.erasures = erasures;
    this.noticed = asked;
  }

  private forget(): void {
    this.generation += 1;
    this.known = new BoundedMap(MOST_KNOWN);
    this.underWay.clear();
  }
}

function ringOf(keys: ReadonlyMap<string, PersonKey>): KeyRing {
  return (person) => {
    const key = keys.get(personText(person));
    if (key !== undefined) return key;
    throw new Error('The key of this person is not at hand.');
  };
}

/** As {@link personText}: well formed, whatever the subject is. */
function subjectText(subject: string): string {
  return JSON.stringify(subject);
}
