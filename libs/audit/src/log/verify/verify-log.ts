import { EMPTY_ROOT, Frontier } from '@sallyport/tlog';

import type { LogKeys, OpenedCheckpoint } from '../log-keys.js';
import type { LoggedRecord, LogRows, Seal } from '../log-rows.js';
import { explainFork, type Fork } from './explain-fork.js';
import { LogFindings, type LogFinding } from './log-findings.js';
import { leafHashOf } from '../record-leaf.js';
import { RecordCheck, type Examined } from './record-check.js';
import { SealCheck } from './seal-check.js';
import { checkSealedFiles } from './sealed-files-check.js';
import { hex, SignedRoots, type SignedSize } from './signed-roots.js';
import { isSame, TileCheck } from './tile-check.js';

/** A note from outside of the database: of the signer's state, a publisher, a file. */
export interface WitnessedNote {
  /** In words, as in `… remembers 100 records`. */
  readonly from: string;
  readonly note: string;
}

export interface VerifyLogOptions {
  readonly keys: LogKeys;
  /** Read before the log is, so that none can be newer than it. */
  readonly witnesses: readonly WitnessedNote[];
  /** Paths of files with sealed records, to be compared as well. Default: none. */
  readonly sealedFiles?: readonly string[];
  /** Milliseconds since the epoch. Default: now. */
  readonly now?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface LogReport {
  /** Nothing is wrong. */
  readonly ok: boolean;
  /** The first of each kind, in order of place. */
  readonly findings: readonly (LogFinding & { readonly count: number })[];
  /** Leaves that were compared. */
  readonly leaves: number;
  /** Leaves whose records were exported and have left the database. */
  readonly sealed: number;
  /** Files that they were exported to, and how many of these were given and hold what was sealed. */
  readonly sealedFiles: number;
  readonly sealedFilesCompared: number;
  /** Records that are not in the log yet. */
  readonly pending: number;
  /** Leaves after the newest checkpoint. */
  readonly unsigned: number;
  /** Checkpoints whose signatures are good. */
  readonly checkpoints: number;
  /** Root of the tree of all leaves, hexadecimal; `undefined` where leaves are missing. */
  readonly root: string | undefined;
  /** When the newest signed size was signed; milliseconds since the epoch. */
  readonly signedAt: number | undefined;
}

/** Leaves of one query: a multiple of a tile. */
const BATCH = 1024;
/** Numbers of records that one look for what has no leaf covers. */
const WINDOW = 20_000;
/** Leaves that differ from their tiles between two signed sizes; with more, it is not about single ones. */
const MOST_IN_DOUBT = 4096;
/** A record that has no leaf or no signature after this long was overlooked, or hidden. */
const OVERDUE_MS = 60_000;

/**
 * Compares every record, leaf, tile and checkpoint with each other, in memory that does not grow with the log. Reads
 * only.
 */
export async function verifyLog(rows: LogRows, options: VerifyLogOptions): Promise<LogReport> {
  return new LogVerification(rows, options).run();
}

class LogVerification {
  private readonly findings = new LogFindings();
  private readonly tiles: TileCheck;
  private readonly announced = new SealCheck();
  private seals: readonly Seal[] = [];
  private readonly now: number;
  private readonly others: { readonly from: string; readonly checkpoint: OpenedCheckpoint }[] = [];
  private tree = Frontier.empty();
  /** The tree at the last size whose root was signed. */
  private good = Frontier.empty();
  private fork: Fork | undefined;
  /** Leaves that differ from their tiles, until the next signed root says which is right. */
  private inDoubt: LogFinding[] = [];
  private isExplained = false;
  private hasGap = false;
  private leaves = 0;
  private sealed = 0;
  private signed: { size: number; at: number } | undefined;
  /** Of the newest checkpoint in the database, when everything else was read. */
  private newestSize = 0;
  /** The oldest record after the newest signed size. */
  private firstUnsigned: LoggedRecord | undefined;

  constructor(
    private readonly rows: LogRows,
    private readonly options: VerifyLogOptions,
  ) {
    this.tiles = new TileCheck(rows, this.findings);
    this.now = options.now ?? Date.now();
  }

