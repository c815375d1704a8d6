import type { AdministrationEvent } from '@sallyport/mcp';

/** Who ended a key: without an actor, whoever reported it. */
export type KeyEnder = Pick<AdministrationEvent, 'via' | 'address' | 'actor'>;

/**
 * Ends what still runs with a key that is being revoked. The row of the key alone refuses the next call; bound by the
 * umbrella to the revocations, which reach the calls of every process. Optional.
 */
export abstract class KeyEndings {
  /** Resolves when it is in force. Throwing stops the revocation, which can then be tried again. */
  abstract end(id: string, by: KeyEnder): Promise<void>;
}
