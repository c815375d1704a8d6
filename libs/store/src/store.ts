import { DataSource, type DataSourceOptions, type EntityManager, type QueryRunner } from 'typeorm';

import { POOL_SIZE, storeDataSourceOptions } from './data-source-options.js';
import { DatabaseFile } from './database-file.js';
import { driverErrorOf, isBusy } from './store-fault.js';
import { describeDatabase, describeFailure } from './store-messages.js';
import { pendingMigrations, retryWhile, runMigrations } from './store-migrations.js';
import type { StoreName, StoreTables } from './store-tables.js';
import { StoreSetupError } from './store.errors.js';
import type { StoreSettings } from './store.options.js';

/** How long a boot waits for others that hold the lock of an SQLite file. */
const BOOT_PATIENCE_MS = 30_000;
/** What PostgreSQL gets, beyond its own limit, to say that a statement took too long. */
const GRACE_MS = 1000;

/**
 * Tables of our own, over a `DataSource` of their own. With better-sqlite3 a `DataSource` is one connection: on the
 * application's, what is written would be part of whatever transaction is open there, and would be rolled back with it.
 *
 * Write single statements, each a transaction by itself. Never `BEGIN`, wait, `COMMIT`: with SQLite another connection
 * of this process may block the event loop until the lock is free.
 */
export class Store {
  private readonly lastWork: (() => Promise<void>)[] = [];

  private constructor(
    /** Of these tables alone. */
    readonly dataSource: DataSource,
    private readonly timeoutMs: number,
    /** What makes the rows less durable than they should be, in sentences. Empty: nothing. */
    readonly warnings: readonly string[],
    private readonly file: DatabaseFile | undefined,
  ) {}

  /**
   * Connects and brings the tables up to date, or checks that they are.
   *
   * @throws {StoreSetupError} when the database cannot be reached or lacks tables.
   * @example
   * const store = await Store.open(application.options, name, [notes], { migrations: 'run', timeoutMs: 5000 });
   */
  static async open(
    database: DataSourceOptions,
    name: StoreName,
    tables: readonly StoreTables[],
    settings: StoreSettings,
  ): Promise<Store> {
    const { timeoutMs, poolSize = POOL_SIZE, onConnectionLost = () => undefined } = settings;
    const limits = { timeoutMs, poolSize, onPoolError: onConnectionLost };
    const dataSource = await connectDurably(storeDataSourceOptions(database, name, tables, limits), name);
    try {
      await prepareTables(dataSource, name, settings.migrations);
      const warnings = await warningsOf(dataSource, name);
      return new Store(dataSource, timeoutMs, warnings, DatabaseFile.of(dataSource.options));
    } catch (error) {
      await dataSource.destroy();
      throw error;
    }
  }

  /**
   * Runs one statement and gives its rows.
   *
   * Rejects with the error of the driver: TypeORM's carries every parameter into whatever log prints it.
   */
  async query<Row>(statement: string, parameters: readonly unknown[]): Promise<Row[]> {
    try {
      return await this.onRunner((runner) => rowsOf<Row>(runner, statement, parameters));
    } catch (error) {
      throw driverErrorOf(error);
    }
  }

  /**
   * Does what is one statement of TypeORM, again and again while an SQLite file is busy, until `timeoutMs` are over.
   * Rejects as {@link query} does.
   *
   * @example
   * const { affected } = await store.run((manager) => manager.update(Note, { id }, { text }));
   */
  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await retryWhile(isBusy, this.timeoutMs, () => this.onRunner(({ manager }) => work(manager)));
    } catch (error) {
      throw driverErrorOf(error);
    }
  }

  /** What must still be written before the store is closed. What it throws is nobody's to handle any more. */
  beforeClose(work: () => Promise<void>): void {
    this.lastWork.push(work);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.lastWork.splice(0).map((work) => work()));
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  /** Looks before, so that nothing is written into a file that is gone, and after, as it may have gone meanwhile. */
  private async inPlace<T>(work: () => Promise<T>): Promise<T> {
    this.file?.requireInPlace();
    const done = await work();
    this.file?.requireInPlace();
    return done;
  }

  /** Ends a connection that no longer answers, instead of giving it back to the pool with a statement under way. */
  private async onRunner<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    if (this.dataSource.options.type !== 'postgres') return this.inPlace(() => work(runner));
    try {
      const client: unknown = await runner.connect();
      const giveUp = setTimeout(() => endClient(client), this.timeoutMs + GRACE_MS);
      try {
        return await work(runner);
      } finally {
        clearTimeout(giveUp);
      }
    } finally {
      await runner.release();
    }
  }
}

