import fc from 'fast-check';
import { EMPTY_ROOT, formatCheckpoint, parseCheckpoint, TlogError } from './index.js';
import { sha256 } from './tree.fixture.js';

/** The example of c2sp.org/tlog-checkpoint. */
const ORIGIN = 'example.com/behind-the-sofa';
const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
const EXAMPLE = `${ORIGIN}\n20852163\n${ROOT}\n`;

const malformed: Error = expect.objectContaining({ code: 'malformed_checkpoint' });

it('reads the example of the specification, and writes it', () => {
  const checkpoint = parseCheckpoint(EXAMPLE);
  expect(checkpoint).toMatchObject({ origin: ORIGIN, size: 20852163, extensions: [] });
  expect(Buffer.from(checkpoint.root).toString('base64')).toBe(ROOT);
  expect(formatCheckpoint(checkpoint)).toBe(EXAMPLE);
});

it('reads what it wrote', () => {
  const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(line, fc.maxSafeNat(), fc.array(line), fc.nat(), (origin, size, extensions, seed) => {
      const root = new Uint8Array(size === 0 ? EMPTY_ROOT : sha256(Buffer.from(String(seed))));
      const checkpoint = { origin, size, root, extensions };
      expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
    }),
  );
});

it('writes the tree without leaves as size 0', () => {
  const text = formatCheckpoint({ origin: 'o', size: 0, root: EMPTY_ROOT });
  expect(text).toBe('o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n');
  expect(parseCheckpoint(text).size).toBe(0);
});

it.each([
  ['nothing', ''],
  ['one line', 'o\n'],
  ['two lines', 'o\n1\n'],
  ['no line feed at the end', EXAMPLE.slice(0, -1)],
  ['an empty line at the end', `${EXAMPLE}\n`],
  ['an empty origin', `\n1\n${ROOT}\n`],
  ['an empty extension', `${EXAMPLE}\nextension\n`],
  ['CR LF', EXAMPLE.replaceAll('\n', '\r\n')],
  ['a carriage return in the origin', `o\r\n1\n${ROOT}\n`],
  ['half a surrogate pair', `\udc00\n1\n${ROOT}\n`],
  ['a size with a leading zero', `o\n01\n${ROOT}\n`],
  ['a size of two zeros', `o\n00\n${ROOT}\n`],
  ['a size with a sign', `o\n+1\n${ROOT}\n`],
  ['a negative size', `o\n-1\n${ROOT}\n`],
  ['a hexadecimal size', `o\n0x1\n${ROOT}\n`],
  ['a size with an exponent', `o\n1e3\n${ROOT}\n`],
  ['a size with a space', `o\n 1\n${ROOT}\n`],
  ['a size in other digits', `o\n١\n${ROOT}\n`],
  ['a size of 2^53', `o\n9007199254740992\n${ROOT}\n`],
  ['a size of 40 digits', `o\n${'9'.repeat(40)}\n${ROOT}\n`],
  ['no size', `o\n\n${ROOT}\n`],
  ['a root of 31 bytes', `o\n1\n${Buffer.alloc(31).toString('base64')}\n`],
  ['a root of 33 bytes', `o\n1\n${Buffer.alloc(33).toString('base64')}\n`],
  ['a root in hexadecimal', `o\n1\n${'ab'.repeat(32)}\n`],
  ['a root without its padding', `o\n1\n${ROOT.slice(0, -1)}\n`],
  ['a root with bits left over', `o\n1\n${ROOT.replace('2I=', '2J=')}\n`],
  ['a root of the other alphabet', `o\n1\n${ROOT.replace('/', '_')}\n`],
  ['size 0 and the root of something', `o\n0\n${ROOT}\n`],
  ['a million characters', `${EXAMPLE}${'x'.repeat(1_000_000)}\n`],
])('refuses a checkpoint with %s', (_, text) => {
  expect(() => parseCheckpoint(text)).toThrow(malformed);
});

it('reads the largest size that is exact', () => {
  expect(parseCheckpoint(`o\n9007199254740991\n${ROOT}\n`).size).toBe(Number.MAX_SAFE_INTEGER);
});

const root = sha256();

it.each([
  ['an empty origin', { origin: '', size: 1, root }],
  ['an origin of two lines', { origin: 'a\nb', size: 1, root }],
  ['a control character', { origin: 'a\u0007', size: 1, root }],
  ['an empty extension', { origin: 'a', size: 1, root, extensions: [''] }],
  ['an extension of two lines', { origin: 'a', size: 1, root, extensions: ['a\nb'] }],
  ['a negative size', { origin: 'a', size: -1, root }],
  ['a size that is not exact', { origin: 'a', size: 2 ** 53, root }],
  ['a short root', { origin: 'a', size: 1, root: root.subarray(1) }],
  ['size 0 and the root of something', { origin: 'a', size: 0, root: sha256(root) }],
])('does not write a checkpoint with %s', (_, checkpoint) => {
  expect(() => formatCheckpoint(checkpoint)).toThrow(TlogError);
});

it('throws nothing but a TlogError for arbitrary text', () => {
  const token = fc.constantFrom('\n', '0', '1', 'a', ROOT, '\r', ' ');
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(token, { maxLength: 10 }).map((tokens) => tokens.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      try {
        expect(formatCheckpoint(parseCheckpoint(input))).toBe(input);
      } catch (error) {
        expect(error).toEqual(malformed);
      }
    }),
    { numRuns: 1000 },
  );
});
