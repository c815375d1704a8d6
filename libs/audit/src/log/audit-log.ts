import type { Store } from '@sallyport/store';

import { pooledConnection } from './log-connection.js';
import type { LogKeys } from './log-keys.js';
import { LogRows } from './log-rows.js';
import { AuditLogError, RefusedSigning } from './log.errors.js';
import type { LogSettings } from './log.options.js';
import { proveRecord, proveSealedRecord, type RecordProof } from './prove-record.js';
import { LogTiles } from './log-tiles.js';
import { Sequencer, type LogStatus } from './sequencer.js';
import { treeSize } from './tree-size.js';
import { asked, inTime, type Memory } from './memory.js';
import { newestSigned, openedRow } from './newest-signed.js';
import { LogSigner, type KeyRotation } from './signer.js';
import { stateFile } from './state-file.js';
import { verifyLog, type LogReport, type VerifyLogOptions } from './verify/verify-log.js';

export interface AuditLogWiring {
  readonly store: Store;
  /** `undefined`: the records are there, and nothing is signed. */
  readonly settings: LogSettings | undefined;
  /** Within which a statement ends. */
  readonly timeoutMs: number;
  readonly onKeyRotation: KeyRotation;
  readonly onProblem: (sentence: string) => void;
}

/**
 * The tamper-evident log over the records: a Merkle tree (RFC 6962) with signed checkpoints (c2sp.org/tlog-checkpoint).
 * Recording never waits for it.
 */
export class AuditLog {
  private readonly rows: LogRows;
  private readonly settings: LogSettings | undefined;
  private readonly sequencer: Sequencer | undefined;

  constructor({ store, settings, timeoutMs, onKeyRotation, onProblem }: AuditLogWiring) {
    this.rows = new LogRows(pooledConnection(store), store.dataSource);
    this.settings = settings;
    if (settings === undefined) return;
    this.sequencer = new Sequencer(store, { settings, timeoutMs, onKeyRotation, onProblem });
    store.beforeClose(() => this.stop());
  }

  /** Whether this application signs its log. */
  get isSigned(): boolean {
    return this.settings !== undefined;
  }

  /** Verifier key of the key that signs now: what an offline verifier needs. */
  get verifierKey(): string | undefined {
    return this.settings?.signer.verifierKey;
  }

  /**
   * The keys whose checkpoints count.
   *
   * @throws AuditLogError when nothing says which
   */
  get keys(): LogKeys {
    return this.requireKeys();
  }

  get status(): LogStatus | undefined {
    return this.sequencer?.status;
  }

  /** Records were committed. */
  wake(): void {
    this.sequencer?.wake();
  }

  /**
   * For a process that looks at an application and serves nobody: it leaves the log to the servers, and continues it only
   * when none of them does.
   */
  standBack(): void {
    this.sequencer?.standBack();
  }

  async stop(): Promise<void> {
    await this.sequencer?.stop();
  }

  /**
   * Compares every record, leaf, tile and checkpoint, and what the signer and the publishers remember.
   *
   * @param given further notes to compare with, and keys to trust instead of the configured ones
   * @throws AuditLogError when nothing says which keys to trust
   */
  async verify(
    given: Partial<Pick<VerifyLogOptions, 'keys' | 'witnesses' | 'sealedFiles' | 'onProgress'>> = {},
  ): Promise<LogReport> {
    const keys = given.keys ?? this.requireKeys();
    return verifyLog(this.rows, { ...given, keys, memories: () => this.memories() });
  }

  /**
   * After what was remembered outside of the database was lost: the state file and the publishers that hold nothing
   * remember the newest checkpoint of the database again, and signing goes on.
   *
   * @param size of a checkpoint in the database that somebody has found to be right
   * @returns where it is remembered now
   * @throws AuditLogError when the log is not intact otherwise, or there is nothing to do
   */
  async remember(size: number): Promise<string[]> {
    const keys = this.requireKeys();
    await this.requireCheckpoint(size, keys);
    const { findings } = await this.verify();
    const [other] = findings.filter(({ code }) => code !== 'log_memory');
    if (other !== undefined)
      throw new AuditLogError(
        `The log is not intact, so nothing is remembered of it. ${other.message} Run sallyport audit verify.`,
      );
    const memories = await this.memories();
    const [silent] = memories.filter(({ failure }) => failure !== undefined);
    if (silent !== undefined)
      throw new AuditLogError(
        `${silent.name} cannot be asked what it remembers: ${silent.failure} Bring it back, or take it out of audit.log.`,
      );
    const empty = memories.filter(({ note }) => note === undefined).map(({ name }) => name);
    if (empty.length === 0)
      throw new AuditLogError('Nothing is missing: every place remembers a checkpoint.');
    await this.writeNewest(keys, new Set(empty));
    return empty;
  }

