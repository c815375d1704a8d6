import type { Hash } from '@sallyport/tlog';

import type { LogKeys, OpenedCheckpoint } from '../log-keys.js';
import type { LogRows, StoredCheckpoint } from '../log-rows.js';
import { openedRow } from '../newest-signed.js';
import type { LogFindings } from './log-findings.js';

/** What was signed of one size of the tree. */
export interface SignedSize {
  /** Root in hexadecimal → where it stands. More than one is a fork. */
  readonly roots: Map<string, string>;
  /** The last time that this size was signed; milliseconds since the epoch. 0: no signature says when. */
  signedAt: number;
  /** The first time. */
  firstSignedAt: number;
}

const PAGE = 500;
/** Rows that nobody signed may stand between. */
const LOOK_AHEAD = 20;

/** The roots that were signed, size by size: by the checkpoints of the database, and by others that remember. */
export class SignedRoots {
  /** How many signatures were verified. */
  verified = 0;
  /** The largest size of those in the database, as far as they were read. */
  newest = 0;
  private size = -1;
  private at = 0;

  constructor(
    private readonly rows: LogRows,
    private readonly keys: LogKeys,
    private readonly others: readonly { readonly from: string; readonly checkpoint: OpenedCheckpoint }[],
    private readonly findings: LogFindings,
  ) {}

  /** All sizes up to `size` that were not given out yet. Many signings of one size are one. */
  async upTo(size: number): Promise<Map<number, SignedSize>> {
    const signed = new Map<number, SignedSize>();
    const first = this.size;
    for (;;) {
      const page = await this.rows.checkpointsAfter(this.size, this.at, PAGE);
      const due = page.filter((checkpoint) => checkpoint.size <= size);
      for (const row of due) {
        [this.size, this.at] = [row.size, row.at];
        const checkpoint = this.open(row);
        if (checkpoint !== undefined) keep(signed, checkpoint, `the checkpoint of ${row.size} records`);
      }
      if (due.length < PAGE) break;
    }
    for (const { from, checkpoint } of this.others) {
      if (checkpoint.size > first && checkpoint.size <= size) keep(signed, checkpoint, from);
    }
    this.size = size;
    this.at = Number.MAX_SAFE_INTEGER;
    return signed;
  }

  /** When more than so many records were signed first; `undefined`: never, or nothing says when. */
  async signedAfter(size: number): Promise<number | undefined> {
    const page = await this.rows.checkpointsAfter(size, Number.MAX_SAFE_INTEGER, LOOK_AHEAD);
    const opened = page.flatMap((row) => openedRow(row, this.keys) ?? []);
    return opened.find(({ signedAt }) => signedAt !== undefined)?.signedAt;
  }

  /** The largest size of what is left; -1 when nothing is. */
  async rest(): Promise<number> {
    let largest = -1;
    for (;;) {
      const page = await this.rows.checkpointsAfter(this.size, this.at, PAGE);
      for (const row of page) {
        [this.size, this.at] = [row.size, row.at];
        largest = Math.max(largest, this.open(row)?.size ?? -1);
      }
      if (page.length < PAGE) break;
    }
    const misplaced = await this.rows.misplacedCheckpoints();
    if (misplaced > 0) this.findings.add({ code: 'checkpoint_signature', message: MISPLACED }, misplaced);
    return largest;
  }

  private open(row: StoredCheckpoint): OpenedCheckpoint | undefined {
    const checkpoint = openedRow(row, this.keys);
    if (checkpoint === undefined) {
      this.findings.add({
        code: 'checkpoint_signature',
        message: `The checkpoint in a row for ${row.size} records was put in: no known key of this log has signed it for that size.`,
        index: Math.max(0, row.size - 1),
      });
      return undefined;
    }
    this.verified += 1;
    this.newest = Math.max(this.newest, checkpoint.size);
    return checkpoint;
  }
}

const MISPLACED = 'A checkpoint was put in: its row says a size or a time that is none.';

function keep(signed: Map<number, SignedSize>, checkpoint: OpenedCheckpoint, from: string): void {
  const { size, root, signedAt = 0 } = checkpoint;
  const known = signed.get(size) ?? { roots: new Map<string, string>(), signedAt: 0, firstSignedAt: 0 };
  if (!known.roots.has(hex(root))) known.roots.set(hex(root), from);
  known.signedAt = Math.max(known.signedAt, signedAt);
  if (known.firstSignedAt === 0 || signedAt < known.firstSignedAt) known.firstSignedAt = signedAt;
  signed.set(size, known);
}

export function hex(hash: Hash): string {
  return Buffer.from(hash).toString('hex');
}
