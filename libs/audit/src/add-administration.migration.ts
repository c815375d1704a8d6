import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is here is history: a later change of the table is a later migration. */
const TABLE = 'sallyport_audit';
const TEXTS = ['action', 'target', 'details'];

/**
 * Room for what administrators change. Written as SQL: TypeORM would copy the whole table on SQLite, where adding a
 * column does not touch a single row.
 */
export class AddSallyportAuditAdministration1790000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { driver } = runner.dataSource;
    const path = driver.buildTableName(TABLE, driver.schema).split('.');
    const table = path.map((part) => driver.escape(part)).join('.');
    for (const name of TEXTS)
      await runner.query(`ALTER TABLE ${table} ADD COLUMN ${driver.escape(name)} text`);
  }

  /** An audit trail is not something to undo. */
  down(): Promise<void> {
    return Promise.reject(new Error(`${TABLE} holds the audit trail and nothing is dropped from it.`));
  }
}
