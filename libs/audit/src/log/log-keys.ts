import { noteVerifier, openNote, parseCheckpoint, type Checkpoint, type NoteVerifier } from '@sallyport/tlog';

import { timeKeyId, TimeVerifier } from './signed-time.js';

/** A checkpoint that a known key signed. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly note: string;
  /** Verifier keys that signed it, of those that are known. */
  readonly keys: readonly string[];
  /** When, by the signature; milliseconds since the epoch, exact to a second. `undefined`: it does not say. */
  readonly signedAt: number | undefined;
}

interface KnownKey {
  readonly key: string;
  readonly verifier: NoteVerifier;
  readonly timeKeyId: number;
}

/** The keys whose checkpoints count: the one that signs now, and those before it. */
export class LogKeys {
  private readonly verifiers: readonly KnownKey[];

  /** @throws NoteError when a key cannot be read */
  constructor(
    readonly origin: string,
    readonly keys: readonly string[],
  ) {
    this.verifiers = [...new Set(keys)].map((key) => ({
      key,
      verifier: noteVerifier(key),
      timeKeyId: timeKeyId(key),
    }));
  }

  /** @throws NoteError, TlogError when no known key signed it, or it is no checkpoint of this log */
  open(note: string): OpenedCheckpoint {
    const times = this.verifiers.map((known) => new TimeVerifier(known.verifier, known.timeKeyId));
    const plain = this.verifiers.map(({ verifier }) => verifier);
    const { text, signedBy } = openNote(note, [...plain, ...times]);
    const keys = this.verifiers.filter(({ verifier }) => signedBy.includes(verifier)).map(({ key }) => key);
    if (keys.length === 0) throw new Error('No known key signed it.');
    const checkpoint = parseCheckpoint(text);
    if (checkpoint.origin !== this.origin) throw new Error('It is of another log.');
    const signedAt = times.find((time) => signedBy.includes(time))?.signedAt;
    return { ...checkpoint, note, keys, signedAt };
  }
}
