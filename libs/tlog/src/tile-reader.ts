import { HASH_LENGTH, nodeHash, type Hash } from './hash.js';
import { checkSize, isSize } from './numbers.js';
import type { HashReader, SubtreeAt } from './subtree.js';
import { TILE_HEIGHT, TILE_WIDTH, tilePath, type TileAt } from './tile.js';
import { TlogError } from './tlog.errors.js';

/** Where tiles are kept. */
export interface TileSource {
  /** The hashes of the tile, one after the other: `width · 32` bytes. */
  readTile(tile: TileAt): Promise<Uint8Array>;
}

/**
 * Reads hashes out of the tiles of the tree of that size; each tile once for each question. The tiles are not verified:
 * compare the root or the proof that comes of them with a signed checkpoint.
 */
export function tileReader(size: number, source: TileSource): HashReader {
  checkSize(size);
  return {
    async read(at: readonly SubtreeAt[]): Promise<readonly Hash[]> {
      const reading = new Map<string, Promise<Uint8Array>>();
      const readOnce = (tile: TileAt): Promise<Uint8Array> => {
        const bytes = reading.get(tilePath(tile)) ?? readTile(tile, source);
        reading.set(tilePath(tile), bytes);
        return bytes;
      };
      return Promise.all(
        at.map(async (subtree) => {
          const { tile, from, to } = placeOf(subtree, size);
          return completeRoot((await readOnce(tile)).subarray(from, to));
        }),
      );
    },
  };
}

/** The tile that holds a subtree, and where in its bytes the hashes are that the subtree is made of. */
function placeOf({ level, index }: SubtreeAt, size: number): { tile: TileAt; from: number; to: number } {
  if (!isSize(level) || !isSize(index) || (index + 1) * 2 ** level > size)
    throw new TlogError('invalid_number', 'There is no such subtree in the tree of this size.');
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const span = 2 ** (level % TILE_HEIGHT);
  const first = index * span;
  const tileIndex = Math.floor(first / TILE_WIDTH);
  const hashes = Math.floor(size / TILE_WIDTH ** tileLevel);
  const width = Math.min(TILE_WIDTH, hashes - tileIndex * TILE_WIDTH);
  const from = (first % TILE_WIDTH) * HASH_LENGTH;
  return { tile: { level: tileLevel, index: tileIndex, width }, from, to: from + span * HASH_LENGTH };
}

async function readTile(tile: TileAt, source: TileSource): Promise<Uint8Array> {
  const bytes = await source.readTile(tile);
  if (!(bytes instanceof Uint8Array) || bytes.length !== tile.width * HASH_LENGTH)
    throw new TlogError(
      'missing_hash',
      `The tile ${tilePath(tile)} is not ${tile.width} hashes of 32 bytes.`,
    );
  return bytes;
}

/** Root over a power of two of hashes, one after the other. */
function completeRoot(hashes: Uint8Array): Hash {
  if (hashes.length === HASH_LENGTH) return Uint8Array.from(hashes);
  const half = hashes.length / 2;
  return nodeHash(completeRoot(hashes.subarray(0, half)), completeRoot(hashes.subarray(half)));
}
