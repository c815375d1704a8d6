/** Below this many records nothing is taken as settled at a start: another process may be committing them now. */
const START_MARGIN = 10_000;

/**
 * Up to which `seq` everything is sequenced or will never exist. PostgreSQL hands out numbers before rows are committed, so
 * a lower one may appear after a higher one was sequenced: a gap counts as one only when it is older than any statement
 * may take.
 */
export class LowWater {
  value: number;
  private readonly seen: { readonly seq: number; readonly at: number }[] = [];

  /**
   * @param sequenced highest `seq` with a leaf
   * @param graceMs how long a gap may still be filled; 0 where numbers are in order of commit (SQLite)
   */
  constructor(
    sequenced: number,
    private readonly graceMs: number,
  ) {
    this.value = Math.max(0, sequenced - START_MARGIN);
  }

  /** A pass that began at `startedAt` (milliseconds) left nothing to sequence; the highest it saw is `seq`. */
  passed(seq: number, startedAt: number): void {
    this.seen.push({ seq, at: startedAt });
    // What was seen so long before this pass began had all its lower neighbours committed when it began.
    while (this.seen[0] !== undefined && this.seen[0].at <= startedAt - this.graceMs)
      this.value = Math.max(this.value, this.seen.shift()?.seq ?? 0);
  }
}
