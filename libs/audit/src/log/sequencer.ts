import { setTimeout as sleep } from 'node:timers/promises';

import { faultOf, type Store } from '@sallyport/store';

import { pooledConnection, type LogConnection } from './log-connection.js';
import type { OpenedCheckpoint } from './log-keys.js';
import { LogRows } from './log-rows.js';
import { LogTiles } from './log-tiles.js';
import { RefusedSigning } from './log.errors.js';
import type { LogSettings } from './log.options.js';
import { officeOf, type Office } from './office.js';
import { messageOf } from './memory.js';
import { newestSigned } from './newest-signed.js';
import { Passes } from './pass.js';
import { Publishing } from './publish/publishing.js';
import { LogSigner, type KeyRotation } from './signer.js';
import { stateFile } from './state-file.js';
import { lastSequenced, treeSize } from './tree-size.js';

/** How the log is doing in this process. */
export interface LogStatus {
  /** `waiting`: nothing was recorded here yet; `standby`: another process holds the office. */
  readonly role: 'waiting' | 'standby' | 'sequencing' | 'stopped';
  /** Why nothing is signed. */
  readonly refusal: RefusedSigning | undefined;
  /** The last thing that failed, in words for the operator; `undefined` once it works again. */
  readonly failure: string | undefined;
}

export interface SequencerOptions {
  readonly settings: LogSettings;
  /** Within which a statement ends. */
  readonly timeoutMs: number;
  readonly onKeyRotation: KeyRotation;
  /** Told what an operator should know: no secret, and each thing once until it changes. */
  readonly onProblem: (sentence: string) => void;
  readonly now?: () => number;
}

/** Between two looks at what was committed: well within the second in which it is signed. */
const POLL_MS = 400;
const REFUSED_MS = 10_000;
/** How long another process, which may know more keys, has the office to itself when this one may not sign. */
const YIELD_MS = 2000;
/** How long a process that only looks leaves the log to the servers, and at its end. */
const PATIENCE_MS = 3000;
const LAST_PATIENCE_MS = 1000;
const LOOK_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** How long a shutdown waits for the last checkpoint, and then for the publishers. */
const LAST_PASS_MS = 3000;
const LAST_PUBLISHING_MS = 2000;

/**
 * Gives the committed records their order and signs it. It begins when this process records something for the first
 * time; of several processes one holds the office, and another takes it over. It is never on the way of a call.
 */
