/** What is wrong with a log, as a stable code. */
export type LogFindingCode =
  /** A record is not what it was when it entered the log. */
  | 'record_changed'
  /** A leaf has no record, and no seal says that it was exported. */
  | 'record_removed'
  /** Records stand in each other's places. */
  | 'record_reordered'
  /** A record was put in later than it says, or a leaf between others. */
  | 'record_inserted'
  /** A record has no leaf, and had time enough for one. */
  | 'record_unlogged'
  /** Leaves are missing, at the end or between others. */
  | 'log_truncated'
  /** The tree is another than the one that was signed. */
  | 'log_forked'
  /** A leaf is not what it was when it entered the tree. */
  | 'leaf_changed'
  /** A stored tile is missing, is not made of the leaves, or was put in where there are none. */
  | 'tile_changed'
  /** A checkpoint was signed by no key that is known: it was put in. */
  | 'checkpoint_signature'
  /** A checkpoint that is held elsewhere is not in the database any more. */
  | 'checkpoint_removed'
  /** Nobody outside of the database remembers what was signed, so an older copy of it would look the same. */
  | 'log_memory'
  /** Records that should have been signed were not. */
  | 'log_unsigned'
  /** A seal says that records were exported, and no record of the log says so. */
  | 'seal_unannounced'
  /** A file does not hold the records that were sealed. */
  | 'sealed_file';

export interface LogFinding {
  readonly code: LogFindingCode;
  /** For people; holds nothing of a record but its number and id. */
  readonly message: string;
  /** Of the leaf, from 0. */
  readonly index?: number;
  readonly seq?: number;
  readonly id?: string;
}

/** The first finding of each kind, and how many there were: a log that was replaced has millions. */
export class LogFindings {
  private readonly kinds = new Map<LogFindingCode, { first: LogFinding; count: number }>();

  /** @param count of how many it is the first */
  add(finding: LogFinding, count = 1): void {
    const kind = this.kinds.get(finding.code);
    if (kind !== undefined) kind.count += count;
    else this.kinds.set(finding.code, { first: finding, count });
  }

  has(code: LogFindingCode): boolean {
    return this.kinds.has(code);
  }

  get isEmpty(): boolean {
    return this.kinds.size === 0;
  }

  /** In order of their place in the log; what has no place comes last. */
  list(): (LogFinding & { readonly count: number })[] {
    return [...this.kinds.values()]
      .map(({ first, count }) => ({ ...first, count }))
      .sort((a, b) => (a.index ?? Infinity) - (b.index ?? Infinity));
  }
}
