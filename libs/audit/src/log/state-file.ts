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
  const read = () => saidWhole('read', path, readIfPresent(path));
  const replace = (before: string | undefined, note: string) =>
    withFileLock(path, async (isHeld) => {
      if ((await read()) !== before || !(await isHeld())) return false;
      await writeFileAtomically(path, note);
      return true;
    });
  return { name, read, replace: (before, note) => saidWhole('written', path, replace(before, note)) };
}

/** A bare `EISDIR` helps nobody. */
async function saidWhole<T>(what: 'read' | 'written', path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === undefined) throw error;
    throw new Error(
      `The signer's state ${path} cannot be ${what} (${code}). It is a file that the server owns: correct audit.log.state, or what stands there.`,
      { cause: error },
    );
  }
}
