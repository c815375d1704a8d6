import fc from 'fast-check';
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  TlogError,
  verifyConsistency,
  verifyInclusion,
} from './index.js';
import { flipped, sha256, TreeModel, uniformTree } from './tree.fixture.js';

const SIZES = 260;
const model = TreeModel.ofSize(300);
const leafAt = (i: number) => leafHash(model.leaves[i]!);

const aLeaf = fc
  .integer({ min: 1, max: 300 })
  .chain((size) => fc.tuple(fc.integer({ min: 0, max: size - 1 }), fc.constant(size)));
const aGrowth = fc
  .integer({ min: 2, max: 300 })
  .chain((size) => fc.tuple(fc.integer({ min: 1, max: size - 1 }), fc.constant(size)));

const inclusion = async (index: number, size: number) => ({
  index,
  size,
  leaf: leafAt(index),
  proof: await inclusionProof(index, size, model.reader(size)),
  root: model.root(0, size),
});
const consistency = async (oldSize: number, newSize: number) => ({
  oldSize,
  oldRoot: model.root(0, oldSize),
  newSize,
  newRoot: model.root(0, newSize),
  proof: await consistencyProof(oldSize, newSize, model.reader(newSize)),
});

it('has the root of RFC 6962 at every size', async () => {
  for (let size = 0; size <= 300; size += 1)
    expect(Buffer.from(await rootOf(size, model.reader(size)))).toEqual(model.root(0, size));
});

it('proves every leaf in every tree as RFC 6962 §2.1.1 does, and verifies it', async () => {
  for (let size = 1; size <= SIZES; size += 1)
    for (let index = 0; index < size; index += 1) {
      const p = await inclusion(index, size);
      if (!Buffer.concat(p.proof).equals(Buffer.concat(model.path(index, 0, size))) || !verifyInclusion(p))
        throw new Error(`leaf ${index} of ${size}`);
    }
});

it('proves every growth as RFC 6962 §2.1.2 does, and verifies it', async () => {
  for (let size = 1; size <= SIZES; size += 1)
    for (let old = 1; old <= size; old += 1) {
      const p = await consistency(old, size);
      if (!Buffer.concat(p.proof).equals(Buffer.concat(model.proof(old, size))) || !verifyConsistency(p))
        throw new Error(`${old} to ${size}`);
    }
});

it('refuses an inclusion proof with any bit turned over', async () => {
  await fc.assert(
    fc.asyncProperty(aLeaf, fc.nat(), fc.nat(255), async ([index, size], which, bit) => {
      const p = await inclusion(index, size);
      const parts = [p.leaf, p.root, ...p.proof];
      parts[which % parts.length] = flipped(parts[which % parts.length]!, bit);
      const [leaf, root, ...proof] = parts;
      expect(verifyInclusion({ ...p, leaf: leaf!, root: root!, proof })).toBe(false);
    }),
  );
});

it('refuses an inclusion proof for any other leaf, index, or tree', async () => {
  await fc.assert(
    fc.asyncProperty(aLeaf, aLeaf, async ([index, size], [otherIndex, otherSize]) => {
      const p = await inclusion(index, size);
      if (otherIndex !== index) {
        expect(verifyInclusion({ ...p, index: otherIndex })).toBe(false);
        expect(verifyInclusion({ ...p, leaf: leafAt(otherIndex) })).toBe(false);
      }
      if (otherSize !== size) {
        expect(verifyInclusion({ ...p, root: model.root(0, otherSize) })).toBe(false);
        expect(verifyInclusion({ ...p, size: otherSize, root: model.root(0, otherSize) })).toBe(false);
      }
    }),
  );
});

it('refuses a proof that is shorter, longer, or in another order', async () => {
  await fc.assert(
    fc.asyncProperty(aLeaf, aGrowth, async ([index, size], [old, grown]) => {
      const i = await inclusion(index, size);
      const c = await consistency(old, grown);
      for (const proof of [
        [...i.proof, sha256()],
        [sha256(), ...i.proof],
      ])
        expect(verifyInclusion({ ...i, proof })).toBe(false);
      for (const proof of [
        [...c.proof, sha256()],
        [sha256(), ...c.proof],
        c.proof.slice(1),
        c.proof.slice(0, -1),
      ])
        expect(verifyConsistency({ ...c, proof })).toBe(false);
      if (i.proof.length > 0) expect(verifyInclusion({ ...i, proof: i.proof.slice(1) })).toBe(false);
      if (i.proof.length > 1) expect(verifyInclusion({ ...i, proof: i.proof.toReversed() })).toBe(false);
      if (c.proof.length > 1) expect(verifyConsistency({ ...c, proof: c.proof.toReversed() })).toBe(false);
    }),
  );
});

it('refuses a proof with fewer or more hashes than the sizes demand, even where the hashes fit the roots', async () => {
  const x = sha256();
  for (let size = 1; size <= 40; size += 1)
    for (let index = 0; index < size; index += 1) {
      const [i, c] = [await inclusion(index, size), await consistency(index + 1, size)];
      for (let claimed = index + 1; claimed <= 80; claimed += 1) {
        if (model.path(index, 0, claimed).length !== i.proof.length)
          expect(verifyInclusion({ ...i, size: claimed })).toBe(false);
        if (model.proof(index + 1, claimed).length !== c.proof.length)
          expect(verifyConsistency({ ...c, newSize: claimed })).toBe(false);
      }
      const higher = { root: nodeHash(x, i.root), proof: [...i.proof, x] };
      expect(verifyInclusion({ ...i, ...higher })).toBe(false);
      const both = {
        oldRoot: nodeHash(x, c.oldRoot),
        newRoot: nodeHash(x, c.newRoot),
        proof: [...c.proof, x],
      };
      expect(verifyConsistency({ ...c, ...both })).toBe(false);
    }
});

