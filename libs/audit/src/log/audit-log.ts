import type { AdministrationEvent } from '@sallyport/mcp';
import type { Store } from '@sallyport/store';

import { pooledConnection } from './log-connection.js';
import type { LogKeys } from './log-keys.js';
import { LogRows } from './log-rows.js';
import { AuditLogError } from './log.errors.js';
import type { LogSettings } from './log.options.js';
import { proveRecord, proveSealedRecord, type RecordProof } from './prove-record.js';
import { Sequencer, type LogStatus } from './sequencer.js';
import { askedMemories } from './asked-memories.js';
import { logWarnings } from './log-warnings.js';
import { rememberAgain } from './remember-again.js';
import type { KeyRotation } from './signer.js';
import { verifyLog, type LogReport, type VerifyLogOptions } from './verify/verify-log.js';

export interface AuditLogWiring {
  readonly store: Store;
  /** `undefined`: the records are there, and nothing is signed. */
  readonly settings: LogSettings | undefined;
  /** Within which a statement ends. */
  readonly timeoutMs: number;
  readonly onKeyRotation: KeyRotation;
  readonly onRemember: RememberRecord;
  readonly onProblem: (sentence: string) => void;
}

/** Who runs a command about the log. */
export type LogOperator = Pick<AdministrationEvent, 'via' | 'address' | 'actor'>;

/** Records that what was signed is remembered again, before it is. */
export type RememberRecord = (
  operator: LogOperator,
  size: number,
  places: ReadonlySet<string>,
) => Promise<void>;

/**
 * The tamper-evident log over the records: a Merkle tree (RFC 6962) with signed checkpoints (c2sp.org/tlog-checkpoint).
 * Recording never waits for it.
 */
export class AuditLog {
  private readonly rows: LogRows;
  private readonly settings: LogSettings | undefined;
  private readonly sequencer: Sequencer | undefined;

  private readonly onRemember: RememberRecord;

  constructor({ store, settings, timeoutMs, onKeyRotation, onRemember, onProblem }: AuditLogWiring) {
    this.onRemember = onRemember;
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
    return verifyLog(this.rows, { ...given, keys, memories: () => askedMemories(this.settings) });
  }

  /**
   * After what was remembered outside of the database was lost: the state file and the publishers that hold nothing
   * remember the newest checkpoint of the database again, and signing goes on.
   *
   * @param size of a checkpoint in the database that somebody has found to be right
   * @param operator who says so: it is recorded first
   * @returns where it is remembered now
   * @throws AuditLogError when the log is not intact otherwise, or there is nothing to do
   */
  async remember(size: number, operator: LogOperator): Promise<string[]> {
    const { settings, rows } = this;
    if (settings === undefined) throw new AuditLogError(UNSIGNED);
    return rememberAgain({
      rows,
      settings,
      size,
      verify: () => this.verify(),
      record: (newest, places) => this.onRemember(operator, newest, places),
    });
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
    return this.settings === undefined ? [UNSIGNED] : logWarnings(this.rows, this.settings);
  }

  private requireKeys(): LogKeys {
    if (this.settings !== undefined) return this.settings.keys;
    throw new AuditLogError(`${UNSIGNED} Or say --key with the verifier key of the log.`);
  }
}

const UNSIGNED =
  "The audit records are not in a signed log, so a changed record goes unnoticed: make a key with sallyport audit new-key, and write audit: { log: { key: process.env.AUDIT_LOG_KEY, state: { file: '…' } } }.";
