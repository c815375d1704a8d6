import { decodeBase64, encodeBase64 } from './base64.js';
import { parseCheckpoint, type Checkpoint } from './checkpoint.js';
import { checkHash, isHash, type Hash } from './hash.js';
import type { NoteVerifier } from './note-key.js';
import { openNote, parseNote } from './note.js';
import { MAX_NOTE_LENGTH } from './note-text.js';
import { checkSize, parseDecimal } from './numbers.js';
import { TlogError } from './tlog.errors.js';
import { verifyInclusion } from './verify.js';

/** That a leaf is in a log, for whoever has the log's public key and nothing else (c2sp.org/tlog-proof). */
export interface TlogProof {
  /** Number of the leaf, from 0. */
  readonly index: number;
  /** Inclusion proof, from the leaf's sibling up (RFC 6962 §2.1.1). */
  readonly hashes: readonly Hash[];
  /** The signed note. */
  readonly checkpoint: string;
  /** For the application. No signature covers it: never trust it. */
  readonly extra?: Uint8Array;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
/** Hashes of the longest proof in a tree of 2^53 − 1 leaves. */
const MAX_HASHES = 53;
const MAX_LENGTH = 2 * MAX_NOTE_LENGTH;

/**
 * Text of a `.tlog-proof` file.
 *
 * @throws {@link TlogError} for parts that make no proof
 */
export function formatTlogProof(proof: TlogProof): string {
  checkSize(proof.index);
  proof.hashes.forEach(checkHash);
  parseCheckpoint(parseNote(proof.checkpoint).text);
  const lines = [HEADER, `index ${proof.index}`, ...proof.hashes.map(encodeBase64), '', proof.checkpoint];
  // "If no extra data is present, this line is omitted."
  if (proof.extra !== undefined && proof.extra.length > 0)
    lines.splice(1, 0, `extra ${encodeBase64(proof.extra)}`);
  const text = lines.join('\n');
  if (text.length > MAX_LENGTH || proof.hashes.length > MAX_HASHES) throw malformed('The proof is too long.');
  return text;
}

/**
 * Reads a `.tlog-proof`. Its form is checked, also that of the checkpoint; nothing is verified.
 *
 * @throws {@link TlogError} for any text that `formatTlogProof` does not write
 */
export function parseTlogProof(text: string): TlogProof {
  if (text.length > MAX_LENGTH) throw malformed('The proof is too long.');
  const blank = text.indexOf('\n\n');
  if (blank < 0) throw malformed('A proof and its checkpoint are separated by an empty line.');
  const [header, ...lines] = text.slice(0, blank).split('\n', 3 + MAX_HASHES + 1);
  if (header !== HEADER) throw malformed(`The first line of a proof is "${HEADER}".`);
  const extra = parseExtra(lines[0]);
  const [index, ...hashes] = extra === undefined ? lines : lines.slice(1);
  const checkpoint = text.slice(blank + 2);
  parseCheckpoint(parseNote(checkpoint).text);
  return { index: parseIndex(index), hashes: parseHashes(hashes), checkpoint, ...(extra && { extra }) };
}

/**
 * Verifies a `.tlog-proof` offline, by the steps of c2sp.org/tlog-proof.
 *
 * @param leaf hash of the leaf, made by `leafHash` from the record that is said to be in the log; never one that came with
 *   the proof
 * @param verifiers keys of the log
 * @param origin name of the log; without it, the log must bear the name of a key that signed
 * @returns the checkpoint that the leaf is in
 * @throws {@link TlogError} whose code and message say which step failed: `malformed_…`, `unknown_signer`,
 *   `bad_signature`, `unaccepted_origin`, `not_included`
 */
export function verifyTlogProof(
  text: string,
  leaf: Hash,
  verifiers: readonly NoteVerifier[],
  origin?: string,
): Checkpoint {
  checkHash(leaf);
  const proof = parseTlogProof(text);
  const opened = openNote(proof.checkpoint, verifiers);
  const checkpoint = parseCheckpoint(opened.text);
  const accepted = origin === undefined ? opened.signedBy.map(({ name }) => name) : [origin];
  if (!accepted.includes(checkpoint.origin))
    throw new TlogError('unaccepted_origin', `The checkpoint is not of the log ${accepted.join(' or ')}.`);
  const { index, hashes } = proof;
  if (!verifyInclusion({ index, size: checkpoint.size, leaf, proof: hashes, root: checkpoint.root }))
    throw new TlogError(
      'not_included',
      'The proof does not lead from this leaf to the root of the signed checkpoint.',
    );
  return checkpoint;
}

function parseExtra(line: string | undefined): Uint8Array | undefined {
  if (line === undefined || !line.startsWith('extra ')) return undefined;
  const extra = decodeBase64(line.slice('extra '.length));
  if (extra === undefined || extra.length === 0) throw malformed('The extra data of a proof is base 64.');
  return extra;
}

function parseIndex(line: string | undefined): number {
  const index = line?.startsWith('index ') ? parseDecimal(line.slice('index '.length)) : undefined;
  if (index === undefined) throw malformed('A proof has a line "index", with a decimal from 0 to 2^53 − 1.');
  return index;
}

function parseHashes(lines: readonly string[]): Hash[] {
  if (lines.length > MAX_HASHES) throw malformed('The proof has too many hashes.');
  return lines.map((line) => {
    const hash = decodeBase64(line);
    if (!isHash(hash)) throw malformed('Each hash of a proof is 32 bytes in base 64.');
    return hash;
  });
}

function malformed(message: string): TlogError {
  return new TlogError('malformed_proof', message);
}
