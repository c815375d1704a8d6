import { TILE_WIDTH, type Hash } from '@sallyport/tlog';

import type { LogRows, StoredTile } from '../log-rows.js';
import { tileRoot } from '../log-tiles.js';
import type { LogFindings } from './log-findings.js';

/** Compares the stored tiles with the leaves, level by level, while these go by. */
export class TileCheck {
  /** Hashes since the last full tile, for each level. */
  private readonly growing: Hash[][] = [];

  /** @param signed so many leaves were signed: their tiles are stored before */
  constructor(
    private readonly rows: LogRows,
    private readonly findings: LogFindings,
    private readonly signed: number,
  ) {}

  /** The full tiles that the next leaves belong to, of a tree of that size. */
  async stored(first: number, count: number, size: number): Promise<StoredTile[]> {
    const tiles = await this.rows.tiles(0, Math.floor(first / TILE_WIDTH), Math.ceil(count / TILE_WIDTH) + 1);
    return tiles.filter(({ index }) => (index + 1) * TILE_WIDTH <= size);
  }

  /** The next leaf. Resolves when a tile that it completes was compared. */
  async add(leaf: Hash, index: number): Promise<void> {
    const row = this.at(0);
    row.push(leaf);
    if (row.length === TILE_WIDTH) await this.complete(0, Math.floor(index / TILE_WIDTH));
  }

  private async complete(level: number, index: number): Promise<void> {
    const hashes = Buffer.concat(this.at(level));
    this.growing[level] = [];
    const [stored] = await this.rows.tiles(level, index, 1);
    const width = TILE_WIDTH ** (level + 1);
    const isDue = (index + 1) * width <= this.signed;
    if (stored === undefined ? isDue : !this.isWhole(stored, hashes)) {
      this.findings.add({
        code: 'tile_changed',
        message: `Tile ${index} of level ${level} is ${stored === undefined ? 'missing' : 'not made of what is below it: it was put in or changed'}.`,
        index: index * width,
      });
    }
    const above = this.at(level + 1);
    above.push(rootOf(stored) ?? tileRoot(hashes));
    if (above.length === TILE_WIDTH) await this.complete(level + 1, Math.floor(index / TILE_WIDTH));
  }

  /** Where a leaf differs from its tile, that leaf is named by itself; here it is about the tile. */
  private isWhole(stored: StoredTile, made: Uint8Array): boolean {
    return (stored.level === 0 || isSame(stored.hashes, made)) && rootOf(stored) !== undefined;
  }

  private at(level: number): Hash[] {
    const row = this.growing[level] ?? [];
    this.growing[level] = row;
    return row;
  }
}

/** What the level above was made of; `undefined` when it is not the root of its hashes. */
function rootOf(tile: StoredTile | undefined): Hash | undefined {
  return tile !== undefined && isSame(tile.root, tileRoot(tile.hashes)) ? tile.root : undefined;
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
