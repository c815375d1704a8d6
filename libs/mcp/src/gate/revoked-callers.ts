import { BoundedMap } from '../bounded-map.js';
import type { Principal } from '../principal.js';
import { principalKey } from '../principal-key.js';
import type { Noted } from './failed-authentications.js';

const WINDOW_MS = 60_000;
const MOST_CALLERS = 10_000;

/** Makes a record; whether it is durable. */
type Recording = () => Promise<boolean>;

/** Sees to it that each revoked caller who comes is recorded by name once a minute at least. */
export class RevokedCallers {
  readonly #named = new BoundedMap<number>(MOST_CALLERS);

  constructor(private readonly clock: () => number = Date.now) {}

  /**
   * Lets `note` record this caller by name, or count them. When they were only counted, and have no record of this minute,
   * they are recorded all the same.
   */
  async named(
    principal: Principal,
    record: Recording,
    note: (byName: Recording) => Promise<Noted>,
  ): Promise<Noted> {
    const byName: Recording = () => this.#record(principal, record);
    const noted = await note(byName);
    if (noted === 'unrecorded' || this.#isNamed(principal)) return noted;
    return (await byName()) ? noted : 'unrecorded';
  }

  #isNamed(principal: Principal): boolean {
    const at = this.#named.get(principalKey(principal));
    return at !== undefined && this.clock() - at < WINDOW_MS;
  }

  /** Others of this caller need no record of theirs while this one is made; they do when it could not be. */
  async #record(principal: Principal, record: Recording): Promise<boolean> {
    const name = principalKey(principal);
    this.#named.set(name, this.clock());
    const isRecorded = await record();
    if (!isRecorded) this.#named.delete(name);
    return isRecorded;
  }
}
