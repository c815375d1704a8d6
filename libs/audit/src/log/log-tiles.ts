import { nodeHash, TILE_WIDTH, type Hash, type TileAt, type TileSource } from '@sallyport/tlog';

import type { LogRows } from './log-rows.js';

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

/** Stores the full tiles that the log lacks, after leaves were added or after a crash between the two. */
export async function completeTiles(rows: LogRows, size: number): Promise<void> {
  const tiles = new LogTiles(rows);
  let width = TILE_WIDTH;
  for (let level = 0; width <= size; level += 1) {
    const full = Math.floor(size / width);
    for (let index = await rows.tileCount(level); index < full; index += 1) {
      const hashes = await tiles.made({ level, index, width: TILE_WIDTH });
      await rows.addTile({ level, index, hashes, root: tileRoot(hashes) });
    }
    width *= TILE_WIDTH;
  }
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
