import { decodeBase64, encodeBase64 } from './base64.js';
import type { NoteSigner, NoteVerifier } from './note-key.js';
import { isKeyName, isNoteText, MAX_NOTE_LENGTH } from './note-text.js';
import { NoteError } from './tlog.errors.js';

/** A note that at least one known key signed. */
export interface OpenedNote {
  /** What was signed, up to and with its last line feed. */
  readonly text: string;
  /** Known keys that signed, each once, in the order of their signatures. */
  readonly signedBy: readonly NoteVerifier[];
  /** Signatures by keys that are not known here. They say nothing. */
  readonly unverified: readonly { name: string; keyId: number }[];
}

interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  readonly bytes: Uint8Array;
}

/** Each known signature costs a verification, so their number has an end; the specification asks for 16 at least. */
const MAX_SIGNATURES = 100;
const SIGNATURE_PREFIX = '— ';
const KEY_ID_LENGTH = 4;

/**
 * Signs a text, which ends with a line feed (c2sp.org/signed-note).
 *
 * @returns the note: text, an empty line, one line for each signer
 * @throws {@link NoteError} for a text or signers that do not make a note
 */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n') || !isNoteText(text))
    throw new NoteError(
      'malformed_note',
      'The text of a note ends with a line feed, and has no other control character.',
    );
  if (signers.length === 0 || signers.length > MAX_SIGNATURES)
    throw new NoteError('malformed_note', `A note has 1 to ${MAX_SIGNATURES} signatures.`);
  if (new Set(signers.map(keyOf)).size !== signers.length)
    throw new NoteError('ambiguous_key', 'Two signers of the note have the same name and key ID.');
  const note = `${text}\n${signers.map((signer) => signatureLine(text, signer)).join('')}`;
  if (note.length > MAX_NOTE_LENGTH) throw malformedNote();
  return note;
}

/**
 * Opens a note, whoever it comes from: every signature by a known key is verified, those by unknown keys are listed.
 *
 * @param verifiers the keys that are trusted
 * @throws {@link NoteError} `malformed_note`; `unknown_signer` when no known key signed; `bad_signature` when one that bears
 *   a known key's name and ID is not by it; `ambiguous_key`
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  const known = knownKeys(verifiers);
  const signedBy = new Set<NoteVerifier>();
  const unverified = new Map<string, { name: string; keyId: number }>();
  for (const signature of signatures) {
    const verifier = known.get(keyOf(signature));
    if (verifier === undefined) {
      unverified.set(keyOf(signature), { name: signature.name, keyId: signature.keyId });
      continue;
    }
    if (!verifier.verify(text, signature.bytes))
      throw new NoteError(
        'bad_signature',
        `The signature in the name of ${verifier.name} is not by its key.`,
      );
    signedBy.add(verifier);
  }
  if (signedBy.size === 0) throw new NoteError('unknown_signer', 'No known key signed the note.');
  return { text, signedBy: [...signedBy], unverified: [...unverified.values()] };
}

/**
 * The parts of a note, nothing verified.
 *
 * @throws {@link NoteError} `malformed_note`
 */
export function parseNote(note: string): { text: string; signatures: readonly NoteSignature[] } {
  if (note.length > MAX_NOTE_LENGTH || !isNoteText(note)) throw malformedNote();
  const blank = note.lastIndexOf('\n\n');
  if (blank < 0 || !note.endsWith('\n')) throw malformedNote();
  // One more than is allowed is enough to know that there are too many.
  const lines = note.slice(blank + 2, -1).split('\n', MAX_SIGNATURES + 1);
  if (lines.length > MAX_SIGNATURES) throw malformedNote();
  return { text: note.slice(0, blank + 1), signatures: lines.map(parseSignature) };
}

/** `— name base64(key ID ‖ signature)` */
function parseSignature(line: string): NoteSignature {
  if (!line.startsWith(SIGNATURE_PREFIX)) throw malformedNote();
  const [name = '', encoded = '', ...rest] = line.slice(SIGNATURE_PREFIX.length).split(' ', 3);
  const bytes = decodeBase64(encoded);
  if (!isKeyName(name) || rest.length > 0 || bytes === undefined || bytes.length <= KEY_ID_LENGTH)
    throw malformedNote();
  const keyId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return { name, keyId, bytes: bytes.subarray(KEY_ID_LENGTH) };
}

function signatureLine(text: string, signer: NoteSigner): string {
  if (!isKeyName(signer.name))
    throw new NoteError('malformed_key', 'The name of a signer is empty, or has a space or a plus.');
  const signature = signer.sign(text);
  const bytes = new Uint8Array(KEY_ID_LENGTH + signature.length);
  new DataView(bytes.buffer).setUint32(0, signer.keyId);
  bytes.set(signature, KEY_ID_LENGTH);
  return `${SIGNATURE_PREFIX}${signer.name} ${encodeBase64(bytes)}\n`;
}

function knownKeys(verifiers: readonly NoteVerifier[]): ReadonlyMap<string, NoteVerifier> {
  const known = new Map<string, NoteVerifier>();
  for (const verifier of new Set(verifiers)) {
    if (known.has(keyOf(verifier)))
      throw new NoteError(
        'ambiguous_key',
        `Two known keys have the name ${verifier.name} and the same key ID: list each key once.`,
      );
    known.set(keyOf(verifier), verifier);
  }
  return known;
}

function keyOf({ name, keyId }: { name: string; keyId: number }): string {
  return `${name}+${keyId}`;
}

function malformedNote(): NoteError {
  return new NoteError('malformed_note', 'This is not a signed note (c2sp.org/signed-note).');
}
