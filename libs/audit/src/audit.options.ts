import type { StoreOptions } from '@sallyport/store';

import { AuditSetupError } from './audit.errors.js';

/** Nest injection token of {@link AuditOptions}. */
export const AUDIT_OPTIONS = Symbol('sallyport:audit-options');

/** Where records go, and how long one may take: past `timeoutMs` it is refused. */
export interface AuditOptions extends StoreOptions {
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
