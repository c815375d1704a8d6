import { errorCodeOf } from '@sallyport/store';

import { withFileLock } from './file-lock.js';
import { readIfPresent } from './read-if-present.js';
import { writeFileAtomically } from './write-file-atomically.js';

/** What the signer signed last, kept outside of the database: a note, as it was signed. */
export interface SignerState {
  /** For messages. */
  readonly name: string;
  read(): Promise<string | undefined>;
  /** Writes the note where `before` still stands, so that of two signers none takes back what the other remembers. */
  replace(before: string | undefined, note: string): Promise<boolean>;
}

/** A file, written whole or not at all and durable before it counts as written. */
export function stateFile(path: string): SignerState {
  const name = `the signer's state ${path}`;
  const read = () =>
    readIfPresent(path).catch((error: unknown) => Promise.reject(unusable('read', path, error)));
  const write = (note: string) =>
    writeFileAtomically(path, note).catch((error: unknown) =>
      Promise.reject(unusable('written', path, error)),
    );
  return {
    name,
    read,
    replace: (before, note) =>
      withFileLock(path, async (isHeld) => {
        if ((await read()) !== before || !(await isHeld())) return false;
        await write(note);
        return true;
      }),
  };
}

/** A bare `EISDIR` helps nobody. */
function unusable(what: 'read' | 'written', path: string, error: unknown): Error {
  const code = errorCodeOf(error) ?? 'it is no checkpoint';
  return new Error(
    `The signer's state ${path} cannot be ${what} (${code}). It is a file that the server owns: correct audit.log.state, or what stands there.`,
    { cause: error },
  );
}
