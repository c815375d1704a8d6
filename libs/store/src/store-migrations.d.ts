import { type DataSource } from 'typeorm';
/** Names of the migrations that this database lacks. Changes nothing. */
export declare function pendingMigrations(dataSource: DataSource): Promise<string[]>;
/** Brings the tables up to date. Several processes may do so at once. */
export declare function runMigrations(dataSource: DataSource, patienceMs: number): Promise<void>;
/** Tries until it works, fails otherwise than `passes` by itself, or `patienceMs` are over. */
export declare function retryWhile<T>(passes: (error: unknown) => boolean, patienceMs: number, attempt: () => Promise<T>): Promise<T>;
