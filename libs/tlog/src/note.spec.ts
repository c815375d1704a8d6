import fc from 'fast-check';
import {
  generateNoteKey,
  NoteError,
  noteSigner,
  noteVerifier,
  openNote,
  signNote,
  type NoteVerifier,
} from './index.js';
import { sha256 } from './tree.fixture.js';

/** The example of c2sp.org/signed-note. */
const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const EXAMPLE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

/** The examples of golang.org/x/mod/sumdb/note. The second key's seed is 32 zero bytes. */
const NEUMANN_SIGNER = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const NEUMANN_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const ENOCH_SIGNER = `PRIVATE+KEY+EnochRoot+af0cfe78+${Buffer.concat([Buffer.of(1), Buffer.alloc(32)]).toString('base64')}`;
const GO_TEXT = `If you think cryptography is the answer to your problem,
then you don't know what your problem is.
`;
const GO_NOTE = `${GO_TEXT}
— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=
`;

/** The poem of c2sp.org/signed-note, whose key is not published. Its text has an empty line. */
const POEM = `Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
`;

const ours = generateNoteKey('audit.acme.example/log');
const signer = noteSigner(ours.signerKey);
const verifier = noteVerifier(ours.verifierKey);
const stranger = noteSigner(generateNoteKey('witness.example').signerKey);
const code = (expected: string): Error => expect.objectContaining({ name: 'NoteError', code: expected });

it('opens the example of the specification', () => {
  const opened = openNote(EXAMPLE, [noteVerifier(EXAMPLE_KEY)]);
  expect(opened.text).toBe('This is an example message.\n');
  expect(opened.signedBy.map(({ name, keyId }) => [name, keyId])).toEqual([['example.com/foo', 0x530d903a]]);
  expect(opened.unverified).toEqual([]);
});

it('signs the examples of Go to the byte', () => {
  expect(signNote(GO_TEXT, [noteSigner(NEUMANN_SIGNER), noteSigner(ENOCH_SIGNER)])).toBe(GO_NOTE);
  expect(noteSigner(NEUMANN_SIGNER).verifierKey).toBe(NEUMANN_KEY);
});

it('opens the examples of Go, and lists the signer it does not know', () => {
  const opened = openNote(GO_NOTE, [noteVerifier(NEUMANN_KEY)]);
  expect(opened.text).toBe(GO_TEXT);
  expect(opened.signedBy.map(({ name }) => name)).toEqual(['PeterNeumann']);
  expect(opened.unverified).toEqual([{ name: 'EnochRoot', keyId: 0xaf0cfe78 }]);
});

it('takes the text up to the last empty line, and believes nobody it does not know', () => {
  expect(() => openNote(POEM, [verifier])).toThrow(code('unknown_signer'));
  expect(() => openNote(POEM, [])).toThrow(code('unknown_signer'));
});

it('opens what it signed, whatever the text', () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = [...lines, ''].join('\n') || '\n';
      const opened = openNote(signNote(text, [stranger, signer]), [verifier]);
      expect(opened.text).toBe(text);
      expect(opened.signedBy).toEqual([verifier]);
      expect(opened.unverified).toEqual([{ name: 'witness.example', keyId: stranger.keyId }]);
    }),
  );
});

it('refuses a note of which any character is another', () => {
  const note = signNote('one\ntwo\n', [signer]);
  fc.assert(
    fc.property(fc.nat(note.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, other) => {
      fc.pre(note[at] !== other);
      expect(() => openNote(note.slice(0, at) + other + note.slice(at + 1), [verifier])).toThrow(NoteError);
      expect(() => openNote(note.slice(0, at) + note.slice(at + 1), [verifier])).toThrow(NoteError);
      expect(() => openNote(note.slice(0, at), [verifier])).toThrow(NoteError);
    }),
  );
});

it('throws nothing but a NoteError for arbitrary notes and keys', () => {
  const token = fc.constantFrom(
    '— ',
    '—',
    '\n',
    '\n\n',
    ' ',
    '+',
    'PRIVATE+KEY+',
    'a',
    'AAAAAAA=',
    '530d903a',
    '\ud800',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join('')),
  );
  const refused = (act: () => unknown) => {
    try {
      act();
    } catch (error) {
      expect(error).toBeInstanceOf(NoteError);
    }
  };
  fc.assert(
    fc.property(text, (input) => {
      refused(() => openNote(input, [verifier]));
      refused(() => noteSigner(input));
      refused(() => noteVerifier(input));
      refused(() => signNote(input, [signer]));
      refused(() => generateNoteKey(input));
    }),
    { numRuns: 1000 },
  );
});

