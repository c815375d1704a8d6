import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  consistencyProof,
  formatCheckpoint,
  Frontier,
  generateNoteKey,
  leafHash,
  noteSigner,
  rootOf,
  signNote,
  tileReader,
} from '@sallyport/tlog';
import fc from 'fast-check';

import { LogKeys } from '../log/log-keys.js';
import { checkSealedFile } from './check-sealed-file.js';
import { formatSealedHeader, parseSealedHeader, type SealedHeader } from './sealed-header.js';
import { SealedFileError } from './sealed-file.error.js';

const ORIGIN = 'audit.test/file';
const key = generateNoteKey(ORIGIN);
const keys = new LogKeys(ORIGIN, [key.verifierKey]);
const path = join(mkdtempSync(join(tmpdir(), 'sallyport-sealed-')), 'sealed.jsonl');

/** A text that a canonical record may hold and that ends a line elsewhere. */
const leaves = Array.from({ length: 40 }, (_, index) => `{"id":"${index}","note":"a\u2028b"}`);
const hashes = leaves.map((leaf) => leafHash(Buffer.from(leaf)));

async function sealedText(from: number, to: number, size: number): Promise<string> {
  const reader = tileReader(size, {
    readTile: ({ width }) => Promise.resolve(Buffer.concat(hashes.slice(0, width))),
  });
  const note = signNote(formatCheckpoint({ origin: ORIGIN, size, root: await rootOf(size, reader) }), [
    noteSigner(key.signerKey),
  ]);
  let edge: SealedHeader['edge'] = [];
  await Frontier.read(from, { read: async (at) => (edge = await reader.read(at)) });
  const consistency = await consistencyProof(to + 1, size, reader);
  const header = formatSealedHeader({ origin: ORIGIN, from, to, edge, checkpoint: note, consistency });
  return [header, ...leaves.slice(from, to + 1), ''].join('\n');
}

function check(content: string | Uint8Array) {
  writeFileSync(path, content);
  return checkSealedFile(path, { keys });
}

const ranges = fc
  .tuple(fc.nat(39), fc.nat(39), fc.nat(39))
  .map((given): [from: number, to: number, size: number] => {
    const [from, to, last] = given.toSorted((a, b) => a - b) as [number, number, number];
    return [from, to, last + 1];
  });

describe('A sealed file', () => {
  it('is verified with the verifier key alone, whatever range it holds of whatever tree', async () => {
    await fc.assert(
      fc.asyncProperty(ranges, async ([from, to, size]) => {
        expect((await check(await sealedText(from, to, size))).header).toMatchObject({ from, to });
      }),
      { numRuns: 60 },
    );
  });

  it('is refused whatever byte of it is another', async () => {
    const content = Buffer.from(await sealedText(5, 20, 33));
    const changes = fc.tuple(fc.nat(content.length - 1), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(changes, async ([at, change]) => {
        const other = Buffer.from(content);
        other[at] = (other[at] ?? 0) ^ change;
        const error: unknown = await check(other).catch((failure: unknown) => failure);
        // Other blanks, or another order in the first line, are the same header: that is for the digest to tell.
        if (error instanceof SealedFileError) return;
        expect(parseSealedHeader(other.subarray(0, other.indexOf(10)))).toEqual(
          parseSealedHeader(content.subarray(0, content.indexOf(10))),
        );
        expect(other.subarray(other.indexOf(10)).equals(content.subarray(content.indexOf(10)))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('is refused wherever it is cut', async () => {
    const content = Buffer.from(await sealedText(5, 20, 33));
    await fc.assert(
      fc.asyncProperty(fc.nat(content.length - 1), async (length) => {
        await expect(check(content.subarray(0, length))).rejects.toThrow(SealedFileError);
      }),
      { numRuns: 100 },
    );
  });

  it('names the first record that is another than in the database', async () => {
    const leafHashes = (first: number, count: number) =>
      Promise.resolve(Buffer.concat(hashes.slice(first, first + count)));
    writeFileSync(path, (await sealedText(5, 20, 33)).replace('"id":"9"', '"id":"x"'));
    await expect(checkSealedFile(path, { keys, leafHashes })).rejects.toMatchObject({ index: 9 });
    writeFileSync(path, await sealedText(5, 20, 33));
    await expect(
      checkSealedFile(path, { keys, leafHashes: () => Promise.resolve(new Uint8Array(0)) }),
    ).rejects.toMatchObject({ index: 5 });
  });

  it('is refused when another key signed it', async () => {
    writeFileSync(path, await sealedText(0, 3, 4));
    const stranger = new LogKeys(ORIGIN, [generateNoteKey(ORIGIN).verifierKey]);
    await expect(checkSealedFile(path, { keys: stranger })).rejects.toThrow(/no known key/);
  });
});

describe('The first line of a sealed file', () => {
  it('is read as it was written', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const header = fc.record({
      origin: fc.string(),
      from: fc.nat(),
      to: fc.nat(),
      edge: fc.array(hash, { maxLength: 53 }),
      checkpoint: fc.string(),
      consistency: fc.array(hash, { maxLength: 53 }),
    });
    fc.assert(
      fc.property(header, (given) => {
        fc.pre(given.from <= given.to);
        expect(parseSealedHeader(Buffer.from(formatSealedHeader(given)))).toEqual(given);
      }),
    );
  });

  it('is nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(() => parseSealedHeader(Buffer.from(text))).toThrow(SealedFileError);
      }),
    );
  });
});
