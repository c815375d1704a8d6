import { Table, type MigrationInterface, type QueryRunner } from 'typeorm';

/** What is here is history: a later change of the table is a later migration. */
const TABLE = 'sallyport_revocation';

/** Creates the table of the revocations. TypeORM's `Table` writes the statements of either database. */
export class CreateSallyportRevocations1790000000100 implements MigrationInterface {
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
          ...['action', 'kind', 'value', 'by'].map((name) => ({ name, type: 'text' })),
          ...['issuer', 'tenant', 'reason'].map((name) => ({ name, type: 'text', isNullable: true })),
        ],
      }),
    );
  }

  /** What was revoked must stay so: going back would open every door again. */
  async down(): Promise<void> {
    throw new Error('The revocations are not dropped: everything that was revoked would be welcome again.');
  }
}