it('answers false for arbitrary signatures, and throws nothing for keys that are not on the curve', () => {
  const publicKeys = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), publicKeys, (signature, publicKey) => {
      expect(verifier.verify('text\n', signature)).toBe(false);
      const odd = noteVerifier(verifierKeyFor('x', publicKey));
      const padded = Uint8Array.of(...signature, ...new Uint8Array(64)).subarray(0, 64);
      expect(() => odd.verify('text\n', padded)).not.toThrow();
    }),
  );
});

const [text, empty, line] = signNote('text\n', [signer]).split('\n');
const base64 = line!.split(' ')[2]!;
const shortest = Buffer.from('00000000', 'hex').toString('base64');

it.each([
  ['nothing', ''],
  ['no signature', 'text\n'],
  ['no signature after the empty line', 'text\n\n'],
  ['no line feed at the end', `${text}\n${empty}\n${line}`],
  ['an empty line at the end', `${text}\n\n${line}\n\n`],
  ['text after the signatures', `${text}\n\n${line}\nmore\n`],
  ['no empty line', `${text}\n${line}\n`],
  ['CR LF', `${text}\r\n\r\n${line}\r\n`],
  ['a carriage return', `text\r\n\n${line}\n`],
  ['a tab', `te\txt\n\n${line}\n`],
  ['a NUL', `te\0xt\n\n${line}\n`],
  ['half a surrogate pair', `te\ud83dxt\n\n${line}\n`],
  ['a hyphen for the dash', `${text}\n\n${line!.replace('—', '-')}\n`],
  ['an en dash for the dash', `${text}\n\n${line!.replace('—', '–')}\n`],
  ['two spaces after the dash', `${text}\n\n${line!.replace('— ', '—  ')}\n`],
  ['a space after the signature', `${text}\n\n${line} \n`],
  ['two spaces before the signature', `${text}\n\n— ${signer.name}  ${base64}\n`],
  ['no name', `${text}\n\n— ${base64}\n`],
  ['a plus in the name', `${text}\n\n— a+b ${base64}\n`],
  ['a no-break space in the name', `${text}\n\n— a\u00a0b ${base64}\n`],
  ['a next-line character in the name', `${text}\n\n— a\u0085b ${base64}\n`],
  ['base 64 without its padding', `${text}\n\n— ${signer.name} ${base64.replace(/=+$/, '')}\n`],
  ['base 64 of the other alphabet', `${text}\n\n— ${signer.name} ${'-'.repeat(8)}\n`],
  ['base 64 with bits left over', `${text}\n\n— ${signer.name} AAAAAAB=\n`],
  ['a key ID and no signature', `${text}\n\n— ${signer.name} ${shortest}\n`],
  ['101 signatures', `${text}\n\n${`${line}\n`.repeat(101)}`],
  ['a million characters', `${'a'.repeat(1_000_000)}\n\n${line}\n`],
])('refuses a note with %s', (_, note) => {
  expect(() => openNote(note, [verifier])).toThrow(code('malformed_note'));
});

it('accepts a hundred signatures, which is more than the 16 that are asked for', () => {
  const signers = Array.from({ length: 99 }, (_, i) =>
    noteSigner(generateNoteKey(`w${i}.example`).signerKey),
  );
  expect(openNote(signNote('text\n', [...signers, signer]), [verifier]).unverified).toHaveLength(99);
});

it('refuses a note that bears the name of a known key, though another known key did sign it', () => {
  const other = noteVerifier(stranger.verifierKey);
  const elsewhere = signNote('elsewhere\n', [stranger]).split('\n')[2]!;
  const note = `${signNote('text\n', [signer])}${elsewhere}\n`;
  expect(openNote(note, [verifier]).signedBy).toEqual([verifier]);
  expect(() => openNote(note, [verifier, other])).toThrow(code('bad_signature'));
});

it('verifies every signature of a known key, not only its first', () => {
  const note = signNote('text\n', [signer]);
  const second = signNote('elsewhere\n', [signer]).split('\n')[2]!;
  expect(openNote(`${note}${line}\n`, [verifier]).signedBy).toEqual([verifier]);
  expect(() => openNote(`${note}${second}\n`, [verifier])).toThrow(code('bad_signature'));
});

it('knows a key by name and ID together', () => {
  const note = signNote('text\n', [signer]);
  const always = { verify: () => true };
  expect(() => openNote(note, [{ ...always, name: signer.name, keyId: 1 }])).toThrow(code('unknown_signer'));
  expect(() => openNote(note, [{ ...always, name: 'x', keyId: signer.keyId }])).toThrow(
    code('unknown_signer'),
  );
});

