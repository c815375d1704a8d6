import { TILE_WIDTH, type Hash } from '@sallyport/tlog';

import type { LoggedRecord, Seal, StoredTile } from '../log-rows.js';
import { leafHashOf } from '../record-leaf.js';
import { namesOf } from './explain-fork.js';
import type { LogFinding } from './log-findings.js';
import { hex } from './signed-roots.js';
import { isSame } from './tile-check.js';

/** How much later than its time a record may enter the log: clocks differ, and servers are restarted. */
const LATE_MS = 10 * 60_000;

/** What is wrong with a leaf. `inDoubt`: leaf and tile differ, and only what was signed tells which is right. */
export interface Examined {
  readonly finding: LogFinding;
  readonly inDoubt: boolean;
}

/** Compares each leaf of a batch with its record, and with the tile that was made of it. */
export class RecordCheck {
  private readonly tiles: ReadonlyMap<number, StoredTile>;
  /** Where hashes stand now, and where they stood when they entered the tree. */
  private readonly places: ReadonlyMap<string, number>;
  private readonly inTiles: ReadonlySet<string>;

  constructor(
    batch: readonly LoggedRecord[],
    tiles: readonly StoredTile[],
    private readonly seals: readonly Seal[],
  ) {
    this.tiles = new Map(tiles.map((tile) => [tile.index, tile]));
    this.inTiles = new Set(tiles.flatMap(({ hashes }) => hashesOf(hashes).map(hex)));
    this.places = new Map(batch.map(({ hash, index }) => [hex(hash), index]));
  }

  /** `undefined`: nothing is wrong with it. `signedAt`: the last time that the log was signed without it. */
  examine(leaf: LoggedRecord, signedAt: number): Examined | undefined {
    const { record } = leaf;
    const inTile = this.inTile(leaf.index);
    if (record === undefined) {
      if (!this.isSealed(leaf.index)) return certain(removed(leaf));
      return doubtful(this.compare(leaf, inTile));
    }
    const hash = leafHashOf(record);
    if (!isSame(hash, leaf.hash)) return certain(this.different(leaf, hash, inTile));
    return doubtful(this.compare(leaf, inTile)) ?? certain(backdated(leaf, signedAt));
  }

  /** The leaf agrees with its record, so when the tile does not, it is about both. */
  private compare(leaf: LoggedRecord, inTile: Hash | undefined): LogFinding | undefined {
    if (inTile === undefined || isSame(inTile, leaf.hash)) return undefined;
    const isNew = !this.inTiles.has(hex(leaf.hash));
    const now = this.places.get(hex(inTile));
    const names = namesOf(leaf);
    const place = `index ${leaf.index}`;
    if (isNew && now === undefined)
      return {
        code: 'record_changed',
        message: `The record at ${place} and its leaf were changed.`,
        ...names,
      };
    if (isNew)
      return {
        code: 'record_inserted',
        message: `The record at ${place} and its leaf were put in.`,
        ...names,
      };
    if (now === undefined)
      return {
        code: 'record_removed',
        message: `The record that was at ${place} was removed with its leaf.`,
        index: leaf.index,
      };
    return reordered(leaf, `the record that was logged there stands at index ${now}`);
  }

  private different(leaf: LoggedRecord, hash: Hash, inTile: Hash | undefined): LogFinding {
    if (inTile !== undefined && isSame(inTile, hash)) {
      return {
        code: 'leaf_changed',
        message: `The leaf at index ${leaf.index} was changed; its record is the one in the tree.`,
        ...namesOf(leaf),
      };
    }
    const other = this.places.get(hex(hash));
    if (other !== undefined) return reordered(leaf, `this record is the one of index ${other}`);
    return {
      code: 'record_changed',
      message: `The record at index ${leaf.index} was changed after it entered the log.`,
      ...namesOf(leaf),
    };
  }

  private inTile(index: number): Hash | undefined {
    const at = (index % TILE_WIDTH) * 32;
    return this.tiles.get(Math.floor(index / TILE_WIDTH))?.hashes.subarray(at, at + 32);
  }

  private isSealed(index: number): boolean {
    return this.seals.some(({ from, to }) => from <= index && index <= to);
  }
}

function certain(finding: LogFinding | undefined): Examined | undefined {
  return finding && { finding, inDoubt: false };
}

function doubtful(finding: LogFinding | undefined): Examined | undefined {
  return finding && { finding, inDoubt: true };
}

function hashesOf(tile: Uint8Array): Hash[] {
  return Array.from({ length: tile.length / 32 }, (_, at) => tile.subarray(at * 32, at * 32 + 32));
}

function removed(leaf: LoggedRecord): LogFinding {
  return {
    code: 'record_removed',
    message: `The record at index ${leaf.index} (seq ${leaf.seq}) was removed.`,
    ...namesOf(leaf),
  };
}

function reordered(leaf: LoggedRecord, how: string): LogFinding {
  return {
    code: 'record_reordered',
    message: `At index ${leaf.index} stands another record than the one that was logged there: ${how}.`,
    ...namesOf(leaf),
  };
}

/** It claims a time at which the log was signed later, and was not in it. */
function backdated(leaf: LoggedRecord, signedAt: number): LogFinding | undefined {
  const { record } = leaf;
  if (record === undefined || !(record.at < signedAt - LATE_MS)) return undefined;
  return {
    code: 'record_inserted',
    message: `The record at index ${leaf.index} says ${timeOf(record.at)}, and was not in the log that was signed at ${timeOf(signedAt)}.`,
    ...namesOf(leaf),
  };
}

function timeOf(at: number): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? 'no time' : time.toISOString();
}
