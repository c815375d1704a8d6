import { open } from 'node:fs/promises';

/** A note is a few hundred bytes. */
const LONGEST_NOTE_BYTES = 64 * 1024;

/** The text of a file; `undefined` when there is none. Refuses what is far too long for a note. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    if (size > LONGEST_NOTE_BYTES) throw new RangeError(`${path} is too long for a checkpoint.`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
