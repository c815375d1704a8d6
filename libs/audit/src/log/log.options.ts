import { readFile } from 'node:fs/promises';

import { noteSigner, noteVerifier, type NoteSigner } from '@sallyport/tlog';

import { AuditSetupError } from '../audit.errors.js';
import { LogKeys } from './log-keys.js';
import type { CheckpointPublisher } from './publish/checkpoint-publisher.js';

/** The tamper-evident log over the records: who signs it, what the signer remembers, and where checkpoints go. */
export interface AuditLogOptions {
  /**
   * Signs the checkpoints: a signer key (`PRIVATE+KEY+…`, Ed25519, as `sallyport audit new-key` makes it), or the file
   * that holds one. A secret.
   */
  readonly key: string | { readonly file: string };
  /** Name of the log, in every checkpoint. Default, and all it may be: the name in the key. */
  readonly origin?: string;
  /** Verifier keys of the keys that signed before this one; their checkpoints remain valid. */
  readonly verifiers?: readonly string[];
  /**
   * Where the signer remembers what it signed last: a file **outside** of the database and of its backups, so that a
   * database that was restored from yesterday is not signed on as if nothing had happened. Servers on one machine share
   * it. This or `publish` must be there.
   */
  readonly state?: { readonly file: string };
  /** Where checkpoints go beside the database. What is published is remembered there, too. Default: nowhere. */
  readonly publish?: readonly CheckpointPublisher[];
  /**
   * Signs although nothing outside of the database remembers what was signed: a database that was restored from yesterday
   * is signed on, and nobody sees it. For a database that does not outlive the process. Default: false.
   */
  readonly dangerouslyForgetful?: boolean;
  /** Seconds without a new record after which a checkpoint says that the log is alive. Default 300. */
  readonly idleSeconds?: number;
}

/** The options, read and with every default filled in. */
export interface LogSettings {
  readonly signer: NoteSigner;
  readonly keys: LogKeys;
  readonly stateFile: string | undefined;
  readonly publishers: readonly CheckpointPublisher[];
  readonly idleMs: number;
}

/** @throws AuditSetupError on nonsense, with a sentence that holds no part of a key */
export async function logSettings(options: AuditLogOptions): Promise<LogSettings> {
  const signer = signerOf(await keyText(options.key));
  const { origin = signer.name, verifiers = [], state, publish = [], idleSeconds = 300 } = options;
  if (origin !== signer.name)
    throw new AuditSetupError(
      `audit.log.origin is '${origin}', and the key signs for '${signer.name}': leave origin out, or make a key for it with sallyport audit new-key ${origin}.`,
    );
  if (state !== undefined && (typeof state?.file !== 'string' || state.file === ''))
    throw new AuditSetupError(
      "audit.log.state must name a file: write state: { file: 'data/audit-log.state' }.",
    );
  if (!Array.isArray(publish) || !publish.every(isPublisher))
    throw new AuditSetupError(
      "audit.log.publish must be a list of publishers: write publish: [checkpointFile('data/checkpoint')].",
    );
  requireMemory(options);
  if (!Number.isFinite(idleSeconds) || idleSeconds < 1 || idleSeconds > 86_400)
    throw new AuditSetupError('audit.log.idleSeconds must be a number of seconds from 1 to 86400.');
  return {
    signer,
    keys: keysOf(signer, verifiers),
    stateFile: state?.file,
    publishers: publish,
    idleMs: idleSeconds * 1000,
  };
}

function requireMemory({ state, publish = [], dangerouslyForgetful = false }: AuditLogOptions): void {
  const remembers = state !== undefined || publish.length > 0;
  if (!remembers && dangerouslyForgetful !== true)
    throw new AuditSetupError(
      "audit.log has nothing outside of the database that remembers what was signed, so a database that was restored from yesterday would be signed on: write state: { file: '/var/lib/acme/audit-log.state' }, a path apart from the database and its backups, or publish: [checkpointUrl('https://evidence.acme.example/checkpoint')].",
    );
  if (remembers && dangerouslyForgetful)
    throw new AuditSetupError(
      'audit.log.dangerouslyForgetful says that nothing remembers what was signed, and audit.log.state or audit.log.publish does: leave dangerouslyForgetful out.',
    );
}

async function keyText(key: AuditLogOptions['key']): Promise<string> {
  if (typeof key === 'string') return key;
  if (typeof key?.file !== 'string')
    throw new AuditSetupError(
      'audit.log.key is missing: make one with sallyport audit new-key, and write key: process.env.AUDIT_LOG_KEY.',
    );
  return readFile(key.file, 'utf8').catch((error: unknown) => {
    throw new AuditSetupError(
      `The file of audit.log.key cannot be read (${codeOf(error)}): ${key.file}. Make one with sallyport audit new-key.`,
    );
  });
}

/** What the parser says of a key that is none might quote it. */
function signerOf(text: string): NoteSigner {
  try {
    return noteSigner(text.trim());
  } catch {
    throw new AuditSetupError(
      'audit.log.key is no signer key: write the PRIVATE+KEY+… that sallyport audit new-key makes.',
    );
  }
}

function keysOf(signer: NoteSigner, verifiers: readonly string[]): LogKeys {
  const sentence =
    'audit.log.verifiers must be a list of verifier keys (name+hash+key) of earlier keys of this log.';
  if (!Array.isArray(verifiers)) throw new AuditSetupError(sentence);
  try {
    for (const key of verifiers) {
      if (noteVerifier(key).name !== signer.name)
        throw new AuditSetupError(`audit.log.verifiers holds a key of another log than '${signer.name}'.`);
    }
    return new LogKeys(signer.name, [signer.verifierKey, ...verifiers]);
  } catch (error) {
    throw error instanceof AuditSetupError ? error : new AuditSetupError(sentence);
  }
}

function isPublisher(value: unknown): value is CheckpointPublisher {
  return (
    typeof value === 'object' &&
    value !== null &&
    'publish' in value &&
    typeof value.publish === 'function' &&
    'latest' in value &&
    typeof value.latest === 'function'
  );
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'no code';
}
