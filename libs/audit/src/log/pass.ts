import { setImmediate } from 'node:timers/promises';

import type { StoredRecord } from './record-columns.js';
import type { LogRows } from './log-rows.js';
import { repairTiles } from './log-tiles.js';
import { RefusedSigning } from './log.errors.js';
import { LowWater } from './low-water.js';
import { foreignLeaf } from './put-in.js';
import { leafHashOf } from './record-leaf.js';
import { lastSequenced, treeSize } from './tree-size.js';

/** Records of one statement. Few, because SQLite reads them while nothing else runs. */
const BATCH = 256;
/** How long a pass goes on before what it added is signed. */
const PASS_MS = 400;
/** Records that one look back covers: at first until everything was looked at, then for ever, a little at a time. */
const FIRST_WINDOW = 10_000;
const WINDOW = 1000;
const FIRST_LOOK_MS = 50;

export interface Beginning {
  /** So many leaves were signed. */
  readonly signed: number;
  /** So many are known to be those of their records; at least the signed ones. */
  readonly compared: number;
  /** How long a gap between numbers may still be filled. */
  readonly graceMs: number;
  readonly now: () => number;
}

/** Gives records their places in the log. One for each time that a process holds the office. */
export class Passes {
  private cursor: number;
  private lookedUpTo = 0;
  private lookedAtAll = false;

  private constructor(
    private readonly rows: LogRows,
    private readonly lowWater: LowWater,
    private readonly now: () => number,
    private own: number,
  ) {
    this.cursor = lowWater.value;
  }

  /** Also repairs what is missing of the tiles. */
  static async begin(rows: LogRows, { signed, compared, graceMs, now }: Beginning): Promise<Passes> {
    const { size } = await treeSize(rows, Math.min(signed, compared));
    await repairTiles(rows, Math.min(signed, size));
    const lowWater = new LowWater(await lastSequenced(rows, size), graceMs);
    return new Passes(rows, lowWater, now, Math.min(compared, size));
  }

  /** So many leaves are those of their records: they were signed, added here, or compared. */
  get compared(): number {
    return this.own;
  }

  /** Whether everything that was committed before has its place; `false`: there is more. */
  async run(): Promise<boolean> {
    const startedAt = this.now();
    for (;;) {
      const records = await this.rows.unsequenced(this.cursor, Number.MAX_SAFE_INTEGER, BATCH);
      this.cursor = (await this.append(records)) ?? this.cursor;
      if (records.length < BATCH) break;
      if (this.now() - startedAt > PASS_MS) return false;
      await setImmediate();
    }
    this.lowWater.passed(Math.max(this.cursor, this.lowWater.value), startedAt);
    this.cursor = this.lowWater.value;
    await this.lookBack();
    return true;
  }

  /** Below the low water nothing should appear any more. Should it, it is found: no record is skipped for ever. */
  private async lookBack(): Promise<void> {
    const startedAt = this.now();
    do {
      const window = this.lookedAtAll ? WINDOW : FIRST_WINDOW;
      const end = await this.rows.windowEnd(this.lookedUpTo, this.lowWater.value, window);
      const until = end ?? this.lowWater.value;
      const records = await this.rows.unsequenced(this.lookedUpTo, until, BATCH);
      const last = await this.append(records);
      this.lookedUpTo = records.length < BATCH ? until : (last ?? until);
      if (this.lookedUpTo >= this.lowWater.value) {
        this.lookedAtAll = true;
        this.lookedUpTo = 0;
        return;
      }
      await setImmediate();
    } while (!this.lookedAtAll && this.now() - startedAt < FIRST_LOOK_MS);
  }

  /** The `seq` of the last one. The size is asked for each time: somebody else may have been faster. */
  private async append(records: readonly StoredRecord[]): Promise<number | undefined> {
    const { size: first, stray } = await treeSize(this.rows, this.own);
    await this.compareForeign(first);
    if (records.length === 0) return undefined;
    if (stray !== undefined && stray < first + records.length) throw strayLeaf(stray);
    await this.rows.append(
      first,
      records.map((record) => ({ seq: record.seq, hash: leafHashOf(record) })),
    );
    this.own = first + records.length;
    return records.at(-1)?.seq;
  }

  /** Leaves that another process has added: a role that may add rows may add one that is of no record. */
  private async compareForeign(end: number): Promise<void> {
    if (this.own >= end) return;
    const foreign = await foreignLeaf(this.rows, this.own, end, (upTo) => {
      this.own = upTo;
    });
    if (foreign !== undefined) throw foreignLeafIn(foreign);
  }
}

const REMOVE_LEAF =
  'As the owner of the tables remove it from sallyport_log_leaf, as the README of @sallyport/audit says.';

function strayLeaf(index: number): RefusedSigning {
  return new RefusedSigning(
    'log_put_in',
    `The log cannot be continued: the leaf at index ${index}, with none before it, was put in by somebody who may add rows. ${REMOVE_LEAF}`,
  );
}

function foreignLeafIn(index: number): RefusedSigning {
  return new RefusedSigning(
    'log_put_in',
    `The log cannot be continued: the leaf at index ${index} is not the one of its record and was never signed, so it was put in by somebody who may add rows, or its record was changed. Run sallyport audit verify. ${REMOVE_LEAF}`,
  );
}
