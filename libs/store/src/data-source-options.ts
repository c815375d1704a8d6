import type { DataSourceOptions } from 'typeorm';

import { StoreSetupError } from './store.errors.js';
import type { StoreDialect, StoreName, StoreTables } from './store-tables.js';

/** Few: a store is beside the pool of the application, on the same database. */
export const POOL_SIZE = 4;

type OptionsOf<T extends StoreDialect> = Extract<DataSourceOptions, { readonly type: T }>;

/** What we ask of a better-sqlite3 handle. */
interface SqliteHandle {
  pragma(source: string): unknown;
  close(): unknown;
}

export interface ConnectionLimits {
  /** Milliseconds for a connection to be made, and for a statement to end. PostgreSQL only: SQLite never waits. */
  readonly timeoutMs: number;
  /** Connections at a time. PostgreSQL only. */
  readonly poolSize: number;
  /** Told when an idle connection is lost; the pool makes another. */
  readonly onPoolError: (error: unknown) => void;
}

/**
 * Options for a `DataSource` of these tables alone, on the database that `given` reaches. Of `given` only what is
 * needed to reach it is taken, by name: an application's `dropSchema`, `cache`, `entityPrefix` or replicas have no
 * business here.
 */
export function storeDataSourceOptions(
  given: DataSourceOptions,
  name: StoreName,
  tables: readonly StoreTables[],
  limits: ConnectionLimits,
): DataSourceOptions {
  if (given.type === 'better-sqlite3') return sqliteOptions(given, tables);
  if (given.type === 'postgres') return postgresOptions(given, name, tables, limits);
  throw new StoreSetupError(
    `The tables of ${name.of} work on better-sqlite3 and postgres, not on ${given.type}. ` +
      `Give them a database of their own: ${name.option}: { database: { type: 'better-sqlite3', database: 'data/${name.option}.sqlite' } }.`,
  );
}

function ownTables(dialect: StoreDialect, tables: readonly StoreTables[]) {
  return {
    entities: tables.flatMap(({ entities }) => entities(dialect)),
    migrations: tables.flatMap(({ migrations }) => migrations),
    migrationsTableName: 'sallyport_migrations',
    logging: false,
  };
}

function sqliteOptions(
  given: OptionsOf<'better-sqlite3'>,
  tables: readonly StoreTables[],
): OptionsOf<'better-sqlite3'> {
  const { database, driver, key, nativeBinding } = given;
  return {
    type: 'better-sqlite3',
    ...ownTables('better-sqlite3', tables),
    database,
    driver,
    key,
    nativeBinding,
    // A busy wait of SQLite blocks the event loop, and with it whoever in this process holds the lock.
    timeout: 0,
    prepareDatabase: async (handle: SqliteHandle) => {
      try {
        await given.prepareDatabase?.(handle);
        handle.pragma('busy_timeout = 0');
        handle.pragma('journal_mode = WAL');
        // With NORMAL, a WAL loses the last commits when the power fails.
        handle.pragma('synchronous = FULL');
      } catch (error) {
        handle.close();
        throw error;
      }
    },
  };
}

function postgresOptions(
  given: OptionsOf<'postgres'>,
  { applicationName }: StoreName,
  tables: readonly StoreTables[],
  limits: ConnectionLimits,
): OptionsOf<'postgres'> {
  const { driver, nativeDriver, schema } = given;
  const { url, host, port, username, password, database, ssl } = given.replication?.master ?? given;
  return {
    type: 'postgres',
    ...ownTables('postgres', tables),
    driver,
    nativeDriver,
    schema,
    url,
    host,
    port,
    username,
    password,
    database,
    ssl,
    applicationName,
    installExtensions: false,
    poolSize: limits.poolSize,
    connectTimeoutMS: limits.timeoutMs,
    poolErrorHandler: limits.onPoolError,
    extra: poolExtras(given.extra ?? {}, limits.timeoutMs),
  };
}

/**
 * The extras of the application's pool, without its size and its limits of time: a store has a few connections and a
 * limit of its own. `statement_timeout: 0` stays, because PgBouncer refuses connections that set one.
 */
function poolExtras(extra: Record<string, unknown>, timeoutMs: number): Record<string, unknown> {
  const { max: _max, min: _min, query_timeout: _query, statement_timeout: statement, ...others } = extra;
  return { keepAlive: true, ...others, statement_timeout: statement === 0 ? 0 : timeoutMs };
}