  /**
   * @param sealedFile the file that holds the record, when it was sealed
   * @throws AuditLogError when there is no such record, or no checkpoint covers it yet
   */
  prove(id: string, sealedFile?: string): Promise<RecordProof> {
    const keys = this.requireKeys();
    return sealedFile === undefined
      ? proveRecord(this.rows, keys, id)
      : proveSealedRecord(this.rows, keys, id, sealedFile);
  }

  /** What an operator should know about it, in sentences. Signs nothing. */
  async warnings(): Promise<string[]> {
    if (this.settings === undefined) return [UNSIGNED];
    const memories = await this.memories();
    return [
      ...(memories.length === 0 ? [FORGETFUL] : []),
      ...memories.flatMap(({ name, failure }) =>
        failure === undefined ? [] : [`What was signed cannot be compared with ${name}: ${failure}`],
      ),
      ...(await this.obstacles()),
    ];
  }

  /** Why the log is not signed any more, or not continued. */
  private async obstacles(): Promise<string[]> {
    if (this.settings === undefined) return [];
    const { signer, keys } = this.settings;
    const onKeyRotation = () => Promise.resolve();
    const probe = new LogSigner({ signer, keys, state: undefined, onKeyRotation, now: Date.now });
    try {
      await probe.examine(this.rows, () => this.memories());
      return await strayLeaves(this.rows, keys);
    } catch (error) {
      if (error instanceof RefusedSigning) return [`The log is not signed. ${error.message}`];
      throw error;
    }
  }

  /** What the places outside of the database say; one that cannot be reached says why, in bounded time. */
  private async memories(): Promise<Memory[]> {
    const { stateFile: file, publishers = [] } = this.settings ?? {};
    const state = file === undefined ? [] : [stateFile(file)];
    return Promise.all([
      ...state.map(({ name, read }) => asked({ name, kind: 'state' }, read)),
      ...publishers.map((publisher) =>
        asked({ name: publisher.name, kind: 'publisher' }, () => publisher.latest()),
      ),
    ]);
  }

  private async requireCheckpoint(size: number, keys: LogKeys): Promise<void> {
    const { checkpoint } = await newestSigned(this.rows, keys);
    if (checkpoint === undefined)
      throw new AuditLogError('The database has no checkpoint of this log: there is nothing to remember.');
    const rows = await this.rows.checkpointsAfter(size - 1, Number.MAX_SAFE_INTEGER, 100);
    if (rows.some((row) => row.size === size && openedRow(row, keys) !== undefined)) return;
    throw new AuditLogError(
      `The database has no checkpoint of ${size} records: its newest is of ${checkpoint.size}. Compare that one with what you know, and say --size ${checkpoint.size}.`,
    );
  }

  private async writeNewest(keys: LogKeys, names: ReadonlySet<string>): Promise<void> {
    const { checkpoint } = await newestSigned(this.rows, keys);
    if (checkpoint === undefined || this.settings === undefined) return;
    const { size, note } = checkpoint;
    const { stateFile: file, publishers } = this.settings;
    const state = file === undefined ? undefined : stateFile(file);
    if (state !== undefined && names.has(state.name)) await state.replace(undefined, note);
    const tiles = new LogTiles(this.rows);
    for (const publisher of publishers.filter(({ name }) => names.has(name)))
      await inTime(publisher.publish({ size, note, tiles }));
  }

  private requireKeys(): LogKeys {
    if (this.settings !== undefined) return this.settings.keys;
    throw new AuditLogError(`${UNSIGNED} Or say --key with the verifier key of the log.`);
  }
}

const UNSIGNED =
  "The audit records are not in a signed log, so a changed record goes unnoticed: make a key with sallyport audit new-key, and write audit: { log: { key: process.env.AUDIT_LOG_KEY, state: { file: '…' } } }.";

const FORGETFUL =
  "Nothing outside of the database remembers what was signed (audit.log.dangerouslyForgetful), so a restored older database goes unnoticed: write audit: { log: { state: { file: '…' } } }.";

/** Until the tree has grown up to them, they stop nothing but the record whose number they took. */
async function strayLeaves(rows: LogRows, keys: LogKeys): Promise<string[]> {
  const { checkpoint } = await newestSigned(rows, keys);
  const { stray } = await treeSize(rows, checkpoint?.size ?? 0);
  if (stray === undefined) return [];
  return [
    `The leaf at index ${stray}, with none before it, was put in by somebody who may add rows: the log cannot be continued beyond it, and the record whose number it took is not in the log. As the owner of the tables remove it from sallyport_log_leaf, as the README of @sallyport/audit says.`,
  ];
}
