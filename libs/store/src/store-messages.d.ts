import type { DataSourceOptions } from 'typeorm';
/** Where a database is, in words for the operator: no password, no user. */
export declare function describeDatabase(options: DataSourceOptions): string;
/**
 * What the driver said, when that is known to hold no secret. The errors of node, SQLite and PostgreSQL have a code;
 * the message of anything else, such as a URL that could not be read, may quote its input.
 */
export declare function describeFailure(error: unknown, options: DataSourceOptions): string;