it('refuses a consistency proof with any bit turned over', async () => {
  await fc.assert(
    fc.asyncProperty(aGrowth, fc.nat(), fc.nat(255), async ([old, size], which, bit) => {
      const p = await consistency(old, size);
      const parts = [p.oldRoot, p.newRoot, ...p.proof];
      parts[which % parts.length] = flipped(parts[which % parts.length]!, bit);
      const [oldRoot, newRoot, ...proof] = parts;
      expect(verifyConsistency({ ...p, oldRoot: oldRoot!, newRoot: newRoot!, proof })).toBe(false);
    }),
  );
});

it('refuses a log that rewrote what the old tree held, with the proof of either', async () => {
  await fc.assert(
    fc.asyncProperty(aGrowth, fc.nat(), async ([old, size], changed) => {
      const leaves = model.leaves.slice(0, size);
      leaves[changed % old] = Buffer.from('rewritten');
      const rewritten = new TreeModel(leaves);
      const p = await consistency(old, size);
      for (const proof of [p.proof, rewritten.proof(old, size)]) {
        expect(verifyConsistency({ ...p, newRoot: rewritten.root(0, size), proof })).toBe(false);
        expect(verifyConsistency({ ...p, oldRoot: rewritten.root(0, old), proof })).toBe(false);
      }
    }),
  );
});

it('knows the tree without leaves as the beginning of every tree, and a tree as its own', async () => {
  const [empty, root] = [model.root(0, 0), model.root(0, 5)];
  const read = model.reader(5);
  expect(await consistencyProof(0, 5, read)).toEqual([]);
  expect(await consistencyProof(5, 5, read)).toEqual([]);
  expect(await consistencyProof(0, 0, read)).toEqual([]);
  const growth = { oldSize: 0, oldRoot: empty, newSize: 5, newRoot: root, proof: [] };
  expect(verifyConsistency(growth)).toBe(true);
  expect(verifyConsistency({ ...growth, oldRoot: sha256(empty) })).toBe(false);
  expect(verifyConsistency({ ...growth, proof: [root] })).toBe(false);
  const standstill = { oldSize: 5, oldRoot: root, newSize: 5, newRoot: root, proof: [] };
  expect(verifyConsistency(standstill)).toBe(true);
  expect(verifyConsistency({ ...standstill, newRoot: empty })).toBe(false);
  expect(verifyConsistency({ ...standstill, proof: [root] })).toBe(false);
  expect(verifyConsistency({ ...standstill, oldSize: 6 })).toBe(false);
});

it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])('refuses the number %d', async (n) => {
  const [root, read] = [model.root(0, 2), model.reader()];
  expect(verifyInclusion({ index: n, size: 2, leaf: root, proof: [], root })).toBe(false);
  expect(verifyInclusion({ index: 0, size: n, leaf: root, proof: [], root })).toBe(false);
  expect(verifyConsistency({ oldSize: n, newSize: n, oldRoot: root, newRoot: root, proof: [] })).toBe(false);
  expect(verifyConsistency({ oldSize: 1, newSize: n, oldRoot: root, newRoot: root, proof: [] })).toBe(false);
  await expect(rootOf(n, read)).rejects.toThrow(TlogError);
  await expect(inclusionProof(n, 2, read)).rejects.toThrow(TlogError);
  await expect(inclusionProof(0, n, read)).rejects.toThrow(TlogError);
  await expect(consistencyProof(n, 2, read)).rejects.toThrow(TlogError);
  await expect(consistencyProof(1, n, read)).rejects.toThrow(TlogError);
});

it('refuses to prove what is not in the tree', async () => {
  await expect(inclusionProof(2, 2, model.reader())).rejects.toThrow(TlogError);
  await expect(inclusionProof(0, 0, model.reader())).rejects.toThrow(TlogError);
  await expect(consistencyProof(3, 2, model.reader())).rejects.toThrow(TlogError);
});

it('refuses hashes that are not 32 bytes, without an exception', async () => {
  const i = await inclusion(3, 9);
  const c = await consistency(3, 9);
  const short = new Uint8Array(31);
  expect(verifyInclusion({ ...i, leaf: short })).toBe(false);
  expect(verifyInclusion({ ...i, root: short })).toBe(false);
  expect(verifyInclusion({ ...i, proof: [short, ...i.proof.slice(1)] })).toBe(false);
  expect(verifyConsistency({ ...c, oldRoot: short })).toBe(false);
  expect(verifyConsistency({ ...c, newRoot: short })).toBe(false);
  expect(verifyConsistency({ ...c, proof: [short, ...c.proof.slice(1)] })).toBe(false);
});

it('proves with one question of O(log n) hashes, up to 2^53 − 1 leaves', async () => {
  const sizes = [2 ** 31, 2 ** 32 - 1, 2 ** 32 + 1, 2 ** 40 + 12345, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER];
  const leaf = sha256();
  for (const size of sizes)
    for (const index of [0, 1, Math.floor(size / 3), 2 ** 31 - 1, size - 2, size - 1]) {
      const reader = uniformTree(leaf);
      const root = await rootOf(size, reader);
      const proof = await inclusionProof(index, size, reader);
      expect(verifyInclusion({ index, size, leaf, proof, root })).toBe(true);
      const oldRoot = await rootOf(index + 1, reader);
      const growth = await consistencyProof(index + 1, size, reader);
      expect(
        verifyConsistency({ oldSize: index + 1, oldRoot, newSize: size, newRoot: root, proof: growth }),
      ).toBe(true);
      expect(reader.hashesRead).toBeLessThanOrEqual(4 * 2 * 53);
      expect(reader.questions).toBeLessThanOrEqual(4);
    }
});
