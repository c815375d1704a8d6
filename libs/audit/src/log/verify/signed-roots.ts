import type { Hash } from '@sallyport/tlog';

import type { LogKeys, OpenedCheckpoint } from '../log-keys.js';
import type { LogRows } from '../log-rows.js';
import type { LogFindings } from './log-findings.js';

/** What was signed of one size of the tree. */
export interface SignedSize {
  /** Root in hexadecimal → where it stands. More than one is a fork. */
  readonly roots: Map<string, string>;
  /** The last time that this size was signed; milliseconds since the epoch. */
  signedAt: number;
}

const PAGE = 500;

/** The roots that were signed, size by size: by the checkpoints of the database, and by others that remember. */
export class SignedRoots {
  /** How many signatures were verified. */
  verified = 0;
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
      for (const { size: of, at, note } of due) {
        this.size = of;
        this.at = at;
        this.open(of, note, signed);
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

  private open(size: number, note: string, signed: Map<number, SignedSize>): void {
    try {
      const checkpoint = this.keys.open(note);
      if (checkpoint.size !== size) throw new Error('The row says another size.');
      this.verified += 1;
      keep(signed, checkpoint, `the checkpoint of ${size} records`);
    } catch {
      this.findings.add({
        code: 'checkpoint_signature',
        message: `The checkpoint of ${size} records was not signed by a known key of this log.`,
        index: Math.max(0, size - 1),
      });
    }
  }
}

function keep(signed: Map<number, SignedSize>, checkpoint: OpenedCheckpoint, from: string): void {
  const { size, root, signedAt = 0 } = checkpoint;
  const known = signed.get(size) ?? { roots: new Map<string, string>(), signedAt: 0 };
  if (!known.roots.has(hex(root))) known.roots.set(hex(root), from);
  known.signedAt = Math.max(known.signedAt, signedAt);
  signed.set(size, known);
}

export function hex(hash: Hash): string {
  return Buffer.from(hash).toString('hex');
}
