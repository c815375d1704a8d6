import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLE = 'sallyport_published_checkpoint';

/** Where another database keeps the checkpoints of logs. Rows are only ever added. */
export class CreateSallyportPublishedCheckpoints1790000000101 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const { driver } = runner.dataSource;
    const path = driver.buildTableName(TABLE, driver.schema).split('.');
    await runner.query(
      `CREATE TABLE ${path.map((part) => driver.escape(part)).join('.')} (
        origin text NOT NULL,
        size bigint NOT NULL,
        at bigint NOT NULL,
        note text NOT NULL,
        PRIMARY KEY (origin, size, at)
      )`,
    );
  }

  /** Evidence is not something to undo. */
  down(): Promise<void> {
    return Promise.reject(new Error(`${TABLE} holds evidence and is not dropped by a migration.`));
  }
}