  async run(): Promise<LogReport> {
    this.openWitnesses();
    const { rows, options } = this;
    this.seals = await rows.seals();
    const size = await rows.size();
    const roots = new SignedRoots(rows, options.keys, this.others, this.findings);
    for (let first = 0; first < size; first = await this.after(first + BATCH)) {
      await this.walk(first, Math.min(size, first + BATCH), roots);
      options.onProgress?.(Math.min(size, first + BATCH), size);
    }
    this.blameLeaves();
    if (this.fork !== undefined && !this.isExplained) this.findings.add(await explainFork(rows, this.fork));
    await this.checkTail(size);
    await this.checkNumbers();
    const pending = await this.countPending();
    this.checkUnsigned();
    const sealedFilesCompared = await this.checkSeals(size);
    return { ...this.report(roots.verified, size, pending), sealedFilesCompared };
  }

  private async checkSeals(size: number): Promise<number> {
    const { rows, options, seals, announced } = this;
    // What was sealed meanwhile was announced meanwhile, in records that were not walked.
    for (let first = size; announced.findings(seals).length > 0; first += BATCH) {
      const batch = await rows.logged(first, BATCH);
      for (const leaf of batch) if (isLogged(leaf)) announced.see(leaf);
      if (batch.length < BATCH) break;
    }
    const files = await checkSealedFiles(options.sealedFiles ?? [], { rows, keys: options.keys, seals });
    for (const finding of [...announced.findings(seals), ...files.findings]) this.findings.add(finding);
    return files.good;
  }

  private openWitnesses(): void {
    for (const { from, note } of this.options.witnesses) {
      try {
        this.others.push({ from, checkpoint: this.options.keys.open(note) });
      } catch {
        const message = `What ${from} holds is no checkpoint of this log that a known key signed.`;
        this.findings.add({ code: 'checkpoint_signature', message });
      }
    }
  }

  private async walk(first: number, end: number, roots: SignedRoots): Promise<void> {
    const signed = await roots.upTo(end);
    const batch = await this.rows.logged(first, end - first);
    // Records are sealed while the log is verified.
    if (batch.some(({ record }) => record === undefined)) this.seals = await this.rows.seals();
    const check = new RecordCheck(batch, await this.tiles.stored(first, end - first), this.seals);
    if (first === 0) this.compareRoot(0, signed.get(0));
    for (const leaf of batch) {
      await this.follow(leaf);
      const examined = check.examine(leaf, this.signed?.at ?? 0);
      this.note(examined);
      if (examined === undefined) this.announced.see(leaf);
      if (leaf.record === undefined && examined === undefined) this.sealed += 1;
      this.compareRoot(leaf.index + 1, signed.get(leaf.index + 1));
      if (!signed.has(leaf.index + 1)) this.firstUnsigned ??= leaf;
    }
    const last = (batch.at(-1)?.index ?? first - 1) + 1;
    if (last < end) this.missing(last);
  }

  /** Where the walk goes on. A gap may be as wide as numbers are. */
  private async after(end: number): Promise<number> {
    if (!this.hasGap) return end;
    return (await this.rows.nextIndex(end)) ?? Number.POSITIVE_INFINITY;
  }

  private note(examined: Examined | undefined): void {
    if (examined === undefined) return;
    const { finding, inDoubt } = examined;
    if (inDoubt) this.inDoubt.push(finding);
    else this.findings.add(finding);
    if (finding.code === 'leaf_changed') this.explainFork();
    if (this.inDoubt.length >= MOST_IN_DOUBT) this.blameLeaves();
  }

  /** The root that the leaves give is not the one that was signed, or nothing was signed of them. */
  private blameLeaves(): void {
    if (this.inDoubt.length > 0) this.explainFork();
    for (const finding of this.inDoubt.splice(0)) this.findings.add(finding);
  }

  /** A fork after this is the consequence of what was found already. */
  private explainFork(): void {
    this.isExplained ||= this.fork === undefined;
  }

  /** The leaves give the root that was signed. */
  private blameTiles(): void {
    for (const { index = 0 } of this.inDoubt.splice(0)) {
      const message = `The tile with index ${index} holds another hash than the leaf that was signed.`;
      this.findings.add({ code: 'tile_changed', message, index });
    }
  }

  private async follow(leaf: LoggedRecord): Promise<void> {
    if (leaf.index !== this.leaves && !this.hasGap) this.missing(this.leaves);
    this.leaves = leaf.index + 1;
    if (this.hasGap || leaf.hash.length !== 32) {
      this.hasGap = true;
      return;
    }
    this.tree.append(leaf.hash);
    await this.tiles.add(leaf.hash, leaf.index);
  }