it('refuses two known keys that it could not tell apart, and takes one key twice as one', () => {
  const double: NoteVerifier = { name: verifier.name, keyId: verifier.keyId, verify: () => true };
  const note = signNote('text\n', [signer]);
  expect(() => openNote(note, [verifier, double])).toThrow(code('ambiguous_key'));
  expect(openNote(note, [verifier, verifier]).signedBy).toEqual([verifier]);
});

it.each<[string, string, (typeof signer)[]]>([
  ['no line feed at the end', 'text', [signer]],
  ['a carriage return', 'te\rxt\n', [signer]],
  ['half a surrogate pair', '\ud800\n', [signer]],
  ['nothing', '', [signer]],
  ['nobody to sign', 'text\n', []],
  ['one signer twice', 'text\n', [signer, signer]],
  ['too much text', `${'a'.repeat(1_000_000)}\n`, [signer]],
  ['a signer without a proper name', 'text\n', [{ ...signer, name: 'a b' }]],
])('does not sign a note with %s', (_, input, signers) => {
  expect(() => signNote(input, signers)).toThrow(NoteError);
});

const [name, id, key] = [EXAMPLE_KEY.split('+')[0]!, '530d903a', EXAMPLE_KEY.split('+')[2]!];

it.each([
  ['nothing', ''],
  ['no key', `${name}+${id}`],
  ['no name', `+${id}+${key}`],
  ['a space in the name', `exa mple+${id}+${key}`],
  ['a key ID in upper case', `${name}+530D903A+${key}`],
  ['a short key ID', `${name}+530d903+${key}`],
  ['the key ID of another key', `${name}+530d903b+${key}`],
  ['another name', `example.com/bar+${id}+${key}`],
  ['a line feed at the end', `${EXAMPLE_KEY}\n`],
  ['base 64 with bits left over', `${name}+${id}+${key.slice(0, -1)}l`],
  ['a key of 31 bytes', verifierKeyFor(name, new Uint8Array(31))],
  ['a key of 33 bytes', verifierKeyFor(name, new Uint8Array(33))],
  [
    'a cosignature key (type 0x04)',
    `${name}+${id}+${Buffer.concat([Buffer.of(4), Buffer.alloc(32)]).toString('base64')}`,
  ],
  ['a secret key', NEUMANN_SIGNER],
])('refuses a verifier key with %s', (_, verifierKey) => {
  expect(() => noteVerifier(verifierKey)).toThrow(code('malformed_key'));
});

it.each([
  ['nothing', ''],
  ['a verifier key', NEUMANN_KEY],
  ['the public key ID of another', NEUMANN_SIGNER.replace('c74f20a3', 'c74f20a4')],
  ['another name', NEUMANN_SIGNER.replace('Peter', 'Petra')],
  ['a short seed', `PRIVATE+KEY+x+00000000+${Buffer.alloc(32, 1).toString('base64')}`],
  ['a space at the end', `${NEUMANN_SIGNER} `],
])('refuses a signer key with %s', (_, signerKey) => {
  expect(() => noteSigner(signerKey)).toThrow(code('malformed_key'));
});

it.each(['', 'a b', 'a+b', 'a\nb', 'a\u2003b', 'a\0b', '\ud800'])(
  'makes no key with the name %j',
  (badName) => {
    expect(() => generateNoteKey(badName)).toThrow(code('malformed_key'));
  },
);

it('never says a secret: not in an error, nor in what a signer shows of itself', () => {
  const seed = ours.signerKey.split('+').slice(4).join('+');
  const shown = JSON.stringify([signer, Object.entries(signer).map(String)]);
  expect(shown).not.toContain(seed);
  for (const broken of [
    ours.signerKey.slice(0, -1),
    ours.signerKey.replace('audit', 'other'),
    `x${ours.signerKey}`,
  ])
    try {
      noteSigner(broken);
      throw new Error('accepted');
    } catch (error) {
      expect(error).toBeInstanceOf(NoteError);
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(seed.slice(4, 24));
    }
});

/** A verifier key whose ID is right, whatever the key is. */
function verifierKeyFor(of: string, publicKey: Uint8Array): string {
  const bytes = Buffer.concat([Buffer.of(1), publicKey]);
  const keyId = sha256(Buffer.from(`${of}\n`), bytes)
    .subarray(0, 4)
    .toString('hex');
  return `${of}+${keyId}+${bytes.toString('base64')}`;
}
