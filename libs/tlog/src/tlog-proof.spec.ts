import fc from 'fast-check';
import {
  formatCheckpoint,
  formatTlogProof,
  generateNoteKey,
  leafHash,
  noteSigner,
  noteVerifier,
  parseTlogProof,
  signNote,
  TlogError,
  verifyTlogProof,
} from './index.js';
import { sha256, TreeModel } from './tree.fixture.js';

const LOG = 'audit.acme.example/log';
const keys = generateNoteKey(LOG);
const [signer, verifier] = [noteSigner(keys.signerKey), noteVerifier(keys.verifierKey)];
const witness = noteSigner(generateNoteKey('witness.example').signerKey);
const model = TreeModel.ofSize(100);
const leafAt = (i: number) => leafHash(model.leaves[i]!);
const hashesAt = (index: number, size: number) =>
  model.path(index, 0, size).map((hash) => new Uint8Array(hash));

function checkpointOf(size: number, origin = LOG, root = model.root(0, size)): string {
  return signNote(formatCheckpoint({ origin, size, root }), [signer, witness]);
}

const proof = { index: 70, hashes: hashesAt(70, 100), checkpoint: checkpointOf(100) };
const text = formatTlogProof(proof);
const lines = text.split('\n');
const code = (expected: string): Error => expect.objectContaining({ code: expected });

it('writes header, index, hashes, an empty line and the checkpoint as it was signed', () => {
  const hashes = proof.hashes.map((hash) => Buffer.from(hash).toString('base64'));
  expect(text).toBe(`c2sp.org/tlog-proof@v1\nindex 70\n${hashes.join('\n')}\n\n${proof.checkpoint}`);
  expect(formatTlogProof({ ...proof, extra: Buffer.from('more') })).toBe(
    text.replace('index', 'extra bW9yZQ==\nindex'),
  );
});

it('reads the lines of the example of the specification', () => {
  // Its checkpoint is abbreviated there, and its hashes are fewer than the tree has levels: it has a form, no truth.
  const example = `c2sp.org/tlog-proof@v1
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

${signNote('example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n', [signer])}`;
  expect(parseTlogProof(example)).toMatchObject({ index: 73894, hashes: { length: 5 } });
  expect(formatTlogProof(parseTlogProof(example))).toBe(example);
  expect(() => verifyTlogProof(example, sha256(), [verifier], 'example.com/fancylog')).toThrow(
    code('not_included'),
  );
});

it('verifies every leaf of every tree, and reads what it wrote', () => {
  for (let size = 1; size <= 40; size += 1) {
    const checkpoint = checkpointOf(size);
    for (let index = 0; index < size; index += 1) {
      const written = { index, hashes: hashesAt(index, size), checkpoint, extra: Uint8Array.of(index) };
      const file = formatTlogProof(written);
      expect(parseTlogProof(file)).toEqual(written);
      expect(verifyTlogProof(file, leafAt(index), [verifier], LOG)).toMatchObject({ origin: LOG, size });
    }
  }
});

it('leaves the line of extra data out when there is none', () => {
  expect(formatTlogProof({ ...proof, extra: new Uint8Array() })).toBe(text);
  expect(parseTlogProof(text)).not.toHaveProperty('extra');
});

it('says which step failed', () => {
  const stranger = noteVerifier(witness.verifierKey);
  const forged = checkpointOf(100, LOG, sha256());
  expect(() => verifyTlogProof(text, leafAt(71), [verifier])).toThrow(code('not_included'));
  expect(() => verifyTlogProof(text.replace('index 70', 'index 71'), leafAt(70), [verifier])).toThrow(
    code('not_included'),
  );
  expect(() => verifyTlogProof(text.replace('index 70', 'index 100'), leafAt(70), [verifier])).toThrow(
    code('not_included'),
  );
  expect(() => verifyTlogProof(text, leafAt(70), [])).toThrow(code('unknown_signer'));
  expect(() => verifyTlogProof(text.replace('\n100\n', '\n101\n'), leafAt(70), [verifier])).toThrow(
    code('bad_signature'),
  );
  expect(() => verifyTlogProof(text, leafAt(70), [verifier], 'other.example/log')).toThrow(
    code('unaccepted_origin'),
  );
  expect(() => verifyTlogProof(text, leafAt(70), [stranger])).toThrow(code('unaccepted_origin'));
  expect(() =>
    verifyTlogProof(formatTlogProof({ ...proof, checkpoint: forged }), leafAt(70), [verifier]),
  ).toThrow(code('not_included'));
  expect(() => verifyTlogProof(text, leafAt(70).subarray(1), [verifier])).toThrow(code('invalid_hash'));
});

it('without an origin accepts a log only that bears the name of a key which signed', () => {
  const elsewhere = formatTlogProof({ ...proof, checkpoint: checkpointOf(100, 'other.example/log') });
  expect(verifyTlogProof(text, leafAt(70), [verifier]).origin).toBe(LOG);
  expect(() => verifyTlogProof(elsewhere, leafAt(70), [verifier])).toThrow(code('unaccepted_origin'));
  expect(verifyTlogProof(elsewhere, leafAt(70), [verifier], 'other.example/log').size).toBe(100);
});

