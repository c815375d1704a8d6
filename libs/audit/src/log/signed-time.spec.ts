import {
  formatCheckpoint,
  generateNoteKey,
  noteSigner,
  noteVerifier,
  openNote,
  signNote,
} from '@sallyport/tlog';

import { LogKeys } from './log-keys.js';
import { timeSigner } from './signed-time.js';

const NAME = 'audit.test/log';
const key = generateNoteKey(NAME);
const signer = noteSigner(key.signerKey);
const at = Date.UTC(2026, 10, 21, 9, 30);
const text = formatCheckpoint({ origin: NAME, size: 3, root: new Uint8Array(32) });
const note = signNote(text, [signer, timeSigner(signer, () => at + 999)]);

describe('the time beside a checkpoint', () => {
  it('is signed by the same key, exact to a second', () => {
    expect(new LogKeys(NAME, [key.verifierKey]).open(note)).toMatchObject({
      size: 3,
      signedAt: at,
      keys: [key.verifierKey],
    });
  });

  it('is ignored by a verifier that does not know of it', () => {
    const { signedBy, unverified } = openNote(note, [noteVerifier(key.verifierKey)]);
    expect(signedBy).toHaveLength(1);
    expect(unverified).toHaveLength(1);
  });

  it('cannot be changed, and cannot stand alone', () => {
    const keys = new LogKeys(NAME, [key.verifierKey]);
    const [body = '', plain = '', timed = ''] = /^([^]*\n\n)(.*\n)(.*\n)$/.exec(note)?.slice(1) ?? [];
    const encoded = timed.split(' ')[2] ?? '';
    const bytes = Buffer.from(encoded, 'base64');
    bytes.writeUInt8((bytes.at(11) ?? 0) ^ 1, 11);
    expect(() => keys.open(body + plain + timed.replace(encoded, `${bytes.toString('base64')}\n`))).toThrow();
    expect(() => keys.open(body + timed)).toThrow('No known key');
    expect(keys.open(body + plain).signedAt).toBeUndefined();
  });

  it('belongs to one log: a checkpoint of another origin is refused, and so is another key', () => {
    const other = formatCheckpoint({ origin: 'audit.test/other', size: 3, root: new Uint8Array(32) });
    expect(() => new LogKeys(NAME, [key.verifierKey]).open(signNote(other, [signer]))).toThrow('another log');
    expect(() => new LogKeys(NAME, [generateNoteKey(NAME).verifierKey]).open(note)).toThrow();
  });
});
