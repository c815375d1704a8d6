import { enableTenantRows } from 'sallyport';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = [
  'crm_record',
  'mail_message',
  'mail_outbox',
  'calendar_event',
  'task',
  'ticket',
  'ticket_reply_draft',
];

/** On PostgreSQL, the policies that the framework checks at boot take the place of those the office had written itself. */
export class TenantRows1770000000000 implements MigrationInterface {
  readonly name = 'TenantRows1770000000000';

  async up(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type !== 'postgres') return;
    for (const table of TABLES) {
      await runner.query(`DROP POLICY "tenant_rows" ON "${table}"`);
      await enableTenantRows(runner, table);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type !== 'postgres') return;
    for (const table of TABLES) {
      await runner.query(`DROP POLICY "tenant_rows" ON "${table}"`);
      await runner.query(
        `CREATE POLICY "tenant_rows" ON "${table}" USING ("tenant" = current_setting('sallyport.tenant', true))`,
      );
    }
  }
}
