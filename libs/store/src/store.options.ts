import type { DataSourceOptions } from 'typeorm';

import { StoreSetupError } from './store.errors.js';

/** What an application says about a store. */
export interface StoreOptions {
  /**
   * Where the tables are. Default: the database of the application's TypeORM `DataSource`, over connections of our own.
   * Of an application's options only what is needed to reach the database is taken.
   */
  readonly database?: DataSourceOptions;
  /**
   * `run` (default) brings the tables up to date at boot. `check` only looks, and refuses to boot when something is
   * pending: for databases in which the server may not create tables.
   */
  readonly migrations?: 'run' | 'check';
  /** Milliseconds within which a statement must end. Default 5000. */
  readonly timeoutMs?: number;
}

/** What a store must know to be opened, with every default filled in. */
export interface StoreSettings {
  readonly migrations: 'run' | 'check';
  readonly timeoutMs: number;
  /** Connections to PostgreSQL at a time. Default 4. */
  readonly poolSize?: number;
  /** Told when an idle connection to PostgreSQL was lost. Default: nothing; the next statement makes a new one. */
  readonly onConnectionLost?: (error: unknown) => void;
}

/**
 * Fills in the defaults. `option` is how the application spells these options, for the message.
 *
 * @throws {StoreSetupError} on nonsense
 */
export function storeSettings(options: StoreOptions, option: string): StoreSettings {
  const { migrations = 'run', timeoutMs = 5000 } = options;
  if (migrations !== 'run' && migrations !== 'check')
    throw new StoreSetupError(`${option}.migrations must be 'run' or 'check'.`);
  // Positive, and within what a timer can take.
  if (!Number.isInteger(timeoutMs) || timeoutMs <= 0 || timeoutMs >= 2 ** 31)
    throw new StoreSetupError(`${option}.timeoutMs must be a whole number of milliseconds.`);
  return { migrations, timeoutMs };
}
