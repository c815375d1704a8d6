import type { ServerIdentity } from '@sallyport/mcp';
import type { StoreOptions } from '@sallyport/store';

import { AuditSetupError } from './audit.errors.js';
import type { AuditSink } from './export/follow/audit-sink.js';
import type { AuditLogOptions } from './log/log.options.js';

/** Nest injection token of {@link AuditOptions}. */
export const AUDIT_OPTIONS = Symbol('sallyport:audit-options');

/** Who can read what names people, and who can change a record. */
export interface AuditProtection {
  /**
   * Wraps the keys of people, so that the database alone tells nobody's name: 32 characters or more, such as
   * `openssl rand -base64 32`, kept apart from the database and its backups. Without it the keys stand there in the clear.
   */
  readonly secret?: string;
  /** Secrets that keys of before were wrapped with: what they seal stays readable. */
  readonly previousSecrets?: readonly string[];
  /**
   * `check`: the boot is refused when this server could change or delete a record: recommended in production. `warn`
   * (default): it says so.
   */
  readonly privileges?: 'check' | 'warn';
}

/** Where records go, and how long one may take: past `timeoutMs` it is refused. */
export interface AuditOptions extends StoreOptions, AuditProtection {
  /** Records that may wait at a time; more are refused at once. Default 10000. */
  readonly maxQueued?: number;
  /**
   * Puts the records into a tree whose checkpoints are signed, so that a changed, removed or reordered record is found.
   * Default: nothing is signed, and the boot says so.
   */
  readonly log?: AuditLogOptions;
  /**
   * Where records are shipped as they are written, each at least once: `fileSink(…)`, `httpSink(…)` or one of your own. A
   * sink that fails is tried again and never holds up a call. Default: nowhere.
   */
  readonly followers?: readonly AuditSink[];
  /** In whose name the audit records its own administration. `SallyportModule` sets it. */
  readonly server?: ServerIdentity;
  /**
   * Lets the audit be an SQLite database in memory, so that every record is gone when the process ends: for tests. Default:
   * such a server does not boot.
   */
  readonly dangerouslyVolatile?: boolean;
  /**
   * Records nothing at all: no call can be accounted for any more. For measuring what the audit costs. Default: false.
   */
  readonly dangerouslyRecordNothing?: boolean;
}

/** The options with every default filled in. */
export interface AuditSettings extends AuditProtection {
  readonly migrations: 'run' | 'check';
  readonly timeoutMs: number;
  readonly maxQueued: number;
}

/** Fills in the defaults. Throws an {@link AuditSetupError} on nonsense. */
export function auditSettings(options: AuditOptions): AuditSettings {
  const { migrations = 'run', timeoutMs = 5000, maxQueued = 10_000 } = options;
  if (migrations !== 'run' && migrations !== 'check')
    throw new AuditSetupError("audit.migrations must be 'run' or 'check'.");
  if (!isCount(timeoutMs))
    throw new AuditSetupError('audit.timeoutMs must be a whole number of milliseconds.');
  if (!isCount(maxQueued)) throw new AuditSetupError('audit.maxQueued must be a whole number of records.');
  return { migrations, timeoutMs, maxQueued, ...protectionOf(options) };
}

const SHORTEST_SECRET = 32;

function protectionOf(options: AuditOptions): AuditProtection {
  const { secret, previousSecrets = [], privileges = 'warn' } = options;
  if (privileges !== 'check' && privileges !== 'warn')
    throw new AuditSetupError("audit.privileges must be 'check' or 'warn'.");
  if (!Array.isArray(previousSecrets))
    throw new AuditSetupError('audit.previousSecrets must be a list of secrets.');
  const secrets = secret === undefined ? previousSecrets : [secret, ...previousSecrets];
  if (!secrets.every((text: unknown) => typeof text === 'string' && text.length >= SHORTEST_SECRET))
    throw new AuditSetupError(
      'audit.secret and audit.previousSecrets must have at least 32 characters each: make one with openssl rand -base64 32.',
    );
  return { ...(secret === undefined ? {} : { secret }), previousSecrets, privileges };
}

/** Positive, and within what a timer can take. */
function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 2 ** 31;
}
