import { DataSource, type DataSourceOptions, type EntityManager } from 'typeorm';
import type { StoreName, StoreTables } from './store-tables.js';
import type { StoreSettings } from './store.options.js';
/**
 * Tables of our own, over a `DataSource` of their own. With better-sqlite3 a `DataSource` is one connection: on the
 * application's, what is written would be part of whatever transaction is open there, and would be rolled back with it.
 *
 * Write single statements, each a transaction by itself. Never `BEGIN`, wait, `COMMIT`: with SQLite another connection
 * of this process may block the event loop until the lock is free.
 */
export declare class Store {
    /** Of these tables alone. */
    readonly dataSource: DataSource;
    private readonly timeoutMs;
    /** What makes the rows less durable than they should be, in sentences. Empty: nothing. */
    readonly warnings: readonly string[];
    private readonly lastWork;
    private constructor();
    /**
     * Connects and brings the tables up to date, or checks that they are.
     *
     * @throws {StoreSetupError} when the database cannot be reached or lacks tables.
     * @example
     * const store = await Store.open(application.options, name, [notes], { migrations: 'run', timeoutMs: 5000 });
     */
    static open(database: DataSourceOptions, name: StoreName, tables: readonly StoreTables[], settings: StoreSettings): Promise<Store>;
    /**
     * Runs one statement and gives its rows.
     *
     * Rejects with the error of the driver: TypeORM's carries every parameter into whatever log prints it.
     */
    query<Row>(statement: string, parameters: readonly unknown[]): Promise<Row[]>;
    /**
     * Does what is one statement of TypeORM, again and again while an SQLite file is busy, until `timeoutMs` are over.
     * Rejects as {@link query} does.
     *
     * @example
     * const { affected } = await store.run((manager) => manager.update(Note, { id }, { text }));
     */
    run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T>;
    /** What must still be written before the store is closed. What it throws is nobody's to handle any more. */
    beforeClose(work: () => Promise<void>): void;
    close(): Promise<void>;
    /** Ends a connection that no longer answers, instead of giving it back to the pool with a statement under way. */
    private onRunner;
}
