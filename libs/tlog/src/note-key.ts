import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { decodeBase64, encodeBase64 } from './base64.js';
import { isKeyName, MAX_NOTE_LENGTH } from './note-text.js';
import { NoteError } from './tlog.errors.js';

/** Signs notes with one key. */
export interface NoteSigner {
  readonly name: string;
  /** 32 bits that, with the name, say which key signed. */
  readonly keyId: number;
  /** Signature over the text in UTF-8, 64 bytes for Ed25519. */
  sign(text: string): Uint8Array;
  /** What whoever verifies needs: `name+hex+base64`. */
  readonly verifierKey: string;
}

/** Verifies the signatures of one key. */
export interface NoteVerifier {
  readonly name: string;
  /** 32 bits that, with the name, say which key signed. */
  readonly keyId: number;
  /** Is it this key's signature over the text in UTF-8? */
  verify(text: string, signature: Uint8Array): boolean;
}

/** Signature type identifier byte of Ed25519 (c2sp.org/signed-note, "Signature types"). */
const ED25519 = 0x01;
const KEY_LENGTH = 32;
const SIGNER_PREFIX = 'PRIVATE+KEY+';

/** What precedes the 32 bytes in DER: PKCS #8 for the private key, SubjectPublicKeyInfo for the public one (RFC 8410). */
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * A new Ed25519 key pair. The signer key is secret; its form (`PRIVATE+KEY+name+hex+base64`) is the one of Go's
 * `golang.org/x/mod/sumdb/note`, the verifier key's that of c2sp.org/signed-note.
 *
 * @param name a URL without a scheme, such as `audit.acme.example/log`: no spaces, no plus
 * @throws {@link NoteError} for a name that is none
 */
export function generateNoteKey(name: string): { signerKey: string; verifierKey: string } {
  if (!isKeyName(name))
    throw new NoteError('malformed_key', 'The name of a key is not empty, and has no space and no plus.');
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PRIVATE_DER.length);
  const publicKey = publicBytes(privateKey);
  const signerKey = `${SIGNER_PREFIX}${name}+${hex(keyIdOf(name, publicKey))}+${encodeKey(seed)}`;
  return { signerKey, verifierKey: verifierKeyOf(name, publicKey) };
}

/**
 * A signer from `PRIVATE+KEY+name+hex+base64`.
 *
 * @throws {@link NoteError} that never says the key
 */
export function noteSigner(signerKey: string): NoteSigner {
  if (!signerKey.startsWith(SIGNER_PREFIX)) throw malformedKey('signer');
  const { name, keyId, bytes: seed } = parseKey(signerKey.slice(SIGNER_PREFIX.length), 'signer');
  const privateKey = createPrivateKey({
    key: Buffer.concat([PRIVATE_DER, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = publicBytes(privateKey);
  if (keyIdOf(name, publicKey) !== keyId) throw wrongKeyId('signer');
  return Object.freeze({
    name,
    keyId,
    verifierKey: verifierKeyOf(name, publicKey),
    sign: (text: string) => new Uint8Array(sign(null, Buffer.from(text), privateKey)),
  });
}

/**
 * A verifier from `name+hex+base64` (c2sp.org/signed-note, "Verifier keys"). Ed25519 only.
 *
 * @throws {@link NoteError}
 */
export function noteVerifier(verifierKey: string): NoteVerifier {
  const { name, keyId, bytes } = parseKey(verifierKey, 'verifier');
  if (keyIdOf(name, bytes) !== keyId) throw wrongKeyId('verifier');
  const publicKey = createPublicKey({
    key: Buffer.concat([PUBLIC_DER, bytes]),
    format: 'der',
    type: 'spki',
  });
  return Object.freeze({
    name,
    keyId,
    verify: (text: string, signature: Uint8Array) => verify(null, Buffer.from(text), publicKey, signature),
  });
}

type Role = 'signer' | 'verifier';

/** `name+hex+base64`; a plus in the base 64 belongs to it. */
function parseKey(key: string, role: Role): { name: string; keyId: number; bytes: Uint8Array } {
  if (key.length > MAX_NOTE_LENGTH) throw malformedKey(role);
  const [name = '', id = ''] = key.split('+', 2);
  const bytes = decodeBase64(key.slice(name.length + 1 + id.length + 1));
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(id) || bytes === undefined) throw malformedKey(role);
  if (bytes[0] !== ED25519)
    throw new NoteError(
      'malformed_key',
      `The ${role} key is not of type Ed25519 (0x01), the only one known here.`,
    );
  if (bytes.length !== 1 + KEY_LENGTH) throw malformedKey(role);
  return { name, keyId: Number.parseInt(id, 16), bytes: bytes.subarray(1) };
}

/** SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), the first four bytes (c2sp.org/signed-note, "Ed25519 signatures"). */
function keyIdOf(name: string, publicKey: Uint8Array): number {
  const hash = createHash('sha256').update(`${name}\n`).update(Uint8Array.of(ED25519)).update(publicKey);
  return hash.digest().readUInt32BE(0);
}

function verifierKeyOf(name: string, publicKey: Uint8Array): string {
  return `${name}+${hex(keyIdOf(name, publicKey))}+${encodeKey(publicKey)}`;
}

function encodeKey(key: Uint8Array): string {
  return encodeBase64(Uint8Array.of(ED25519, ...key));
}

function publicBytes(privateKey: KeyObject): Uint8Array {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return new Uint8Array(der.subarray(PUBLIC_DER.length));
}

function hex(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}

function malformedKey(role: Role): NoteError {
  const form = role === 'signer' ? 'PRIVATE+KEY+name+hex+base64' : 'name+hex+base64';
  return new NoteError('malformed_key', `The ${role} key does not have the form ${form}.`);
}

function wrongKeyId(role: Role): NoteError {
  return new NoteError('malformed_key', `The key ID in the ${role} key is not that of its name and key.`);
}
