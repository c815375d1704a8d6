import { checkSize, isSize, parseDecimal } from './numbers.js';
import { TlogError } from './tlog.errors.js';

/** Levels of the tree that one tile spans (c2sp.org/tlog-tiles). */
export const TILE_HEIGHT = 8;
/** Hashes of a full tile. */
export const TILE_WIDTH = 256;

/** A tile: `width` hashes side by side, each the root of 256^level leaves, from number `index · 256` on. */
export interface TileAt {
  /** 0 to 63; level 0 holds the leaf hashes. */
  readonly level: number;
  readonly index: number;
  /** 1 to 256; 256 is a full tile. */
  readonly width: number;
}

/** A growth beyond a quarter of a billion leaves is done in steps: its list of tiles must fit into memory. */
const MAX_TILES = 2 ** 20;
/** `tile/63/`, six groups of digits, `.p/255`. */
const MAX_PATH_LENGTH = 64;
const PATH = /^tile\/([0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;

/**
 * Path of a tile, below the prefix of the log.
 *
 * @example
 * tilePath({ level: 0, index: 1234067, width: 5 }); // 'tile/0/x001/x234/067.p/5'
 *
 * @throws {@link TlogError} for a tile that cannot be
 */
export function tilePath(tile: TileAt): string {
  checkTile(tile);
  const suffix = tile.width === TILE_WIDTH ? '' : `.p/${tile.width}`;
  return `tile/${tile.level}/${indexPath(tile.index)}${suffix}`;
}

/**
 * The tile at a path.
 *
 * @throws {@link TlogError} `malformed_tile_path` for any path that `tilePath` does not write
 */
export function parseTilePath(path: string): TileAt {
  const match = path.length > MAX_PATH_LENGTH ? null : PATH.exec(path);
  const [, level = '', index = '', width] = match ?? [];
  const tile = {
    level: parseDecimal(level) ?? -1,
    index: Number(index.replaceAll(/[x/]/g, '') || -1),
    width: width === undefined ? TILE_WIDTH : (parseDecimal(width) ?? -1),
  };
  // Every tile has one path: with its zeros or its width written otherwise, it is none.
  if (!isTile(tile) || tilePath(tile) !== path)
    throw new TlogError('malformed_tile_path', 'This is not the path of a tile (c2sp.org/tlog-tiles).');
  return tile;
}

/**
 * The tiles that are new or have grown, partial ones included, when the tree grows from `oldSize` to `newSize` leaves:
 * by level, then index.
 *
 * @throws {@link TlogError} when the tree would shrink, or grow by more than 2^20 tiles at once
 */
export function tilesFor(oldSize: number, newSize: number): readonly TileAt[] {
  checkSize(oldSize);
  checkSize(newSize);
  if (oldSize > newSize) throw new TlogError('invalid_number', 'A tree does not shrink.');
  if ((newSize - oldSize) / TILE_WIDTH > MAX_TILES)
    throw new TlogError('invalid_number', 'The tree grows by too many tiles at once: grow in steps.');
  const tiles: TileAt[] = [];
  let [oldCount, newCount] = [oldSize, newSize];
  for (let level = 0; newCount > oldCount; level += 1) {
    for (let index = Math.floor(oldCount / TILE_WIDTH); index * TILE_WIDTH < newCount; index += 1)
      tiles.push({ level, index, width: Math.min(TILE_WIDTH, newCount - index * TILE_WIDTH) });
    [oldCount, newCount] = [Math.floor(oldCount / TILE_WIDTH), Math.floor(newCount / TILE_WIDTH)];
  }
  return tiles;
}

/** Throws a `TlogError` for a tile that cannot be. */
export function checkTile(tile: TileAt): void {
  if (!isTile(tile))
    throw new TlogError(
      'invalid_number',
      'A tile has a level from 0 to 63, an index from 0, and a width from 1 to 256.',
    );
}

function isTile({ level, index, width }: TileAt): boolean {
  return isSize(level) && level <= 63 && isSize(index) && isSize(width) && width >= 1 && width <= TILE_WIDTH;
}

/** 1234067 → `x001/x234/067` */
function indexPath(index: number): string {
  const last = String(index % 1000).padStart(3, '0');
  const groups = [last];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`);
  return groups.join('/');
}
