import { nodeHash, TILE_WIDTH, type Hash, type TileAt, type TileSource } from '@sallyport/tlog';

import type { LogRows, StoredTile } from './log-rows.js';
import { RefusedSigning } from './log.errors.js';

/**
 * The tiles of the log. Full ones are stored; one that still grows is made of what is below it: leaves, or the roots
 * of full tiles. So any hash of the tree is at most 256 rows away.
 */
export class LogTiles implements TileSource {
  constructor(private readonly rows: LogRows) {}

  async readTile({ level, index, width }: TileAt): Promise<Uint8Array> {
    const stored = width === TILE_WIDTH ? await this.rows.tile(level, index) : undefined;
    return stored ?? this.made({ level, index, width });
  }

  /** From what is below, whether or not it is stored. */
  made({ level, index, width }: TileAt): Promise<Uint8Array> {
    const first = index * TILE_WIDTH;
    return level === 0 ? this.rows.leafHashes(first, width) : this.rows.tileRoots(level - 1, first, width);
  }
}

/**
 * Stores the full tiles between two sizes, before the larger one is signed: every tile of a signed tree was made of its
 * leaves by us, or is the same.
 *
 * @throws RefusedSigning when another tile stands there
 */
export async function completeTiles(rows: LogRows, from: number, size: number): Promise<void> {
  for (const { level, width, full } of levelsOf(size)) {
    for (let index = Math.floor(from / width); index < full; index += 1) await addTile(rows, level, index);
  }
}

/** Stores what is missing of the tiles of a signed tree, such as after somebody has removed some. */
export async function repairTiles(rows: LogRows, size: number): Promise<void> {
  for (const { level, full } of levelsOf(size)) {
    if ((await rows.countTiles(level, full)) === full) continue;
    for (let index = 0; index < full; index += 1) {
      if ((await rows.tile(level, index)) === undefined) await addTile(rows, level, index);
    }
  }
}

/** Levels that have a full tile, from below: so each is made of what is there already. */
function levelsOf(size: number): { level: number; width: number; full: number }[] {
  const levels = [];
  for (let level = 0, width = TILE_WIDTH; width <= size; level += 1, width *= TILE_WIDTH)
    levels.push({ level, width, full: Math.floor(size / width) });
  return levels;
}

async function addTile(rows: LogRows, level: number, index: number): Promise<void> {
  const hashes = await new LogTiles(rows).made({ level, index, width: TILE_WIDTH });
  const tile: StoredTile = { level, index, hashes, root: tileRoot(hashes) };
  await rows.addTile(tile);
  const [stored] = await rows.tiles(level, index, 1);
  if (stored !== undefined && isSameTile(stored, tile)) return;
  throw new RefusedSigning(
    'log_put_in',
    `Tile ${index} of level ${level} in the database is not made of its leaves: a role that may add rows has put it in, and ` +
      'records and leaves are not to blame. As the owner of the tables remove it from sallyport_log_tile, as the README of ' +
      '@sallyport/audit says; the right one is made again.',
  );
}

export function isSameTile(
  a: Pick<StoredTile, 'root' | 'hashes'>,
  b: Pick<StoredTile, 'root' | 'hashes'>,
): boolean {
  return Buffer.compare(a.root, b.root) === 0 && Buffer.compare(a.hashes, b.hashes) === 0;
}

/** Root of a full tile: the hash that it is on the level above. */
export function tileRoot(hashes: Uint8Array): Hash {
  let row = Array.from({ length: hashes.length / 32 }, (_, index) =>
    hashes.subarray(index * 32, index * 32 + 32),
  );
  while (row.length > 1) {
    row = row.flatMap((left, index) => {
      const right = row[index + 1];
      return index % 2 === 0 && right !== undefined ? [nodeHash(left, right)] : [];
    });
  }
  return row[0] ?? new Uint8Array(0);
}
