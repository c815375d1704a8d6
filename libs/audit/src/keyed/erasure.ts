import { uuidV7, type AdministrationEvent, type AuditTrail, type ServerIdentity } from '@sallyport/mcp';
import type { Store } from '@sallyport/store';

import { boundedText } from '../safe-text.js';
import type { PersonKeys } from './person-keys.js';
import type { Person } from './person.js';

/** Who erases, from where, and why. */
export interface ErasureAuthor extends Pick<AdministrationEvent, 'via' | 'address' | 'actor'> {
  /** Stands in the record of the erasure, in the clear: it should name nobody. */
  readonly reason: string;
}

/** No record names this person, in this tenant and of this issuer, that could still be read. */
export class NothingToEraseError extends Error {
  override readonly name = 'NothingToEraseError';
  readonly code = 'nothing_to_erase';

  constructor() {
    super(
      'No record that can still be read names this person: compare tenant, issuer and user with `sallyport audit list`.',
    );
  }
}

const LONGEST_REASON = 512;

/** Makes what the records say of a person unreadable for everybody, without touching a record. */
export class AuditErasure {
  constructor(
    private readonly keys: PersonKeys,
    private readonly trail: AuditTrail,
    private readonly server: ServerIdentity,
  ) {}

  /**
   * Destroys the keys of a person within a tenant, after it was recorded that this is done: by the ids of the keys, not by
   * the name. In force here when it resolves, and within a second in other processes. Who calls again gets a new key.
   *
   * @param as where the server may not destroy keys: the same tables as a role that may
   * @returns the ids, which stay in the records as `person`
   * @throws {NothingToEraseError} when there are none; and whatever recording or the store throws: then nothing is erased
   */
  async erase(
    person: Required<Pick<Person, 'issuer' | 'subject'>> & Person,
    author: ErasureAuthor,
    as?: Store,
  ) {
    const ids = await this.keys.idsOf(person);
    if (ids.length === 0) throw new NothingToEraseError();
    await this.trail.record(this.event(ids, person, author));
    try {
      await this.keys.destroy(ids, as);
    } catch (error) {
      await this.trail.record({ ...this.event(ids, person, author), reason: 'store_unavailable' });
      throw error;
    }
    return ids;
  }

  private event(
    ids: readonly string[],
    { tenant }: Person,
    { via, address, actor, reason }: ErasureAuthor,
  ): AdministrationEvent {
    return {
      kind: 'administration',
      id: uuidV7(),
      at: new Date(),
      server: this.server,
      via,
      address,
      actor,
      action: 'audit.erased',
      target: ids.join(' '),
      details: {
        why: boundedText(reason, LONGEST_REASON),
        ...(tenant === undefined ? {} : { tenant }),
      },
    };
  }
}
