import { TILE_WIDTH, type Hash } from '@sallyport/tlog';

import type { LoggedRecord, Seal, StoredTile } from '../log-rows.js';
import { leafHashOf } from '../record-leaf.js';
import { namesOf } from './explain-fork.js';
import type { LogFinding } from './log-findings.js';
import { hex } from './signed-roots.js';
import { isSame } from './tile-check.js';

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

  private readonly seals: readonly Seal[];
  private readonly signed: number;

  /** @param known `signed`: so many leaves were signed, as somebody remembers */
  constructor(
    batch: readonly LoggedRecord[],
    known: {
      readonly tiles: readonly StoredTile[];
      readonly seals: readonly Seal[];
      readonly signed: number;
    },
  ) {
    const { tiles, seals, signed } = known;
    this.seals = seals;
    this.signed = signed;
    this.tiles = new Map(tiles.map((tile) => [tile.index, tile]));
    this.inTiles = new Set(tiles.flatMap(({ hashes }) => hashesOf(hashes).map(hex)));
    this.places = new Map(batch.map(({ hash, index }) => [hex(hash), index]));
  }

  /** `undefined`: nothing is wrong with it. */
  examine(leaf: LoggedRecord): Examined | undefined {
    const { record, index } = leaf;
    const inTile = this.inTile(index);
    const isSealed = record === undefined && this.isSealed(index);
    const hash = record && leafHashOf(record);
    if (isSealed || (hash !== undefined && isSame(hash, leaf.hash)))
      return doubtful(this.compare(leaf, inTile));
    // Nobody has signed it, so it says nothing about the record.
    if (index >= this.signed) return certain(foreign(leaf));
    return certain(hash === undefined ? removed(leaf) : this.different(leaf, hash, inTile));
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

function certain(finding: LogFinding): Examined {
  return { finding, inDoubt: false };
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

function foreign(leaf: LoggedRecord): LogFinding {
  return {
    code: 'record_inserted',
    message: `The leaf at index ${leaf.index} (seq ${leaf.seq}) was put in: no checkpoint covers it, and it is not the one of its record.`,
    ...namesOf(leaf),
  };
}
