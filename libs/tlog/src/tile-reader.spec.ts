import {
  consistencyProof,
  Frontier,
  inclusionProof,
  leafHash,
  rootOf,
  tilePath,
  tileReader,
  tilesFor,
  TlogError,
  verifyConsistency,
  verifyInclusion,
  type TileAt,
  type TileSource,
} from './index.js';
import { TreeModel } from './tree.fixture.js';

const model = TreeModel.ofSize(70_000);

/** Tiles by the formula of c2sp.org/tlog-tiles, and only those that a tree of that size has. */
function tilesOf(size: number): TileSource & { paths: string[] } {
  const served = new Set(tilesFor(0, size).map(tilePath));
  return {
    paths: [],
    async readTile(tile: TileAt) {
      this.paths.push(tilePath(tile));
      if (!served.has(tilePath(tile))) throw new Error(`${tilePath(tile)} is not served`);
      const span = 256 ** tile.level;
      return Buffer.concat(
        Array.from({ length: tile.width }, (_, i) => {
          const at = tile.index * 256 + i;
          return model.root(at * span, (at + 1) * span);
        }),
      );
    },
  };
}

it.each([1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 70_000])(
  'reads the tree of %i leaves through its tiles',
  async (size) => {
    const tiles = tilesOf(size);
    const reader = tileReader(size, tiles);
    const root = model.root(0, size);
    expect(Buffer.from(await rootOf(size, reader))).toEqual(root);
    expect(Buffer.from((await Frontier.read(size, reader)).root())).toEqual(root);
    for (const index of new Set([0, Math.floor(size / 2), size - 1])) {
      const leaf = leafHash(model.leaves[index]!);
      const proof = await inclusionProof(index, size, reader);
      expect(verifyInclusion({ index, size, leaf, proof, root })).toBe(true);
      const growth = await consistencyProof(index + 1, size, reader);
      const oldRoot = model.root(0, index + 1);
      expect(
        verifyConsistency({ oldSize: index + 1, oldRoot, newSize: size, newRoot: root, proof: growth }),
      ).toBe(true);
    }
  },
);

it('reads each tile once for a proof', async () => {
  const tiles = tilesOf(70_000);
  await inclusionProof(69_950, 70_000, tileReader(70_000, tiles));
  expect(tiles.paths.sort()).toEqual(['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1']);
});

it('reads any complete subtree of the tree, and none beyond it', async () => {
  const size = 1000;
  const reader = tileReader(size, tilesOf(size));
  for (let level = 0; level < 10; level += 1)
    for (const index of [0, Math.floor(size / 2 ** level) - 1]) {
      const [hash] = await reader.read([{ level, index }]);
      expect(Buffer.from(hash!)).toEqual(model.root(index * 2 ** level, (index + 1) * 2 ** level));
    }
  for (const at of [
    { level: 0, index: 1000 },
    { level: 3, index: 125 },
    { level: 10, index: 0 },
    { level: 5000, index: 0 },
    { level: -1, index: 0 },
    { level: 0, index: -1 },
    { level: 0.5, index: 0 },
    { level: 0, index: Number.NaN },
  ])
    await expect(reader.read([at])).rejects.toThrow(expect.objectContaining({ code: 'invalid_number' }));
});

it.each([0, 31, 300 * 32, 299 * 32])(
  'refuses a tile of %i bytes where it needs 44 hashes',
  async (length) => {
    const reader = tileReader(300, { readTile: async () => new Uint8Array(length) });
    await expect(reader.read([{ level: 0, index: 299 }])).rejects.toThrow(
      expect.objectContaining({ code: 'missing_hash' }),
    );
  },
);

it('passes on what the source fails with', async () => {
  const reader = tileReader(300, { readTile: () => Promise.reject(new Error('unreachable')) });
  await expect(rootOf(300, reader)).rejects.toThrow('unreachable');
});

it('does not give out the bytes of the source', async () => {
  const tile = new Uint8Array(32).fill(7);
  const [hash] = await tileReader(1, { readTile: async () => tile }).read([{ level: 0, index: 0 }]);
  tile.fill(0);
  expect(hash).toEqual(new Uint8Array(32).fill(7));
});

it('refuses a size that is none', () => {
  expect(() => tileReader(-1, tilesOf(1))).toThrow(TlogError);
});
