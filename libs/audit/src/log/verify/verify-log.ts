import { EMPTY_ROOT, Frontier } from '@sallyport/tlog';

import type { LogKeys } from '../log-keys.js';
import type { LoggedRecord, LogRows, Seal } from '../log-rows.js';
import type { Memory } from '../memory.js';
import { leafHashOf } from '../record-leaf.js';
import { treeSize } from '../tree-size.js';
import { Doubts } from './doubts.js';
import { explainFork, type Fork } from './explain-fork.js';
import { LogFindings, type LogFinding } from './log-findings.js';
import { lookOutside, type NotCompared, type Outside, type WitnessedNote } from './outside.js';
import { checkStrays } from './put-in-check.js';
import { RecordCheck, type Examined } from './record-check.js';
import { RecordTimes } from './record-times.js';
import { SealCheck } from './seal-check.js';
import { checkSealedFiles } from './sealed-files-check.js';
import { hex, SignedRoots, type SignedSize } from './signed-roots.js';
import { isSame, TileCheck } from './tile-check.js';
import type { VerifyProgress } from './verify-progress.js';

export interface VerifyLogOptions {
  readonly keys: LogKeys;
  /** Asks whoever remembers outside of the database: before the log is read, so that none can be newer than it. */
  readonly memories: () => Promise<readonly Memory[]>;
  /** Further notes to compare with. Default: none. */
  readonly witnesses?: readonly WitnessedNote[];
  /** Paths of files with sealed records, to be compared as well. Default: none. */
  readonly sealedFiles?: readonly string[];
  /** Milliseconds since the epoch. Default: now. */
  readonly now?: number;
  readonly onProgress?: VerifyProgress;
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
  /** Leaves after the newest checkpoint of the database. */
  readonly unsigned: number;
  /** Checkpoints whose signatures are good. */
  readonly checkpoints: number;
  /** Root of the tree of all leaves, hexadecimal; `undefined` where leaves are missing. */
  readonly root: string | undefined;
  /** When the newest signed size was signed; milliseconds since the epoch. */
  readonly signedAt: number | undefined;
  /** Places outside of the database whose checkpoint was compared with the log. */
  readonly comparedWith: readonly string[];
  /** Those that could not be asked, or hold nothing, and why. */
  readonly notCompared: readonly NotCompared[];
}

/** Leaves of one query: a multiple of a tile. */
const BATCH = 1024;
/** Numbers of records that one look for what has no leaf covers. */
const WINDOW = 20_000;
/** A record that has no leaf or no signature after this long was overlooked, or hidden. */
const OVERDUE_MS = 60_000;

/**
 * Compares every record, leaf, tile and checkpoint with each other, in memory that does not grow with the log. Reads
 * only.
 */
export async function verifyLog(rows: LogRows, options: VerifyLogOptions): Promise<LogReport> {
  return new LogVerification(rows, options).run();
}

/** What is known before the walk. */
interface Walk {
  readonly outside: Outside;
  readonly roots: SignedRoots;
  readonly tiles: TileCheck;
  /** Of the tree that is walked. */
  readonly size: number;
  /** So many leaves were signed, as somebody remembers. */
  readonly signed: number;
}

