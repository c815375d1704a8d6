import { TILE_WIDTH, type TileAt } from '@sallyport/tlog';

import type { LogRows } from './log-rows.js';
import { leafHashOf } from './record-leaf.js';
import { treeSize } from './tree-size.js';

/*
 * Rows that a server would not have written: the role of the server may add rows, and so may whoever has its password.
 */

/** Leaves of one query. */
const BATCH = 256;

/** The first leaf from `first` to before `end` that is not the one of its record. */
export async function foreignLeaf(
  rows: LogRows,
  first: number,
  end: number,
  onCompared: (upTo: number) => void = () => undefined,
): Promise<number | undefined> {
  for (let next = first; next < end; next += BATCH) {
    for (const { index, hash, record } of await rows.logged(next, Math.min(BATCH, end - next))) {
      if (record === undefined || Buffer.compare(leafHashOf(record), hash) !== 0) return index;
    }
    onCompared(Math.min(next + BATCH, end));
  }
  return undefined;
}

/** The highest level of which a tree of 2^53 leaves has a full tile. */
const HIGHEST_LEVEL = 6;

/** Tiles that the tree has not grown up to: the first of each level. */
export async function strayTiles(rows: LogRows): Promise<TileAt[]> {
  const { size } = await treeSize(rows, 0);
  const found: TileAt[] = await rows.tilesBeyond(HIGHEST_LEVEL, 1);
  for (let level = 0; level <= HIGHEST_LEVEL; level += 1)
    found.push(...(await rows.tilesFrom(level, Math.floor(size / TILE_WIDTH ** (level + 1)), 1)));
  if (found.length === 0) return [];
  // The tree grows meanwhile.
  const { size: sizeNow } = await treeSize(rows, size);
  const isReached = ({ level, index }: TileAt) =>
    index >= 0 && (index + 1) * TILE_WIDTH ** (level + 1) <= sizeNow;
  return found.filter((tile) => tile.level < 0 || tile.level > HIGHEST_LEVEL || !isReached(tile));
}
