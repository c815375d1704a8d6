/** Why nothing was done to a key. */
export const KEY_REFUSALS = {
  invalid: { status: 400, sentence: 'The request is not valid.' },
  too_wide: { status: 403, sentence: 'A key reaches no further than its issuer.' },
  unknown: { status: 404, sentence: 'There is no such key.' },
  conflict: { status: 409, sentence: 'The key has ended, or was rotated already.' },
  unavailable: { status: 503, sentence: 'Nothing was changed: a store cannot be reached. Try again later.' },
} as const;

export type KeyRefusalReason = keyof typeof KEY_REFUSALS;

/** A change of keys that was refused or could not be made. Holds no part of a key. */
export class ApiKeyRefused extends Error {
  override readonly name = 'ApiKeyRefused';
  readonly status: number;

  constructor(
    readonly reason: KeyRefusalReason,
    /** What exactly is wrong, for who may know it. */
    readonly issues: readonly string[] = [],
  ) {
    super([KEY_REFUSALS[reason].sentence, ...issues.map((issue) => `${issue}.`)].join(' '));
    this.status = KEY_REFUSALS[reason].status;
  }
}
