import type { DataSourceOptions } from 'typeorm';

import { AuditSetupError } from './audit.errors.js';

/** Nest injection token of {@link AuditOptions}. */
export const AUDIT_OPTIONS = Symbol('sallyport:audit-options');

export interface AuditOptions {
  /**
   * Where records go. Default: the database of the application's TypeORM `DataSource`, over a connection of our own.
   * Of an application's options only what is needed to reach the database is taken.
   */
  readonly database?: DataSourceOptions;
  /**
   * `run` (default) brings the tables up to date at boot. `check` only looks, and refuses to boot when something is
   * pending: for databases in which the server may not create tables.
   */
  readonly migrations?: 'run' | 'check';
  /** Milliseconds within which a record must be durable, or else it is refused. Default 5000. */
  readonly timeoutMs?: number;
  /** Records that may wait at a time; more are refused at once. Default 10000. */
  readonly maxQueued?: number;
}

/** The options with every default filled in. */
export interface AuditSettings {
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
  return { migrations, timeoutMs, maxQueued };
}

/** Positive, and within what a timer can take. */
function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 2 ** 31;
}
