import { Table, type MigrationInterface, type QueryRunner, type TableColumnOptions } from 'typeorm';

/** What is here is history: a later change of the table is a later migration. */
const TABLE = 'sallyport_api_key';

const REQUIRED_TEXTS = [
  'series',
  'name',
  'environment',
  'scopes',
  'roles',
  'ranges',
  'hash',
  'pepper',
  'issued_by_issuer',
  'issued_by_subject',
];
const TEXTS = ['tenant', 'replaced_by', 'last_used_entry'];
const REQUIRED_TIMES = ['issued_at', 'expires_at'];
const TIMES = ['revoked_at', 'last_used_at'];

export class CreateSallyportApiKeys1790000000200 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { driver } = runner.dataSource;
    await runner.createTable(
      new Table({
        name: driver.buildTableName(TABLE, driver.schema),
        columns: [
          { name: 'id', type: 'text', isPrimary: true, primaryKeyConstraintName: `${TABLE}_pkey` },
          ...REQUIRED_TEXTS.map((name): TableColumnOptions => ({ name, type: 'text' })),
          ...TEXTS.map((name): TableColumnOptions => ({ name, type: 'text', isNullable: true })),
          ...REQUIRED_TIMES.map((name): TableColumnOptions => ({ name, type: 'bigint' })),
          ...TIMES.map((name): TableColumnOptions => ({ name, type: 'bigint', isNullable: true })),
        ],
        indices: [
          { name: `${TABLE}_series`, columnNames: ['series'] },
          { name: `${TABLE}_tenant`, columnNames: ['tenant'] },
        ],
      }),
    );
  }

  /** Whoever holds a key would be locked out, and no one could say who held one. */
  down(): Promise<void> {
    return Promise.reject(new Error(`${TABLE} holds every API key and is not dropped by a migration.`));
  }
}
