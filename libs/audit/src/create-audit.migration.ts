import { Table, type MigrationInterface, type QueryRunner, type TableColumnOptions } from 'typeorm';

/** What is here is history: a later change of the table is a later migration. */
const TABLE = 'sallyport_audit';

const REQUIRED_TEXTS = ['id', 'kind', 'via', 'server', 'resource'];
const TEXTS = [
  'attempt',
  'call',
  'traceparent',
  'protocol',
  'address',
  'principal_kind',
  'issuer',
  'subject',
  'client',
  'tenant',
  'actors',
  'credential_kind',
  'credential',
  'scopes_granted',
  'scopes_required',
  'roles',
  'method',
  'entry_kind',
  'entry',
  'entry_digest',
  'risk',
  'decision',
  'reason',
  'checks',
  'policy_version',
  'arguments_digest',
  'fields',
  'status',
  'source',
];
const COUNTS = ['duration_ms', 'result_bytes', 'shown'];

/** Creates the table of the audit records. TypeORM's `Table` writes the statements of either database. */
export class CreateSallyportAudit1790000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { driver } = runner.dataSource;
    const isPostgres = driver.options.type === 'postgres';
    await runner.createTable(
      new Table({
        name: driver.buildTableName(TABLE, driver.schema),
        columns: [
          {
            name: 'seq',
            type: isPostgres ? 'bigint' : 'integer',
            isPrimary: true,
            isGenerated: true,
            generationStrategy: 'increment',
          },
          { name: 'at', type: 'bigint' },
          ...REQUIRED_TEXTS.map((name): TableColumnOptions => ({ name, type: 'text' })),
          ...TEXTS.map((name): TableColumnOptions => ({ name, type: 'text', isNullable: true })),
          ...COUNTS.map((name): TableColumnOptions => ({ name, type: 'bigint', isNullable: true })),
        ],
        indices: [
          { name: `${TABLE}_id`, columnNames: ['id'], isUnique: true },
          { name: `${TABLE}_attempt`, columnNames: ['attempt'], isUnique: true },
          { name: `${TABLE}_call`, columnNames: ['call'] },
          { name: `${TABLE}_at`, columnNames: ['at'] },
          { name: `${TABLE}_tenant_at`, columnNames: ['tenant', 'at'] },
        ],
      }),
    );
  }

  /** An audit trail is not something to undo. */
  down(): Promise<void> {
    return Promise.reject(new Error(`${TABLE} holds the audit trail and is not dropped by a migration.`));
  }
}
