import type { MigrationInterface, QueryRunner } from 'typeorm';

import { refuseChanges } from '../privileges/append-only.js';

/** What is here is history: a later change of these tables is a later migration. */
const STATEMENTS = (table: (name: string) => string, number: string, bytes: string) => [
  `CREATE TABLE ${table('leaf')} (
    idx ${number} PRIMARY KEY,
    seq bigint NOT NULL UNIQUE,
    hash ${bytes} NOT NULL
  )`,
  // `root` stands before `hashes`, so that SQLite reads it without the pages of the other.
  `CREATE TABLE ${table('tile')} (
    level integer NOT NULL,
    idx bigint NOT NULL,
    root ${bytes} NOT NULL,
    hashes ${bytes} NOT NULL,
    PRIMARY KEY (level, idx)
  )`,
  `CREATE TABLE ${table('checkpoint')} (
    size bigint NOT NULL,
    at bigint NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (size, at)
  )`,
  `CREATE TABLE ${table('seal')} (
    from_idx ${number} PRIMARY KEY,
    to_idx bigint NOT NULL,
    sha256 text NOT NULL,
    file text NOT NULL,
    at bigint NOT NULL
  )`,
];

/**
 * The Merkle tree over the records, and what was signed of it. Rows are only ever added. Written as SQL: TypeORM's
 * `Table` would give SQLite a second index beside the row number that `idx` is.
 */
export class CreateSallyportLog1790000000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { driver } = runner.dataSource;
    const isPostgres = driver.options.type === 'postgres';
    const table = (name: string) =>
      driver
        .buildTableName(`sallyport_log_${name}`, driver.schema)
        .split('.')
        .map((part) => driver.escape(part))
        .join('.');
    const statements = STATEMENTS(table, isPostgres ? 'bigint' : 'integer', isPostgres ? 'bytea' : 'blob');
    for (const statement of statements) await runner.query(statement);
    for (const name of ['leaf', 'tile', 'checkpoint', 'seal'])
      await refuseChanges(runner, { name: `sallyport_log_${name}` });
  }

  /** An audit trail is not something to undo. */
  down(): Promise<void> {
    return Promise.reject(
      new Error('The log holds the evidence of the audit and is not dropped by a migration.'),
    );
  }
}