async function rowsOf<Row>(
  runner: QueryRunner,
  statement: string,
  parameters: readonly unknown[],
): Promise<Row[]> {
  const { records } = await runner.query(statement, [...parameters], true);
  return records ?? [];
}

async function connect(options: DataSourceOptions, name: StoreName): Promise<DataSource> {
  try {
    return await retryWhile(isBusy, BOOT_PATIENCE_MS, () => new DataSource(options).initialize());
  } catch (error) {
    throw new StoreSetupError(
      `The database of ${name.of} cannot be reached: ${describeDatabase(options)}, ${describeFailure(error, options)}. ` +
        `Start it, or point ${name.option}.database to another one.`,
    );
  }
}

/** Where the server, a database or a role has `synchronous_commit = off`, our connections ask for `on`. */
async function connectDurably(options: DataSourceOptions, name: StoreName): Promise<DataSource> {
  const dataSource = await connect(options, name);
  if (options.type !== 'postgres' || !(await isUnsynced(dataSource))) return dataSource;
  const given: unknown = options.extra?.options;
  const flags = `${typeof given === 'string' ? given : ''} -c synchronous_commit=on`.trim();
  try {
    const synced = await connect({ ...options, extra: { ...options.extra, options: flags } }, name);
    await dataSource.destroy();
    return synced;
  } catch (error) {
    // A pooler may refuse to be told: then it is said in `warnings`.
    if (error instanceof StoreSetupError) return dataSource;
    throw error;
  }
}

async function isUnsynced(dataSource: DataSource): Promise<boolean> {
  const [setting] = await dataSource.query<Record<string, string>[]>('SHOW synchronous_commit');
  return setting?.['synchronous_commit'] === 'off';
}

async function prepareTables(
  dataSource: DataSource,
  { of, option }: StoreName,
  migrations: StoreSettings['migrations'],
): Promise<void> {
  const where = describeDatabase(dataSource.options);
  const pending = await migrate(dataSource, migrations).catch((error: unknown) => {
    const failure = describeFailure(error, dataSource.options);
    throw new StoreSetupError(`The tables of ${of} cannot be prepared in ${where}, ${failure}.`);
  });
  if (pending.length === 0) return;
  throw new StoreSetupError(
    `The tables of ${of} are not up to date in ${where}: ${pending.join(', ')} pending. ` +
      `Start once with ${option}.migrations: 'run' and a user that may create tables. ` +
      'If that was done, let this user SELECT from sallyport_migrations.',
  );
}

/** What is still pending afterwards. */
async function migrate(dataSource: DataSource, migrations: StoreSettings['migrations']): Promise<string[]> {
  if (migrations === 'run') await runMigrations(dataSource, BOOT_PATIENCE_MS);
  return pendingMigrations(dataSource);
}

async function warningsOf(dataSource: DataSource, { of }: StoreName): Promise<string[]> {
  const { options } = dataSource;
  if (options.type === 'better-sqlite3') {
    return ['', ':memory:'].includes(options.database)
      ? [`The database of ${of} is in memory: what it holds is gone when the process ends.`]
      : [];
  }
  return (await isUnsynced(dataSource))
    ? ['PostgreSQL runs with synchronous_commit = off: the last writes are gone when it crashes.']
    : [];
}

function endClient(client: unknown): void {
  if (typeof client === 'object' && client !== null && 'end' in client && typeof client.end === 'function')
    client.end();
}