it('is not fooled by what leads to the right root with the wrong hash', () => {
  // A node's two children as a leaf: the second preimage that RFC 6962 §2.1 prevents with its prefixes.
  const inner = Buffer.concat([model.root(70, 71), model.root(71, 72)]);
  const short = formatTlogProof({ ...proof, index: 35, hashes: proof.hashes.slice(1) });
  expect(() => verifyTlogProof(short, leafHash(inner), [verifier])).toThrow(code('not_included'));
});

const hash = lines[2]!;

it.each([
  ['nothing', ''],
  ['another version', text.replace('@v1', '@v2')],
  ['a space after the header', text.replace('@v1', '@v1 ')],
  ['CR LF', text.replaceAll('\n', '\r\n')],
  ['a byte order mark', `\ufeff${text}`],
  ['no index', text.replace('index 70\n', '')],
  ['two indexes', text.replace('index 70\n', 'index 70\nindex 70\n')],
  ['an index with a leading zero', text.replace('index 70', 'index 070')],
  ['an index of 2^53', text.replace('index 70', 'index 9007199254740992')],
  ['two spaces before the index', text.replace('index 70', 'index  70')],
  ['an index in upper case', text.replace('index', 'Index')],
  ['extra data after the index', text.replace('index 70\n', 'index 70\nextra bW9yZQ==\n')],
  ['extra data twice', text.replace('index', 'extra bW9yZQ==\nextra bW9yZQ==\nindex')],
  ['extra data that are empty', text.replace('index', 'extra \nindex')],
  ['extra data without padding', text.replace('index', 'extra bW9yZQ\nindex')],
  ['a hash without padding', text.replace(hash, hash.slice(0, -1))],
  ['a hash of 31 bytes', text.replace(hash, Buffer.alloc(31).toString('base64'))],
  ['a space after a hash', text.replace(hash, `${hash} `)],
  ['no empty line', text.replace('\n\n', '\n')],
  ['two empty lines', text.replace('\n\n', '\n\n\n')],
  ['an empty line before the index', text.replace('\nindex', '\n\nindex')],
  ['no checkpoint', text.slice(0, text.indexOf('\n\n') + 2)],
  [
    'a checkpoint that nobody signed',
    `${lines.slice(0, lines.indexOf('')).join('\n')}\n\n${LOG}\n1\n${hash}\n`,
  ],
  ['a note that is no checkpoint', text.replace('\n100\n', '\nhundred\n')],
  ['something after the checkpoint', `${text}more\n`],
  ['an empty line at the end', `${text}\n`],
  ['54 hashes', text.replace(hash, `${hash}\n`.repeat(54).trimEnd())],
  ['a hundred thousand hashes', text.replace(hash, `${hash}\n`.repeat(100_000).trimEnd())],
  ['too much extra data', text.replace('index', `extra ${'AAAA'.repeat(500_000)}\nindex`)],
])('refuses a proof with %s', (_, file) => {
  expect(() => parseTlogProof(file)).toThrow(TlogError);
  expect(() => verifyTlogProof(file, leafAt(70), [verifier])).toThrow(TlogError);
});

it.each([
  ['a negative index', { ...proof, index: -1 }],
  ['a short hash', { ...proof, hashes: [new Uint8Array(31)] }],
  ['too many hashes', { ...proof, hashes: Array.from({ length: 54 }, () => sha256()) }],
  [
    'a checkpoint that nobody signed',
    { ...proof, checkpoint: formatCheckpoint({ origin: LOG, size: 1, root: sha256() }) },
  ],
  ['a note that is no checkpoint', { ...proof, checkpoint: signNote('text\n', [signer]) }],
  ['too much extra data', { ...proof, extra: new Uint8Array(2_000_000) }],
])('does not write a proof with %s', (_, bad) => {
  expect(() => formatTlogProof(bad)).toThrow(TlogError);
});

it('refuses a proof of which any character is another, unless in a signature by a stranger', () => {
  const [file] = text.split('— witness.example');
  expect(verifyTlogProof(file!, leafAt(70), [verifier]).size).toBe(100);
  fc.assert(
    fc.property(fc.nat(file!.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, other) => {
      fc.pre(file![at] !== other);
      const changed = file!.slice(0, at) + other + file!.slice(at + 1);
      expect(() => verifyTlogProof(changed, leafAt(70), [verifier])).toThrow(TlogError);
    }),
    { numRuns: 500 },
  );
});

it('throws nothing but a TlogError for arbitrary text', () => {
  const token = fc.constantFrom(
    'c2sp.org/tlog-proof@v1',
    '\n',
    '\n\n',
    'index 0',
    'extra ',
    hash,
    proof.checkpoint,
  );
  const input = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(token, { maxLength: 9 }).map((tokens) => tokens.join('')),
  );
  fc.assert(
    fc.property(input, (file) => {
      try {
        expect(formatTlogProof(parseTlogProof(file))).toBe(file);
      } catch (error) {
        expect(error).toBeInstanceOf(TlogError);
      }
    }),
    { numRuns: 1000 },
  );
});