class LogVerification {
  private readonly findings = new LogFindings();
  private readonly announced = new SealCheck();
  private readonly times: RecordTimes;
  private seals: readonly Seal[] = [];
  private readonly now: number;
  private tree = Frontier.empty();
  /** The tree at the last size whose root was signed. */
  private good = Frontier.empty();
  private fork: Fork | undefined;
  private readonly doubts = new Doubts();
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
    this.now = options.now ?? Date.now();
    this.times = new RecordTimes(this.now);
  }

  async run(): Promise<LogReport> {
    const walk = await this.begin();
    const { size, roots, outside } = walk;
    for (let first = 0; first < size; first = await this.after(first + BATCH)) {
      await this.walk(first, Math.min(size, first + BATCH), walk);
      this.options.onProgress?.(Math.min(size, first + BATCH), size, 'records');
    }
    this.endDoubts();
    if (this.fork !== undefined && !this.isExplained)
      this.findings.add(await explainFork(this.rows, this.fork));
    await this.checkTail(walk);
    await this.checkNumbers();
    if (!this.hasGap) await checkStrays(this.rows, this.findings);
    const pending = await this.countPending();
    this.checkUnsigned();
    const sealedFilesCompared = await this.checkSeals(size);
    const { comparedWith, notCompared } = outside;
    return { ...this.report(roots, size, pending), sealedFilesCompared, comparedWith, notCompared };
  }

  private async begin(): Promise<Walk> {
    const { rows, findings, now } = this;
    const { keys, memories, witnesses = [] } = this.options;
    const outside = await lookOutside(rows, { keys, memories, witnesses, now }, findings);
    const { newest, others } = outside;
    this.seals = await rows.seals();
    const signed = Math.max(newest?.size ?? 0, ...others.map(({ checkpoint }) => checkpoint.size));
    const { size: whole } = await treeSize(rows, 0);
    // A gap in what was signed is walked over, one behind it is not of the log.
    const size = whole < signed ? await rows.size() : whole;
    const roots = new SignedRoots(rows, keys, others, findings);
    return { outside, roots, size, signed, tiles: new TileCheck(rows, findings, newest?.size ?? 0) };
  }

  private async checkSeals(size: number): Promise<number> {
    const { rows, options, seals, announced } = this;
    // What was sealed meanwhile was announced meanwhile, in records that were not walked.
    for (let first = size; announced.findings(seals).length > 0; first += BATCH) {
      const batch = await rows.logged(first, BATCH);
      for (const leaf of batch) if (isLogged(leaf)) announced.see(leaf);
      if (batch.length < BATCH) break;
    }
    const { sealedFiles = [], keys, onProgress } = options;
    const files = await checkSealedFiles(sealedFiles, { rows, keys, seals, onProgress });
    for (const finding of [...announced.findings(seals), ...files.findings]) this.findings.add(finding);
    return files.good;
  }

  private async walk(
    first: number,
    end: number,
    { roots, tiles, size, signed: signedSize }: Walk,
  ): Promise<void> {
    const signed = await roots.upTo(end);
    const batch = await this.rows.logged(first, end - first);
    // Records are sealed while the log is verified.
    if (batch.some(({ record }) => record === undefined)) this.seals = await this.rows.seals();
    const stored = await tiles.stored(first, end - first, size);
    const check = new RecordCheck(batch, { tiles: stored, seals: this.seals, signed: signedSize });
    this.times.expect(first, end, signed, await roots.signedAfter(end));
    if (first === 0) this.compareRoot(0, signed.get(0));
    for (const leaf of batch) {
      await this.follow(leaf, tiles);
      const examined = check.examine(leaf) ?? this.times.examine(leaf, this.signed?.at ?? 0);
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
    if (inDoubt) this.doubts.add(finding);
    else this.findings.add(finding);
    if (finding.code === 'leaf_changed') this.explainFork();
  }

  /** The root that the leaves give is not the one that was signed. */
  private blameLeaves(): void {
    if (!this.doubts.isEmpty) this.explainFork();
    this.doubts.blameLeaves(this.findings);
  }

  /** What is left was not compared with a root: nothing was signed of it, or the tree is another one before. */
  private endDoubts(): void {
    if (this.hasGap || this.fork !== undefined) this.blameLeaves();
    else this.doubts.blameNobody(this.findings);
  }

  /** A fork after this is the consequence of what was found already. */
  private explainFork(): void {
    this.isExplained ||= this.fork === undefined;
  }

  private async follow(leaf: LoggedRecord, tiles: TileCheck): Promise<void> {
    if (leaf.index !== this.leaves && !this.hasGap) this.missing(this.leaves);
    this.leaves = leaf.index + 1;
    if (this.hasGap || leaf.hash.length !== 32) {
      this.hasGap = true;
      return;
    }
    this.tree.append(leaf.hash);
    await tiles.add(leaf.hash, leaf.index);
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
    this.doubts.blameTiles(this.findings);
  }

  /** What was signed of more records than there are. */
  private async checkTail({ size, roots, outside }: Walk): Promise<void> {
    // A size that nobody has signed is none, whatever a row says.
    const rest = await roots.rest();
    this.newestSize = Math.max(rest, this.signed?.size ?? 0);
    const known = [
      { from: 'the newest checkpoint', size: rest },
      ...outside.others.map(({ from, checkpoint }) => ({ from, size: checkpoint.size })),
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
      this.options.onProgress?.(after, last, 'numbers of records');
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

  private report(
    roots: SignedRoots,
    size: number,
    pending: number,
  ): Omit<LogReport, 'sealedFilesCompared' | 'comparedWith' | 'notCompared'> {
    return {
      ok: this.findings.isEmpty,
      findings: this.findings.list(),
      leaves: this.leaves,
      sealed: this.sealed,
      sealedFiles: this.seals.length,
      pending,
      unsigned: Math.max(0, size - roots.newest),
      checkpoints: roots.verified,
      root: this.hasGap ? undefined : hex(this.tree.size === 0 ? EMPTY_ROOT : this.tree.root()),
      signedAt: this.signed?.at,
    };
  }
}

function isLogged({ hash, record }: LoggedRecord): boolean {
  return record !== undefined && isSame(hash, leafHashOf(record));
}