export class Sequencer {
  private readonly office: Office;
  private readonly signer: LogSigner;
  private readonly publishing: Publishing;
  private readonly now: () => number;
  private role: LogStatus['role'] = 'waiting';
  private refusal: RefusedSigning | undefined;
  private failure: string | undefined;
  private told: string | undefined;
  private mayNotSignUntil = 0;
  /** So many leaves need not be compared with their records again. */
  private compared = 0;
  private isPatient = false;
  private pauseMs = POLL_MS;
  private term:
    { readonly connection: LogConnection; readonly rows: LogRows; readonly passes: Passes } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly store: Store,
    private readonly options: SequencerOptions,
  ) {
    const { settings, timeoutMs, onKeyRotation, now = Date.now } = options;
    const { signer, keys, stateFile: file, publishers } = settings;
    this.now = now;
    this.office = officeOf(store, timeoutMs);
    const state = file === undefined ? undefined : stateFile(file);
    this.signer = new LogSigner({ signer, keys, state, onKeyRotation, now });
    this.publishing = new Publishing(publishers, (name, error) =>
      this.tell(`A checkpoint could not reach ${name}. ${sentence(messageOf(error))} It is tried again.`),
    );
  }

  get status(): LogStatus {
    return { role: this.role, refusal: this.refusal, failure: this.failure };
  }

  /** Something was committed. Cheap: the first time it starts the work, afterwards the work looks by itself. */
  wake(): void {
    if (this.role !== 'waiting') return;
    this.role = 'standby';
    this.schedule(this.isPatient ? PATIENCE_MS : 0);
  }

  /** Works only on what nobody else has signed after a while, and for no longer than that takes. */
  standBack(): void {
    this.isPatient = true;
  }

  /** Gives what was committed its place, signs it and lets go of the office: within a few seconds, whatever fails. */
  async stop(): Promise<void> {
    const hasWorked = this.role === 'standby' || this.role === 'sequencing';
    this.role = 'stopped';
    clearTimeout(this.timer);
    if (hasWorked && this.isPatient) await this.awaitOthers();
    if (hasWorked) await Promise.race([this.finish(), sleep(LAST_PASS_MS, undefined, { ref: false })]);
    await this.publishing.stop(LAST_PUBLISHING_MS);
    await this.office.leave();
  }

  private async finish(): Promise<void> {
    await this.running;
    // Zero: there is more to do at once.
    while ((await this.step()) === 0) continue;
  }

  private schedule(delayMs: number): void {
    if (this.role === 'stopped' || this.role === 'waiting') return;
    this.timer = setTimeout(() => {
      this.running = this.step().then((delay) => this.schedule(delay));
    }, delayMs);
    this.timer.unref();
  }

  /** Milliseconds until the next one. Never rejects. */
  private async step(): Promise<number> {
    try {
      const delay = await this.work();
      this.pauseMs = POLL_MS;
      this.failure = undefined;
      return delay;
    } catch (error) {
      await this.stepDown(error);
      this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
      return this.pauseMs * (0.5 + Math.random() / 2);
    }
  }

  private async work(): Promise<number> {
    if (this.isPatient && (await this.isUpToDate())) {
      await this.leave('waiting');
      return POLL_MS;
    }
    const term = await this.enter();
    if (term === undefined) return POLL_MS;
    const done = await this.unlessRefused(async () => {
      const isDone = await term.passes.run();
      await this.signWhenDue(term.rows);
      return isDone;
    });
    if (done === false) return 0;
    if (this.refusal === undefined) return POLL_MS;
    await this.leave('standby');
    return YIELD_MS;
  }

  /** `undefined`: it was refused, and that is noted. */
  private async unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RefusedSigning)) throw error;
      this.refuse(error);
      return undefined;
    }
  }

  private async leave(role: 'waiting' | 'standby'): Promise<void> {
    this.endTerm();
    await this.office.leave();
    if (this.role !== 'stopped') this.role = role;
  }

  private endTerm(): void {
    this.compared = this.term?.passes.compared ?? this.compared;
    this.term = undefined;
  }

  /** Whether everything that was committed is in the log, and signed. */
  private async isUpToDate(): Promise<boolean> {
    const rows = this.pooledRows();
    const last = await rows.lastRecord();
    const { size: signed = 0 } = (await this.newest(rows)) ?? {};
    const { size } = await treeSize(rows, signed);
    return signed >= size && (await lastSequenced(rows, size)) >= last;
  }

  /** A server signs within a second. Never rejects. */
  private async awaitOthers(): Promise<void> {
    const until = performance.now() + LAST_PATIENCE_MS;
    const isSigned = () => this.isUpToDate().catch(() => true);
    while (performance.now() < until && !(await isSigned())) await sleep(LOOK_MS);
  }

  private async newest(rows: LogRows): Promise<OpenedCheckpoint | undefined> {
    return (await newestSigned(rows, this.options.settings.keys)).checkpoint;
  }

  private pooledRows(): LogRows {
    return new LogRows(pooledConnection(this.store), this.store.dataSource);
  }

  private async enter(): Promise<typeof this.term> {
    const connection = await this.office.enter();
    if (this.role !== 'stopped') this.role = connection === undefined ? 'standby' : 'sequencing';
    if (connection === undefined) {
      this.endTerm();
      return undefined;
    }
    if (this.term?.connection !== connection) {
      const { dataSource } = this.store;
      const rows = new LogRows(connection, dataSource);
      // Several times what a statement may take.
      const graceMs = dataSource.options.type === 'postgres' ? 4 * this.options.timeoutMs + 10_000 : 0;
      this.publishing.forget();
      const { size: signed = 0 } = (await this.newest(rows)) ?? {};
      const compared = Math.max(signed, this.compared);
      this.term = {
        connection,
        rows,
        passes: await Passes.begin(rows, { signed, compared, graceMs, now: this.now }),
      };
    }
    return this.term;
  }

  private async signWhenDue(rows: LogRows): Promise<void> {
    const pause = this.mayNotSignUntil - this.now();
    // A clock that was set back must not make it longer.
    if (pause > 0 && pause <= REFUSED_MS) return;
    const newest = await this.newest(rows);
    const { size } = await treeSize(rows, newest?.size ?? 0);
    const signedAt = this.signer.signedAt(size, newest);
    const isIdle = signedAt !== undefined && this.now() - signedAt < this.options.settings.idleMs;
    if (isIdle || (size === 0 && signedAt === undefined)) return;
    await this.sign(rows);
  }

  private async sign(rows: LogRows): Promise<void> {
    const signed = await this.signer.sign(rows, await this.publishing.memories());
    this.refusal = undefined;
    this.told = undefined;
    const tiles = new LogTiles(this.pooledRows());
    this.publishing.offer({ size: signed.size, note: signed.note, tiles });
  }

  /** Looked at again, because an operator may have restored what was missing. */
  private refuse(refusal: RefusedSigning): void {
    this.refusal = refusal;
    this.mayNotSignUntil = this.now() + REFUSED_MS;
    this.publishing.forget();
    this.tell(`The audit log is not signed any more. ${refusal.message}`);
  }

  /** Somebody else who took an index first has the office in fact; but not time and again. */
  private async stepDown(error: unknown): Promise<void> {
    await this.leave('standby');
    if (faultOf(error) === 'item' && this.pauseMs < LONGEST_PAUSE_MS) return;
    this.failure = messageOf(error);
    this.tell(`The audit log could not be continued. ${sentence(this.failure)} It is tried again.`);
  }

  private tell(sentence: string): void {
    if (this.told === sentence || this.role === 'stopped') return;
    this.told = sentence;
    this.options.onProblem(sentence);
  }
}

/** Drivers say half a sentence, and ours are whole ones. */
function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
