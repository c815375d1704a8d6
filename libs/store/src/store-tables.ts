import type { EntitySchema, MigrationInterface } from 'typeorm';

/** The databases that stores work on. */
export type StoreDialect = 'better-sqlite3' | 'postgres';

/** Tables of one owner: what it maps, and how they come to be. */
export interface StoreTables {
  /** A function, because the two databases may disagree about a column. */
  readonly entities: (dialect: StoreDialect) => readonly EntitySchema[];
  /**
   * In order. Their names must be unique among all owners: everybody's are noted in one table, and each owner looks
   * for its own there, so the migrations of others are neither pending nor unknown to it.
   */
  readonly migrations: readonly (new () => MigrationInterface)[];
}

/** How a store is called, so that what goes wrong with it is said in the words of its owner. */
export interface StoreName {
  /** As in `The database of … cannot be reached`: `the audit`, `the API keys`. */
  readonly of: string;
  /** The option an application sets it by: `audit`, for `audit.database` and `audit.migrations`. */
  readonly option: string;
  /** Shown by PostgreSQL in `pg_stat_activity`. */
  readonly applicationName: string;
}
