import { decodeBase64, encodeBase64 } from './base64.js';
import { checkHash, EMPTY_ROOT, isHash, sameHash, type Hash } from './hash.js';
import { isNoteText, MAX_NOTE_LENGTH } from './note-text.js';
import { checkSize, parseDecimal } from './numbers.js';
import { TlogError } from './tlog.errors.js';

/** Head of a log at one size (c2sp.org/tlog-checkpoint). */
export interface Checkpoint {
  /** Which log: a URL without a scheme, such as `audit.acme.example/log`. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: number;
  /** RFC 6962 root of the tree of that size. */
  readonly root: Hash;
  /** Further lines, which nobody audits; better none. */
  readonly extensions: readonly string[];
}

/**
 * Text of a checkpoint, to be signed with `signNote`.
 *
 * @example
 * signNote(formatCheckpoint({ origin: 'audit.acme.example/log', size: tree.size, root: tree.root() }), [signer]);
 *
 * @throws {@link TlogError} for what makes no checkpoint
 */
export function formatCheckpoint(
  checkpoint: Omit<Checkpoint, 'extensions'> & { extensions?: readonly string[] },
): string {
  const { origin, size, root, extensions = [] } = checkpoint;
  checkSize(size);
  checkHash(root);
  checkRoot(size, root);
  if (![origin, ...extensions].every(isLine))
    throw malformed('The origin and each extension of a checkpoint is one line that is not empty.');
  return [origin, String(size), encodeBase64(root), ...extensions, ''].join('\n');
}

/**
 * Reads the text of a checkpoint: `openNote(note, verifiers).text`. A text that nobody signed says nothing.
 *
 * @throws {@link TlogError} `malformed_checkpoint` for anything that `formatCheckpoint` does not write
 */
export function parseCheckpoint(text: string): Checkpoint {
  if (text.length > MAX_NOTE_LENGTH) throw malformed('The checkpoint is too long.');
  if (!text.endsWith('\n')) throw malformed('A checkpoint ends with a line feed.');
  const [origin, decimal, encoded, ...extensions] = text.slice(0, -1).split('\n');
  if (origin === undefined || decimal === undefined || encoded === undefined)
    throw malformed('A checkpoint has three lines: origin, size, root.');
  if (![origin, ...extensions].every(isLine))
    throw malformed('A checkpoint has no empty line and no control character.');
  const size = parseDecimal(decimal);
  if (size === undefined) throw malformed('The size of a checkpoint is a decimal from 0 to 2^53 − 1.');
  const root = decodeBase64(encoded);
  if (!isHash(root)) throw malformed('The root of a checkpoint is 32 bytes in base 64.');
  checkRoot(size, root);
  return { origin, size, root, extensions };
}

/** There is only one tree without leaves. */
function checkRoot(size: number, root: Hash): void {
  if (size === 0 && !sameHash(root, EMPTY_ROOT))
    throw malformed('The root of the tree without leaves is the SHA-256 of nothing.');
}

function isLine(line: string): boolean {
  return line !== '' && !line.includes('\n') && isNoteText(line);
}

function malformed(message: string): TlogError {
  return new TlogError('malformed_checkpoint', message);
}
