import { Frontier, leafHash, TlogError } from './index.js';
import { flipped, sha256, TreeModel, uniformTree } from './tree.fixture.js';

const model = TreeModel.ofSize(300);
const leafAt = (i: number) => leafHash(model.leaves[i]!);

it('has the root of RFC 6962 at every size', () => {
  const tree = Frontier.empty();
  for (let size = 0; size <= 300; size += 1) {
    expect(Buffer.from(tree.root())).toEqual(model.root(0, size));
    if (size < 300) tree.append(leafAt(size));
  }
});

it('goes on where it was read, at every size', async () => {
  for (let size = 0; size < 300; size += 1) {
    const tree = await Frontier.read(size, model.reader(size));
    expect(Buffer.from(tree.root())).toEqual(model.root(0, size));
    tree.append(leafAt(size));
    expect(Buffer.from(tree.root())).toEqual(model.root(0, size + 1));
  }
});

it('grows apart from its clone', () => {
  const tree = Frontier.empty();
  for (let i = 0; i < 7; i += 1) tree.append(leafAt(i));
  const clone = tree.clone();
  clone.append(sha256());
  tree.append(leafAt(7));
  expect(Buffer.from(tree.root())).toEqual(model.root(0, 8));
  expect(clone.size).toBe(8);
  expect(clone.root()).not.toEqual(tree.root());
});

it('is not changed by what a caller does to the bytes it gave or got', () => {
  const tree = Frontier.empty();
  const leaf = Uint8Array.from(leafAt(0));
  tree.append(leaf);
  leaf.fill(0);
  tree.root().fill(0);
  expect(Buffer.from(tree.root())).toEqual(model.root(0, 1));
});

it('is read with one question and one hash for each bit of the size', async () => {
  const reader = uniformTree(sha256());
  const tree = await Frontier.read(Number.MAX_SAFE_INTEGER - 1, reader);
  expect([reader.questions, reader.hashesRead]).toEqual([1, 52]);
  tree.append(sha256());
  expect(tree.size).toBe(Number.MAX_SAFE_INTEGER);
});

it('ends at 2^53 − 1 leaves, unchanged', async () => {
  const tree = await Frontier.read(Number.MAX_SAFE_INTEGER, uniformTree(sha256()));
  const root = tree.root();
  expect(() => tree.append(sha256())).toThrow(expect.objectContaining({ code: 'invalid_number' }));
  expect([tree.size, tree.root()]).toEqual([Number.MAX_SAFE_INTEGER, root]);
});

it.each([-1, 0.5, Number.NaN, 2 ** 53])('is not read at size %d', async (size) => {
  await expect(Frontier.read(size, model.reader())).rejects.toThrow(TlogError);
});

it.each([
  ['too few', []],
  ['too many', [sha256(), sha256(), sha256()]],
  ['a short one', [sha256(), sha256().subarray(1)]],
])('refuses a reader that gives %s', async (_, hashes) => {
  const reader = { read: async () => hashes };
  await expect(Frontier.read(3, reader)).rejects.toThrow(expect.objectContaining({ code: 'missing_hash' }));
});

it('has another root when any bit of any leaf is another', () => {
  for (let changed = 0; changed < 13; changed += 1) {
    const tree = Frontier.empty();
    for (let i = 0; i < 13; i += 1) tree.append(i === changed ? flipped(leafAt(i), i * 19) : leafAt(i));
    expect(Buffer.from(tree.root())).not.toEqual(model.root(0, 13));
  }
});

it('appends a hundred thousand leaves in seconds of processor time', () => {
  const tree = Frontier.empty();
  const started = process.cpuUsage();
  for (let i = 0; i < 100_000; i += 1) tree.append(leafAt(i % 300));
  // A hundred times what it takes: only something quadratic would come near.
  expect(process.cpuUsage(started).user).toBeLessThan(20_000_000);
  expect(tree.size).toBe(100_000);
});
