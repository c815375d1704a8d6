import { setImmediate } from 'node:timers/promises';

import { TILE_WIDTH } from '@sallyport/tlog';

import type { StoredRecord } from './record-columns.js';
import type { LogRows } from './log-rows.js';
import { completeTiles } from './log-tiles.js';
import { LowWater } from './low-water.js';
import { leafHashOf } from './record-leaf.js';

/** Records of one statement. Few, because SQLite reads them while nothing else runs. */
const BATCH = 256;
/** How long a pass goes on before what it added is signed. */
const PASS_MS = 400;
/** Records that one look back covers: at first until everything was looked at, then for ever, a little at a time. */
const FIRST_WINDOW = 10_000;
const WINDOW = 1000;
const FIRST_LOOK_MS = 50;

/** Gives records their places in the log. One for each time that a process holds the office. */
export class Passes {
  private cursor: number;
  private lookedUpTo = 0;
  private lookedAtAll = false;

  private constructor(
    private readonly rows: LogRows,
    private readonly lowWater: LowWater,
    private readonly now: () => number,
  ) {
    this.cursor = lowWater.value;
  }

  /** Also repairs what a crash between leaves and tiles left. */
  static async begin(rows: LogRows, graceMs: number, now: () => number): Promise<Passes> {
    await completeTiles(rows, await rows.size());
    return new Passes(rows, new LowWater(await rows.lastSeq(), graceMs), now);
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
    if (records.length === 0) return undefined;
    const first = await this.rows.size();
    await this.rows.append(
      first,
      records.map((record) => ({ seq: record.seq, hash: leafHashOf(record) })),
    );
    const size = first + records.length;
    if (Math.floor(first / TILE_WIDTH) !== Math.floor(size / TILE_WIDTH))
      await completeTiles(this.rows, size);
    return records.at(-1)?.seq;
  }
}
