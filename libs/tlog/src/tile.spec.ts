import fc from 'fast-check';
import {
  parseTilePath,
  TILE_HEIGHT,
  TILE_WIDTH,
  tilePath,
  tilesFor,
  TlogError,
  type TileAt,
} from './index.js';

const full = (level: number, index: number): TileAt => ({ level, index, width: 256 });

it('has tiles of 2^8 hashes', () => {
  expect(2 ** TILE_HEIGHT).toBe(TILE_WIDTH);
});

it.each<[TileAt, string]>([
  [full(0, 0), 'tile/0/000'],
  [full(0, 5), 'tile/0/005'],
  [full(1, 999), 'tile/1/999'],
  [full(0, 1000), 'tile/0/x001/000'],
  [full(0, 1234067), 'tile/0/x001/x234/067'], // The example of c2sp.org/tlog-tiles.
  [{ level: 0, index: 1234, width: 5 }, 'tile/0/x001/234.p/5'],
  [{ level: 2, index: 0, width: 255 }, 'tile/2/000.p/255'],
  [{ level: 63, index: 1_000_000, width: 1 }, 'tile/63/x001/x000/000.p/1'],
  [full(0, Number.MAX_SAFE_INTEGER), 'tile/0/x009/x007/x199/x254/x740/991'],
])('writes %j as %s, and reads it', (tile, path) => {
  expect(tilePath(tile)).toBe(path);
  expect(parseTilePath(path)).toEqual(tile);
});

it('reads every path that it writes', () => {
  const tile = fc.record({
    level: fc.integer({ min: 0, max: 63 }),
    index: fc.maxSafeNat(),
    width: fc.integer({ min: 1, max: 256 }),
  });
  fc.assert(fc.property(tile, (at) => expect(parseTilePath(tilePath(at))).toEqual(at)));
});

it.each([
  '',
  'tile',
  'tile/0',
  'tile/0/',
  '/tile/0/000',
  'tile/0/000/',
  'tile/0/0',
  'tile/0/00',
  'tile/0/0000',
  'tile/0/1000',
  'tile/00/000',
  'tile/01/000',
  'tile/-1/000',
  'tile/64/000',
  'tile/100/000',
  'tile/0/x000/000',
  'tile/0/x000/x001/000',
  'tile/0/001/000',
  'tile/0/x001/x000',
  'tile/0/X001/000',
  'tile/0/000.p',
  'tile/0/000.p/',
  'tile/0/000.p/0',
  'tile/0/000.p/05',
  'tile/0/000.p/256',
  'tile/0/000.p/999',
  'tile/0/000.p/1/',
  'tile/0/000.p/1\n',
  'tile/0/000\n',
  'tile/0/000?x',
  'tile/0/../000',
  'tile/0/000%2e',
  'tile/entries/000',
  'tile/data/000',
  'tile/8/0/000',
  'tile/0/x009/x007/x199/x254/x740/992',
  `tile/0/${'x001/'.repeat(20)}000`,
  `tile/0/${'x001/'.repeat(200_000)}000`,
])('refuses the path %j', (path) => {
  expect(() => parseTilePath(path)).toThrow(expect.objectContaining({ code: 'malformed_tile_path' }));
});

it('throws nothing but a TlogError for arbitrary paths', () => {
  const token = fc.constantFrom('tile/', '0', '1', '000', 'x001/', '/', '.p/', '255', 'entries', ' ');
  const path = fc.oneof(
    fc.string(),
    fc.array(token, { maxLength: 9 }).map((tokens) => tokens.join('')),
  );
  fc.assert(
    fc.property(path, (input) => {
      try {
        expect(tilePath(parseTilePath(input))).toBe(input);
      } catch (error) {
        expect(error).toEqual(expect.objectContaining({ code: 'malformed_tile_path' }));
      }
    }),
    { numRuns: 1000 },
  );
});

it.each<TileAt>([
  { level: -1, index: 0, width: 1 },
  { level: 64, index: 0, width: 1 },
  { level: 0.5, index: 0, width: 1 },
  { level: 0, index: -1, width: 1 },
  { level: 0, index: 2 ** 53, width: 1 },
  { level: 0, index: 0, width: 0 },
  { level: 0, index: 0, width: 257 },
  { level: 0, index: 0, width: Number.NaN },
])('has no path for %j', (tile) => {
  expect(() => tilePath(tile)).toThrow(TlogError);
});

it('has the tiles of the example of the specification for 70,000 leaves', () => {
  const tiles = tilesFor(0, 70_000);
  const partial = tiles.filter(({ width }) => width < 256);
  expect(tiles.filter(({ level, width }) => level === 0 && width === 256)).toHaveLength(273);
  expect(tiles.filter(({ level, width }) => level === 1 && width === 256)).toEqual([full(1, 0)]);
  expect(partial).toEqual([
    { level: 0, index: 273, width: 112 },
    { level: 1, index: 1, width: 17 },
    { level: 2, index: 0, width: 1 },
  ]);
  expect(tiles).toHaveLength(273 + 1 + 3);
});

it('has a full tile and one above it of width 1 for 256 leaves, as the specification says', () => {
  expect(tilesFor(0, 256)).toEqual([full(0, 0), { level: 1, index: 0, width: 1 }]);
});

/** Straight from the specification: tile n of level l has hashes n·256 to n·256 + 255 of the floor(size / 256^l) there are. */
function tilesOf(size: number): Map<string, TileAt> {
  const tiles = new Map<string, TileAt>();
  for (let level = 0; Math.floor(size / 256 ** level) > 0; level += 1) {
    const hashes = Math.floor(size / 256 ** level);
    for (let index = 0; index * 256 < hashes; index += 1) {
      const tile = { level, index, width: Math.min(256, hashes - index * 256) };
      tiles.set(tilePath(tile), tile);
    }
  }
  return tiles;
}

it('lists the tiles of the new tree that the old one does not have', () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 140_000 }));
  fc.assert(
    fc.property(size, size, (a, b) => {
      const [before, after] = [Math.min(a, b), Math.max(a, b)];
      const old = tilesOf(before);
      const expected = [...tilesOf(after)].filter(([path]) => !old.has(path)).map(([, tile]) => tile);
      expect(tilesFor(before, after)).toEqual(expected);
    }),
  );
});

it('lists the few tiles that one more leaf changes, up to 2^53 − 1 leaves', () => {
  expect(tilesFor(7, 7)).toEqual([]);
  expect(tilesFor(255, 256)).toEqual([full(0, 0), { level: 1, index: 0, width: 1 }]);
  expect(tilesFor(2 ** 48 - 1, 2 ** 48)).toHaveLength(7);
  expect(tilesFor(Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER)).toEqual([
    { level: 0, index: 2 ** 45 - 1, width: 255 },
  ]);
});

it('refuses to shrink, to grow beyond memory, and sizes that are none', () => {
  expect(() => tilesFor(2, 1)).toThrow(TlogError);
  expect(() => tilesFor(0, Number.MAX_SAFE_INTEGER)).toThrow('grow in steps');
  for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) {
    expect(() => tilesFor(size, 10)).toThrow(TlogError);
    expect(() => tilesFor(0, size)).toThrow(TlogError);
  }
});
