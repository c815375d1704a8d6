/**
 * What an error of a write is about: `busy` passes by itself and nothing was written; `item` is about what was to be
 * written; `store` is about the store.
 */
export type WriteFault = 'busy' | 'item' | 'store';
/** What the driver said, without the statement and the parameters that TypeORM wraps it in. */
export declare function driverErrorOf(error: unknown): unknown;
/** The result code of SQLite (`SQLITE_BUSY`), the SQLSTATE of PostgreSQL (`23505`) or of node (`ECONNREFUSED`). */
export declare function errorCodeOf(error: unknown): string | undefined;
/** What the driver said in words: for the operator only. */
export declare function errorMessageOf(error: unknown): string;
export declare function faultOf(error: unknown): WriteFault;
export declare function isBusy(error: unknown): boolean;
