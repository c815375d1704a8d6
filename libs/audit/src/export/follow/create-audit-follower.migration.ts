import { Table, type MigrationInterface, type QueryRunner } from 'typeorm';

/** What is here is history: a later change of the table is a later migration. */
const TABLE = 'sallyport_audit_follower';

export class CreateSallyportAuditFollower1790000000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { driver } = runner.dataSource;
    await runner.createTable(
      new Table({
        name: driver.buildTableName(TABLE, driver.schema),
        columns: [
          { name: 'name', type: 'text', isPrimary: true, primaryKeyConstraintName: `${TABLE}_pkey` },
          { name: 'position', type: 'bigint' },
          { name: 'owner', type: 'text', isNullable: true },
          { name: 'lease_until', type: 'bigint' },
        ],
      }),
    );
  }

  /** Whoever follows would receive everything again. */
  down(): Promise<void> {
    return Promise.reject(new Error(`${TABLE} says what was shipped and is not dropped by a migration.`));
  }
}
