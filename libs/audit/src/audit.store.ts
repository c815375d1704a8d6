import { DataSource, type DataSourceOptions, type EntityMetadata } from 'typeorm';

import { pendingMigrations, retryWhile, runMigrations } from './audit-migrations.js';
import { AuditRecord, type NewAuditRecord } from './audit-record.entity.js';
import { AuditSetupError } from './audit.errors.js';
import type { AuditSettings } from './audit.options.js';
import { auditDataSourceOptions } from './data-source-options.js';
import { driverErrorOf, faultOf } from './store-fault.js';
import { describeDatabase, describeFailure } from './store-messages.js';

/** How long a boot waits for others that hold the lock of an SQLite file. */
const BOOT_PATIENCE_MS = 30_000;
/** What PostgreSQL gets, beyond its own limit, to say that a statement took too long. */
const GRACE_MS = 1000;

export interface StoreSettings extends Pick<AuditSettings, 'migrations' | 'timeoutMs'> {
  /** Told when an idle connection to PostgreSQL was lost. Default: nothing; the next record makes a new one. */
  readonly onConnectionLost?: (error: unknown) => void;
}

/**
 * The tables of the audit, over a `DataSource` of their own. With better-sqlite3 a `DataSource` is one connection: on
 * the application's, records would be part of whatever transaction is open there, and would be rolled back with it.
 */
export class AuditStore {
  /** All but the number, which is the database's to give. */
  private readonly columns: EntityMetadata['columns'];
  private readonly statements = new Map<number, string>();

  private constructor(
    /** Of the audit alone. */
    readonly dataSource: DataSource,
    private readonly timeoutMs: number,
    /** What makes the records less durable than they should be, in sentences. Empty: nothing. */
    readonly warnings: readonly string[],
  ) {
    this.columns = this.metadata.columns.filter((column) => !column.isGenerated);
  }

  /**
   * Connects and brings the tables up to date, or checks that they are.
   *
   * @throws {AuditSetupError} when the database cannot be reached or lacks tables.
   */
  static async open(database: DataSourceOptions, settings: StoreSettings): Promise<AuditStore> {
    const { timeoutMs, onConnectionLost = () => undefined } = settings;
    const options = auditDataSourceOptions(database, { timeoutMs, onPoolError: onConnectionLost });
    const dataSource = await connect(options);
    try {
      await prepareTables(dataSource, settings.migrations);
      return new AuditStore(dataSource, timeoutMs, await warningsOf(dataSource));
    } catch (error) {
      await dataSource.destroy();
      throw error;
    }
  }

  /**
   * Adds the records in one statement, which is a transaction by itself: all of them or none. Never `BEGIN`, wait,
   * `COMMIT`: with SQLite another connection of this process may block the event loop until the lock is free.
   *
   * Rejects with the error of the driver: TypeORM's carries every parameter into whatever log prints it.
   */
  async insert(records: readonly NewAuditRecord[]): Promise<void> {
    const statement = this.statementFor(records.length);
    const parameters = records.flatMap((record) =>
      this.columns.map((column) => column.getEntityValue(record)),
    );
    try {
      await this.run(statement, parameters);
    } catch (error) {
      throw driverErrorOf(error);
    }
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  private async run(statement: string, parameters: unknown[]): Promise<void> {
    if (this.dataSource.options.type === 'postgres') return this.runWithin(statement, parameters);
    await this.dataSource.query(statement, parameters);
  }

  /** Ends a connection that no longer answers, instead of giving it back to the pool with a statement under way. */
  private async runWithin(statement: string, parameters: unknown[]): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client: unknown = await runner.connect();
      const giveUp = setTimeout(() => endClient(client), this.timeoutMs + GRACE_MS);
      try {
        await runner.query(statement, parameters);
      } finally {
        clearTimeout(giveUp);
      }
    } finally {
      await runner.release();
    }
  }

  /** Written here, not by a query builder: that one puts numbers into the text, and no two statements are the same. */
  private statementFor(count: number): string {
    const known = this.statements.get(count);
    if (known !== undefined) return known;
    const statement = this.writeStatement(count);
    this.statements.set(count, statement);
    return statement;
  }

  private writeStatement(count: number): string {
    const { driver } = this.dataSource;
    const table = this.metadata.tablePath.split('.').map((part) => driver.escape(part));
    const columns = this.columns.map((column) => driver.escape(column.databaseName));
    const rows = Array.from({ length: count }, (_, row) => {
      const cells = columns.map((name, cell) => driver.createParameter(name, row * columns.length + cell));
      return `(${cells.join(',')})`;
    });
    return `INSERT INTO ${table.join('.')} (${columns.join(',')}) VALUES ${rows.join(',')}`;
  }

  private get metadata() {
    return this.dataSource.getMetadata(AuditRecord);
  }
}

async function connect(options: DataSourceOptions): Promise<DataSource> {
  const isBusy = (error: unknown) => faultOf(error) === 'busy';
  try {
    return await retryWhile(isBusy, BOOT_PATIENCE_MS, () => new DataSource(options).initialize());
  } catch (error) {
    throw new AuditSetupError(
      `The database of the audit cannot be reached: ${describeDatabase(options)}, ${describeFailure(error, options)}. ` +
        'Start it, or point audit.database to another one.',
    );
  }
}

async function prepareTables(dataSource: DataSource, migrations: AuditSettings['migrations']): Promise<void> {
  const where = describeDatabase(dataSource.options);
  const pending = await migrate(dataSource, migrations).catch((error: unknown) => {
    const failure = describeFailure(error, dataSource.options);
    throw new AuditSetupError(`The tables of the audit cannot be prepared in ${where}, ${failure}.`);
  });
  if (pending.length === 0) return;
  throw new AuditSetupError(
    `The tables of the audit are not up to date in ${where}: ${pending.join(', ')} pending. ` +
      "Start once with audit.migrations: 'run' and a user that may create tables. " +
      'If that was done, let this user SELECT from sallyport_migrations.',
  );
}

/** What is still pending afterwards. */
async function migrate(dataSource: DataSource, migrations: AuditSettings['migrations']): Promise<string[]> {
  if (migrations === 'run') await runMigrations(dataSource, BOOT_PATIENCE_MS);
  return pendingMigrations(dataSource);
}

async function warningsOf(dataSource: DataSource): Promise<string[]> {
  const { options } = dataSource;
  if (options.type === 'better-sqlite3') {
    return ['', ':memory:'].includes(options.database)
      ? ['The audit is in memory: its records are gone when the process ends.']
      : [];
  }
  const [setting] = await dataSource.query<Record<string, string>[]>('SHOW synchronous_commit');
  return setting?.synchronous_commit === 'off'
    ? ['PostgreSQL runs with synchronous_commit = off: the last records are gone when it crashes.']
    : [];
}

function endClient(client: unknown): void {
  if (typeof client === 'object' && client !== null && 'end' in client && typeof client.end === 'function')
    client.end();
}
