import { NoteError } from '@sallyport/tlog';

import type { LogKeys, OpenedCheckpoint } from './log-keys.js';
import type { LogRows, StoredCheckpoint } from './log-rows.js';

/** The newest checkpoint of the database, and what stands above it. */
export interface NewestSigned {
  /** Signed by a known key. */
  readonly checkpoint: OpenedCheckpoint | undefined;
  /** The first row above it that names this log and was signed by a key that is not known here: a later key, or anybody. */
  readonly stranger: StoredCheckpoint | undefined;
  /** There are more rows above it than are looked at. */
  readonly isBuried: boolean;
}

/** Rows that nobody signed, of which one is looked past. A server adds none such. */
const MOST_PUT_IN = 1000;

/**
 * Whoever may add rows decides what stands in their columns, so a row counts for what the note in it says, when a known key
 * signed that. What is no note of this log at all is passed over.
 */
export async function newestSigned(rows: LogRows, keys: LogKeys): Promise<NewestSigned> {
  let stranger: StoredCheckpoint | undefined;
  let above: Pick<StoredCheckpoint, 'size' | 'at'> | undefined;
  for (const limit of [1, MOST_PUT_IN]) {
    const page = await rows.checkpointsBefore(above, limit);
    for (const row of page) {
      const checkpoint = openedRow(row, keys);
      if (checkpoint !== undefined) return { checkpoint, stranger, isBuried: false };
      if (isOfStranger(row, keys)) stranger ??= row;
    }
    above = page.at(-1);
    if (above === undefined || page.length < limit)
      return { checkpoint: undefined, stranger, isBuried: false };
  }
  return { checkpoint: undefined, stranger, isBuried: true };
}

/** What a known key signed; `undefined`: nothing, or of another size than its row says. */
export function openedRow({ size, note }: StoredCheckpoint, keys: LogKeys): OpenedCheckpoint | undefined {
  try {
    const checkpoint = keys.open(note);
    return checkpoint.size === size ? checkpoint : undefined;
  } catch {
    // Not signed by a known key: it says nothing.
    return undefined;
  }
}

/** It may be of a key that replaced ours on another server, and says nothing that could be told from that. */
function isOfStranger({ note }: StoredCheckpoint, keys: LogKeys): boolean {
  if (!note.startsWith(`${keys.origin}\n`)) return false;
  try {
    keys.open(note);
    return false;
  } catch (error) {
    return error instanceof NoteError && error.code === 'unknown_signer';
  }
}
