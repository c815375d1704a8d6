import type { Store } from '@sallyport/store';

import { pooledConnection } from './log-connection.js';
import type { LogKeys } from './log-keys.js';
import { LogRows } from './log-rows.js';
import { AuditLogError, RefusedSigning } from './log.errors.js';
import type { LogSettings } from './log.options.js';
import { proveRecord, proveSealedRecord, type RecordProof } from './prove-record.js';
import { Sequencer, type LogStatus } from './sequencer.js';
import { LogSigner, type KeyRotation, type Memory } from './signer.js';
import { stateFile } from './state-file.js';
import { verifyLog, type LogReport, type VerifyLogOptions, type WitnessedNote } from './verify/verify-log.js';

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
    const witnesses = [...(await this.witnesses()), ...(given.witnesses ?? [])];
    return verifyLog(this.rows, { ...given, keys, witnesses });
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
    const { signer, keys, stateFile: file, publishers } = this.settings;
    const forgetful =
      file === undefined && publishers.length === 0
        ? [
            "Nothing outside of the database remembers what was signed, so a restored older database goes unnoticed: write audit: { log: { state: { file: '…' } } }.",
          ]
        : [];
    const state = file === undefined ? undefined : stateFile(file);
    const probe = new LogSigner({
      signer,
      keys,
      state,
      onKeyRotation: () => Promise.resolve(),
      now: Date.now,
    });
    try {
      await probe.examine(this.rows, memoriesOf(await this.witnesses()));
      return forgetful;
    } catch (error) {
      if (error instanceof RefusedSigning) return [...forgetful, `The log is not signed. ${error.message}`];
      throw error;
    }
  }

  /** A publisher that cannot be reached bears no witness: verification goes on with the others. */
  private async witnesses(): Promise<WitnessedNote[]> {
    if (this.settings === undefined) return [];
    const { stateFile: file, publishers } = this.settings;
    const state = file === undefined ? [] : [stateFile(file)];
    const asked = [
      ...state.map(async (memory) => ({ from: memory.name, note: await memory.read() })),
      ...publishers.map(async (publisher) => ({
        from: publisher.name,
        note: await publisher.latest().catch(() => undefined),
      })),
    ];
    const answers = await Promise.all(asked);
    return answers.flatMap(({ from, note }) => (note === undefined ? [] : [{ from, note }]));
  }

  private requireKeys(): LogKeys {
    if (this.settings !== undefined) return this.settings.keys;
    throw new AuditLogError(`${UNSIGNED} Or say --key with the verifier key of the log.`);
  }
}

const UNSIGNED =
  "The audit records are not in a signed log, so a changed record goes unnoticed: make a key with sallyport audit new-key, and write audit: { log: { key: process.env.AUDIT_LOG_KEY, state: { file: '…' } } }.";

function memoriesOf(witnesses: readonly WitnessedNote[]): Memory[] {
  return witnesses.map(({ from, note }) => ({ name: from, read: () => Promise.resolve(note) }));
}
