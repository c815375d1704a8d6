import type { DataSourceOptions } from 'typeorm';
import type { StoreName, StoreTables } from './store-tables.js';
export interface ConnectionLimits {
    /** Milliseconds for a connection to be made, and for a statement to end. PostgreSQL only: SQLite never waits. */
    readonly timeoutMs: number;
    /** Told when an idle connection is lost; the pool makes another. */
    readonly onPoolError: (error: unknown) => void;
}
/**
 * Options for a `DataSource` of these tables alone, on the database that `given` reaches. Of `given` only what is
 * needed to reach it is taken, by name: an application's `dropSchema`, `cache`, `entityPrefix` or replicas have no
 * business here.
 */
export declare function storeDataSourceOptions(given: DataSourceOptions, name: StoreName, tables: readonly StoreTables[], limits: ConnectionLimits): DataSourceOptions;
