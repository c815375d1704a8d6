import { readIfPresent } from './read-if-present.js';
import { writeFileAtomically } from './write-file-atomically.js';

/** What the signer signed last, kept outside of the database: a note, as it was signed. */
export interface SignerState {
  /** For messages. */
  readonly name: string;
  read(): Promise<string | undefined>;
  write(note: string): Promise<void>;
}

/** A file, written whole or not at all and durable before it counts as written. */
export function stateFile(path: string): SignerState {
  return {
    name: `the signer's state ${path}`,
    read: () => readIfPresent(path),
    write: (note) => writeFileAtomically(path, note),
  };
}
