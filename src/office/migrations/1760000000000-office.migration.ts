import {
  Table,
  type MigrationInterface,
  type QueryRunner,
  type TableColumnOptions,
  type TableIndexOptions,
} from 'typeorm';

/** The tables of the office; on PostgreSQL with row-level security for everything that belongs to a tenant. */
export class Office1760000000000 implements MigrationInterface {
  readonly name = 'Office1760000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(docPage());
    for (const table of tenantTables()) {
      await runner.createTable(table);
      if (runner.dataSource.options.type === 'postgres') await secureRows(runner, table.name);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { name } of [...tenantTables().toReversed(), docPage()]) await runner.dropTable(name);
  }
}

function docPage(): Table {
  const columns = [{ ...text('slug', 64), isPrimary: true }, text('title', 200), text('body')];
  return new Table({ name: 'doc_page', columns });
}

function tenantTables(): Table[] {
  return [
    tenantTable(
      'crm_record',
      [text('name', 200), text('company', 200), text('email', 320), text('stage', 16), text('notes')],
      { name: 'IDX_crm_record_tenant', columnNames: ['tenant'] },
    ),
    tenantTable(
      'mail_message',
      [
        owner,
        text('sender', 320),
        text('subject', 200),
        text('body'),
        text('receivedAt', 24),
        flag('unread'),
      ],
      { name: 'IDX_mail_message_owner', columnNames: ['tenant', 'owner'] },
    ),
    tenantTable(
      'mail_outbox',
      [owner, text('recipients'), text('subject', 200), text('body'), text('queuedAt', 24)],
      { name: 'IDX_mail_outbox_owner', columnNames: ['tenant', 'owner'] },
    ),
    tenantTable(
      'calendar_event',
      [owner, text('title', 200), text('startsAt', 24), text('endsAt', 24), text('attendees')],
      { name: 'IDX_calendar_event_owner', columnNames: ['tenant', 'owner', 'startsAt'] },
    ),
    tenantTable(
      'task',
      [
        owner,
        text('title', 200),
        { ...text('due', 10), isNullable: true },
        flag('done'),
        text('createdAt', 24),
      ],
      { name: 'IDX_task_owner', columnNames: ['tenant', 'owner'] },
    ),
    tenantTable(
      'ticket',
      [text('title', 200), text('requester', 320), text('body'), text('status', 16), text('createdAt', 24)],
      { name: 'IDX_ticket_tenant', columnNames: ['tenant', 'createdAt'] },
    ),
    tenantTable(
      'ticket_reply_draft',
      [text('ticketId', 36), text('author', 255), text('body'), text('createdAt', 24)],
      { name: 'IDX_ticket_reply_draft_ticket', columnNames: ['tenant', 'ticketId'] },
    ),
  ];
}

const owner = text('owner', 255);

function tenantTable(name: string, columns: TableColumnOptions[], index: TableIndexOptions): Table {
  const key = { ...text('id', 36), isPrimary: true };
  return new Table({ name, columns: [key, text('tenant', 255), ...columns], indices: [index] });
}

/** With a length `varchar`, without `text`: both are the same on SQLite and PostgreSQL. */
function text(name: string, length?: number): TableColumnOptions {
  return length === undefined ? { name, type: 'text' } : { name, type: 'varchar', length: String(length) };
}

function flag(name: string): TableColumnOptions {
  return { name, type: 'boolean' };
}

/**
 * A connection that did not say for which tenant it works sees no row and writes none. `FORCE` binds the owner of the
 * table too; only a superuser, or a role with BYPASSRLS, is not bound: the application should be neither.
 */
async function secureRows(runner: QueryRunner, table: string): Promise<void> {
  await runner.query(`ALTER TABLE "${table}" ENABLE ROW LEVEL SECURITY`);
  await runner.query(`ALTER TABLE "${table}" FORCE ROW LEVEL SECURITY`);
  await runner.query(
    `CREATE POLICY "tenant_rows" ON "${table}" USING ("tenant" = current_setting('sallyport.tenant', true))`,
  );
}
