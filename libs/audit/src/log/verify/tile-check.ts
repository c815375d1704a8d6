import { setTimeout as sleep } from 'node:timers/promises';

import { TILE_WIDTH, type Hash } from '@sallyport/tlog';

import type { LogRows, StoredTile } from '../log-rows.js';
import { tileRoot } from '../log-tiles.js';
import type { LogFindings } from './log-findings.js';

const PATIENCE_MS = 300;

/** Compares the stored tiles with the leaves, level by level, while these go by. */
export class TileCheck {
  /** Hashes since the last full tile, for each level. */
  private readonly growing: Hash[][] = [];
  private hasWaited = false;

  constructor(
    private readonly rows: LogRows,
    private readonly findings: LogFindings,
  ) {}

  /** The full tiles that the next leaves belong to. */
  stored(first: number, count: number): Promise<StoredTile[]> {
    return this.rows.tiles(0, Math.floor(first / TILE_WIDTH), Math.ceil(count / TILE_WIDTH) + 1);
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
    const stored = await this.storedAt(level, index);
    if (stored === undefined || !this.isWhole(stored, hashes)) {
      this.findings.add({
        code: 'tile_changed',
        message: `Tile ${index} of level ${level} is ${stored === undefined ? 'missing' : 'not what it was made of'}.`,
        index: index * TILE_WIDTH ** (level + 1),
      });
    }
    const above = this.at(level + 1);
    above.push(stored?.root ?? tileRoot(hashes));
    if (above.length === TILE_WIDTH) await this.complete(level + 1, Math.floor(index / TILE_WIDTH));
  }

  /** A tile is stored after its leaves: the last one of a log that grows may be about to be. */
  private async storedAt(level: number, index: number): Promise<StoredTile | undefined> {
    const [stored] = await this.rows.tiles(level, index, 1);
    if (stored !== undefined || this.hasWaited) return stored;
    this.hasWaited = true;
    await sleep(PATIENCE_MS);
    return (await this.rows.tiles(level, index, 1))[0];
  }

  /** Where a leaf differs from its tile, that leaf is named by itself; here it is about the tile. */
  private isWhole({ level, hashes, root }: StoredTile, made: Uint8Array): boolean {
    return (level === 0 || isSame(hashes, made)) && isSame(root, tileRoot(hashes));
  }

  private at(level: number): Hash[] {
    const row = this.growing[level] ?? [];
    this.growing[level] = row;
    return row;
  }
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
