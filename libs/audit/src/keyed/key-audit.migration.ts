import { Table, TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';

/** What is here is history: a later change of the tables is a later migration. */
const TABLE = 'sallyport_audit';
const KEYS = 'sallyport_audit_key';
const TEXTS = ['person', 'personal', 'argument_hashes', 'cause', 'approval', 'about'];

/** The keys of people, and room in the records for what is sealed with them. */
export class KeySallyportAudit1790000000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { driver } = runner.dataSource;
    await runner.createTable(keyTable(driver.buildTableName(KEYS, driver.schema)));
    const name = driver.buildTableName(TABLE, driver.schema);
    const table = name
      .split('.')
      .map((part) => driver.escape(part))
      .join('.');
    // TypeORM would copy the whole table on SQLite, where adding a column does not touch a single row.
    for (const column of TEXTS)
      await runner.query(`ALTER TABLE ${table} ADD COLUMN ${driver.escape(column)} text`);
    const index = { name: `${TABLE}_person`, columnNames: ['person'] };
    await runner.createIndex(name, new TableIndex(index));
    // Few records are administrative: the others need no place in it.
    const actions = { name: `${TABLE}_action`, columnNames: ['action'], where: '"action" IS NOT NULL' };
    await runner.createIndex(name, new TableIndex(actions));
  }

  /** An audit trail is not something to undo. */
  down(): Promise<void> {
    return Promise.reject(new Error(`${TABLE} holds the audit trail and nothing is dropped from it.`));
  }
}

function keyTable(name: string): Table {
  const text = { type: 'text', isNullable: true };
  return new Table({
    name,
    columns: [
      { name: 'id', type: 'text', isPrimary: true },
      { name: 'lookup', ...text },
      { name: 'subject_lookup', ...text },
      { name: 'tenant', ...text },
      { name: 'wrapping', ...text },
      { name: 'key', ...text },
      { name: 'created_at', type: 'bigint' },
      { name: 'erased_at', type: 'bigint', isNullable: true },
    ],
    indices: [
      { name: `${KEYS}_lookup`, columnNames: ['lookup'], isUnique: true },
      { name: `${KEYS}_subject`, columnNames: ['subject_lookup'] },
      { name: `${KEYS}_erased`, columnNames: ['erased_at'] },
    ],
  });
}
