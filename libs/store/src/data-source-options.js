import { StoreSetupError } from './store.errors.js';
/** Few: a store is beside the pool of the application, on the same database. */
const POOL_SIZE = 4;
/**
 * Options for a `DataSource` of these tables alone, on the database that `given` reaches. Of `given` only what is
 * needed to reach it is taken, by name: an application's `dropSchema`, `cache`, `entityPrefix` or replicas have no
 * business here.
 */
export function storeDataSourceOptions(given, name, tables, limits) {
    if (given.type === 'better-sqlite3')
        return sqliteOptions(given, tables);
    if (given.type === 'postgres')
        return postgresOptions(given, name, tables, limits);
    throw new StoreSetupError(`The tables of ${name.of} work on better-sqlite3 and postgres, not on ${given.type}. ` +
        `Give them a database of their own: ${name.option}: { database: { type: 'better-sqlite3', database: 'data/${name.option}.sqlite' } }.`);
}
function ownTables(dialect, tables) {
    return {
        entities: tables.flatMap(({ entities }) => entities(dialect)),
        migrations: tables.flatMap(({ migrations }) => migrations),
        migrationsTableName: 'sallyport_migrations',
        logging: false,
    };
}
function sqliteOptions(given, tables) {
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
        prepareDatabase: async (handle) => {
            try {
                await given.prepareDatabase?.(handle);
                handle.pragma('busy_timeout = 0');
                handle.pragma('journal_mode = WAL');
                // With NORMAL, a WAL loses the last commits when the power fails.
                handle.pragma('synchronous = FULL');
            }
            catch (error) {
                handle.close();
                throw error;
            }
        },
    };
}
function postgresOptions(given, { applicationName }, tables, limits) {
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
        poolSize: POOL_SIZE,
        connectTimeoutMS: limits.timeoutMs,
        poolErrorHandler: limits.onPoolError,
        extra: poolExtras(given.extra ?? {}, limits.timeoutMs),
    };
}
/**
 * The extras of the application's pool, without its size and its limits of time: a store has a few connections and a
 * limit of its own. `statement_timeout: 0` stays, because PgBouncer refuses connections that set one.
 */
function poolExtras(extra, timeoutMs) {
    const { max: _max, min: _min, query_timeout: _query, statement_timeout: statement, ...others } = extra;
    return { keepAlive: true, ...others, statement_timeout: statement === 0 ? 0 : timeoutMs };
}
//# sourceMappingURL=data-source-options.js.map