  /** Behind a gap no root can be compared any more. */
  private missing(index: number): void {
    this.hasGap = true;
    this.findings.add({ code: 'log_truncated', message: `The leaf at index ${index} is missing.`, index });
  }

  private compareRoot(size: number, signed: SignedSize | undefined): void {
    if (signed === undefined) return;
    this.signed = { size, at: Math.max(signed.signedAt, this.signed?.at ?? 0) };
    this.firstUnsigned = undefined;
    if (this.hasGap || this.fork !== undefined) return;
    const root = hex(size === 0 ? EMPTY_ROOT : this.tree.root());
    const others = new Map([...signed.roots].filter(([other]) => other !== root));
    if (others.size > 0) {
      this.blameLeaves();
      this.fork = { good: this.good, size, roots: others };
      return;
    }
    this.good = this.tree.clone();
    this.blameTiles();
  }

  /** What was signed of more records than there are. */
  private async checkTail(size: number): Promise<void> {
    const newest = await this.rows.newestCheckpoint();
    this.newestSize = newest?.size ?? 0;
    const known = [
      ...(newest === undefined ? [] : [{ from: 'the newest checkpoint', size: newest.size }]),
      ...this.others.map(({ from, checkpoint }) => ({ from, size: checkpoint.size })),
    ];
    // The log grows while it is verified.
    const sizeNow = await this.rows.size();
    for (const { from, size: was } of known) {
      if (was <= Math.max(size, sizeNow)) continue;
      this.findings.add({
        code: 'log_truncated',
        message: `The log has ${sizeNow} records, and ${from} remembers ${was} that were signed: the last ${was - sizeNow} are gone.`,
        index: sizeNow,
      });
    }
  }

  /** Where nobody looks, neither a reader nor the rest of this: what stands there was put there. */
  private async checkNumbers(): Promise<void> {
    for (const { seq, id } of await this.rows.misnumbered(BATCH)) {
      const message = `The record with seq ${seq} was put in: numbers begin with 1.`;
      this.findings.add({ code: 'record_inserted', message, seq, id });
    }
    for (const { index, seq } of await this.rows.misplaced(BATCH)) {
      const message = `The leaf at index ${index} was put in, outside of the tree: indices begin with 0.`;
      this.findings.add({ code: 'record_inserted', message, index, seq });
    }
  }

  private async countPending(): Promise<number> {
    const last = Math.min(await this.rows.lastRecord(), Number.MAX_SAFE_INTEGER);
    let pending = 0;
    let after = 0;
    for (;;) {
      const end = await this.rows.windowEnd(after, last, WINDOW);
      if (end === undefined) break;
      const found = await this.rows.unlogged(after, end);
      after = end;
      pending += found.length;
      for (const { seq, id, at } of found) {
        if (Math.abs(this.now - at) <= OVERDUE_MS) continue;
        const message = `The record with seq ${seq} is not in the log: it was inserted, or the log has stopped.`;
        this.findings.add({ code: 'record_unlogged', message, seq, id });
      }
    }
    return pending;
  }

  private checkUnsigned(): void {
    const { index, seq, record } = this.firstUnsigned ?? {};
    // The log grows while it is verified: a newer checkpoint may cover it by now.
    if (index === undefined || index < this.newestSize) return;
    if (record === undefined || Math.abs(this.now - record.at) <= OVERDUE_MS) return;
    this.findings.add({
      code: 'log_unsigned',
      message: `No checkpoint covers the records from index ${index} on: the signer has stopped, or refuses.`,
      index,
      ...(seq === undefined ? {} : { seq }),
      id: record.id,
    });
  }

  private report(checkpoints: number, size: number, pending: number): Omit<LogReport, 'sealedFilesCompared'> {
    return {
      ok: this.findings.isEmpty,
      findings: this.findings.list(),
      leaves: this.leaves,
      sealed: this.sealed,
      sealedFiles: this.seals.length,
      pending,
      unsigned: size - (this.signed?.size ?? 0),
      checkpoints,
      root: this.hasGap ? undefined : hex(this.tree.size === 0 ? EMPTY_ROOT : this.tree.root()),
      signedAt: this.signed?.at,
    };
  }
}

function isLogged({ hash, record }: LoggedRecord): boolean {
  return record !== undefined && isSame(hash, leafHashOf(record));
}
