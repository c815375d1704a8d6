import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

import { SealedFileError } from './sealed-file.error.js';

const LINE_END = 0x0a;
const CHUNK_BYTES = 1024 * 1024;
/** Far longer than any record. */
const LONGEST_LINE_BYTES = 64 * CHUNK_BYTES;

/**
 * Gives the lines of a file to `onLine`, byte for byte and without their ends, and then the SHA-256 of the whole file in
 * hexadecimal. Split at line feeds alone: a canonical text may hold what else counts as the end of a line elsewhere.
 *
 * @throws SealedFileError when it does not end with a line; and what reading it throws
 */
export async function readLines(
  path: string,
  onLine: (line: Uint8Array, number: number) => Promise<void>,
): Promise<string> {
  const digest = createHash('sha256');
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('A stream without an encoding gives bytes.');
    digest.update(chunk);
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, start)) {
      await onLine(bytes.subarray(start, end), number);
      number += 1;
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > LONGEST_LINE_BYTES)
      throw new SealedFileError('One of its lines is too long for a record.');
  }
  if (rest.length > 0) throw new SealedFileError('It ends in the middle of a line.');
  return digest.digest('hex');
}
