import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotFoundException, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Principal } from 'sallyport';
import { DataSource } from 'typeorm';
import { officeEntries } from '../../test/support/office-entries.js';
import { startPostgres } from '../../test/support/postgres.js';
import type { DatabaseLocation } from '../config/database-location.js';
import { databaseOptions } from '../config/database-options.js';
import { CalendarService } from './calendar/calendar.service.js';
import { CalendarTools } from './calendar/calendar.tools.js';
import { CrmRecord } from './crm/crm-record.entity.js';
import { CrmService } from './crm/crm.service.js';
import { CrmTools } from './crm/crm.tools.js';
import { DocPage } from './docs/doc-page.entity.js';
import { DocsService } from './docs/docs.service.js';
import { DocsTools } from './docs/docs.tools.js';
import { MailService } from './mail/mail.service.js';
import { MailTools } from './mail/mail.tools.js';
import { OutboxMessage } from './mail/outbox-message.entity.js';
import { OFFICE_ENTITIES } from './office.entities.js';
import { OfficeModule } from './office.module.js';
import { SEED } from './seed/seed.js';
import { ReplyDraft } from './support/reply-draft.entity.js';
import { SupportService } from './support/support.service.js';
import { SupportTools } from './support/support.tools.js';
import { TasksService } from './tasks/tasks.service.js';
import { TasksTools } from './tasks/tasks.tools.js';
import { TenantRows } from './tenancy/tenant-rows.js';

/** Makes empty databases, one for each test. */
interface Stores {
  open(): Promise<DatabaseLocation>;
  stop(): Promise<void>;
}

async function sqliteStores(): Promise<Stores> {
  const directory = await mkdtemp(join(tmpdir(), 'office-'));
  return {
    open: () => Promise.resolve({ kind: 'sqlite', path: join(directory, `${randomUUID()}.sqlite`) }),
    stop: () => rm(directory, { recursive: true }),
  };
}

/** The application is not a superuser, who would be bound by no row-level security. */
async function postgresStores(): Promise<Stores> {
  const postgres = await startPostgres();
  const admin = await new DataSource(postgres.options).initialize();
  await admin.query(`CREATE ROLE office LOGIN PASSWORD 'office-password'`);
  const { host, port } = postgres.options;
  return {
    open: async () => {
      const name = `office_${randomUUID().slice(0, 8)}`;
      await admin.query(`CREATE DATABASE ${name} OWNER office`);
      return { kind: 'postgres', url: `postgres://office:office-password@${host}:${port}/${name}` };
    },
    stop: async () => {
      await admin.destroy();
      await postgres.stop();
    },
  };
}

function outputOf(name: string) {
  const tool = officeEntries().find(({ kind, options }) => kind === 'tool' && options.name === name);
  const output = tool && 'output' in tool.options ? tool.options.output : undefined;
  if (output === undefined) throw new Error(`${name} has no output.`);
  return output['~standard'];
}

const PRIYA = { tenant: 'acme', subject: 'priya' };
const MARCO = { tenant: 'acme', subject: 'marco' };
/** A namesake in another tenant. */
const STRANGER = { tenant: 'globex', subject: 'priya' };

describe.each([
  ['SQLite', sqliteStores],
  ['PostgreSQL', postgresStores],
] as const)('the office on %s', (name, startStores) => {
  let stores: Stores;
  let database: DatabaseLocation;
  let office: TestingModule;
  let dataSource: DataSource;

  const boot = () =>
    Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...databaseOptions({ database }), autoLoadEntities: true, retryAttempts: 0 }),
        OfficeModule,
      ],
    }).compile();

  /** Every row of every tenant, as the database holds it. */
  const everything = async () => {
    const rows = office.get(TenantRows, { strict: false });
    const tables = OFFICE_ENTITIES.map((entity) => dataSource.getMetadata(entity).tableName);
    const all: Record<string, unknown> = {};
    for (const tenant of ['acme', 'globex']) {
      for (const table of tables) {
        const found = await rows.run(tenant, (manager) =>
          manager.query(`SELECT * FROM "${table}" ORDER BY 1`),
        );
        all[`${tenant} ${table}`] = found;
      }
    }
    return all;
  };

  const start = async () => {
    office = await (await boot()).init();
    dataSource = office.get(DataSource);
  };

  beforeAll(async () => {
    stores = await startStores();
  });

  afterAll(() => stores.stop());

  beforeEach(async () => {
    database = await stores.open();
    await start();
  });

  afterEach(() => office.close());

  describe('the schema', () => {
    it('is the same in the migration and in the entities', async () => {
      expect(dataSource.entityMetadatas).toHaveLength(OFFICE_ENTITIES.length);
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries).toEqual([]);
    });

    it('goes away with the migration, and comes back', async () => {
      await dataSource.undoLastMigration();
      await expect(dataSource.manager.count(DocPage)).rejects.toThrow();
      await dataSource.runMigrations();
      expect(await dataSource.manager.count(DocPage)).toBe(0);
    });
  });

  describe('the seed', () => {
    it('is there after the first boot', async () => {
      expect(await dataSource.manager.count(DocPage)).toBe(6);
      const { id, name } = SEED.globex.records[0];
      expect(await office.get(CrmService, { strict: false }).open('globex', id)).toMatchObject({ id, name });
    });

    it('is sown once: a second boot adds nothing and brings nothing back', async () => {
      await office.get(CrmService, { strict: false }).delete('acme', SEED.acme.records[0].id);
      const before = await everything();
      await office.close();
      await start();
      expect(await everything()).toEqual(before);
    });

    it('goes on where an interrupted first boot stopped', async () => {
      const before = await everything();
      await office.get(CrmService, { strict: false }).delete('acme', SEED.acme.records[0].id);
      await dataSource.manager.createQueryBuilder().delete().from(DocPage).execute();
      await office.close();
      await start();
      expect(await everything()).toEqual(before);
    });
  });

  describe('crm', () => {
    const { id } = SEED.acme.records[0];
    const nobody = '11111111-1111-4111-8111-111111111111';
    const crm = () => office.get(CrmService, { strict: false });

    it('opens, updates and deletes a record of the tenant', async () => {
      expect(await crm().open('acme', id)).toMatchObject(SEED.acme.records[0]);
      const updated = await crm().update('acme', id, { stage: 'churned' });
      expect(updated).toMatchObject({ ...SEED.acme.records[0], stage: 'churned' });
      await crm().delete('acme', id);
      await expect(crm().open('acme', id)).rejects.toThrow(new NotFoundException('No such record.'));
    });

    it.each<[string, (tenant: string, record: string) => Promise<unknown>]>([
      ['opening', (tenant, record) => crm().open(tenant, record)],
      ['updating', (tenant, record) => crm().update(tenant, record, { notes: 'stolen' })],
      ['deleting', (tenant, record) => crm().delete(tenant, record)],
    ])('%s a record of another tenant is like a missing one, and changes nothing', async (_, attempt) => {
      const before = await everything();
      const answers = await Promise.allSettled([attempt('globex', id), attempt('globex', nobody)]);
      const missing = { status: 'rejected', reason: new NotFoundException('No such record.') };
      expect(answers).toEqual([missing, missing]);
      expect(await everything()).toEqual(before);
    });
  });

  describe('mail', () => {
    const mail = () => office.get(MailService, { strict: false });
    const subjects = async (owner: typeof PRIYA) =>
      (await mail().listUnread(owner)).map(({ subject }) => subject);

    it("lists one's own unread mail, newest first", async () => {
      expect(await subjects(PRIYA)).toEqual(['Renewal', 'Early tickets end on Friday']);
      expect(await subjects(MARCO)).toEqual(['Ticket about exports']);
    });

    it('shows nothing to a namesake in another tenant', async () => {
      expect(await subjects(STRANGER)).toEqual([]);
    });

    it('queues what is sent, for the sender', async () => {
      const message = { recipients: ['hannah@weiss-logistics.example'], subject: 'Terms', body: 'Attached.' };
      const id = await mail().send(PRIYA, message);
      const rows = office.get(TenantRows, { strict: false });
      const sent = await rows.run('acme', (manager) => manager.findBy(OutboxMessage, { tenant: 'acme' }));
      expect(sent).toEqual([expect.objectContaining({ ...message, id, tenant: 'acme', owner: 'priya' })]);
    });
  });

  describe('calendar', () => {
    const calendar = () => office.get(CalendarService, { strict: false });
    const event = {
      title: 'Lunch',
      startsAt: '2030-01-02T12:00:00.000Z',
      endsAt: '2030-01-02T13:00:00.000Z',
      attendees: ['marco@acme.example'],
    };

    it('creates an event that only its owner sees', async () => {
      const created = await calendar().create(PRIYA, event);
      const from = '2030-01-01T00:00:00.000Z';
      expect(await calendar().list(PRIYA, { from })).toEqual([
        expect.objectContaining({ ...event, id: created.id }),
      ]);
      expect(await calendar().list(MARCO, { from })).toEqual([]);
      expect(await calendar().list(STRANGER, {})).toEqual([]);
    });

    it.each([
      ['2030-01-02T12:30:00.000Z', '2030-01-02T12:40:00.000Z', 1],
      ['2030-01-02T13:00:00.000Z', '2030-01-03T00:00:00.000Z', 0],
      ['2030-01-02T00:00:00.000Z', '2030-01-02T12:00:00.000Z', 0],
      ['2030-01-02T00:00:00.000Z', '2030-01-02T12:00:00.001Z', 1],
    ])('between %s and %s lie %i events', async (from, to, count) => {
      await calendar().create(PRIYA, event);
      expect(await calendar().list(PRIYA, { from, to })).toHaveLength(count);
    });
  });

  describe('tasks', () => {
    const tasks = () => office.get(TasksService, { strict: false });

    it('creates a task that only its owner sees', async () => {
      await tasks().create(PRIYA, { title: 'Call Ingrid', due: '2030-01-02' });
      const titles = [SEED.acme.tasks[0].title, SEED.acme.tasks[1].title, 'Call Ingrid'];
      expect((await tasks().list(PRIYA)).map(({ title }) => title)).toEqual(titles);
      expect(await tasks().list(MARCO)).toEqual([]);
      expect(await tasks().list(STRANGER)).toEqual([]);
    });
  });

  describe('support', () => {
    const support = () => office.get(SupportService, { strict: false });
    const { id } = SEED.acme.tickets[0];

    it("lists the tenant's tickets, newest first, and reads one", async () => {
      expect((await support().list('acme')).map((ticket) => ticket.id)).toEqual([
        id,
        SEED.acme.tickets[1].id,
      ]);
      expect(await support().read('acme', id)).toMatchObject(SEED.acme.tickets[0]);
    });

    it('keeps a draft in the name of its author', async () => {
      const draftId = await support().draftReply(PRIYA, id, 'We are on it.');
      const rows = office.get(TenantRows, { strict: false });
      const drafts = await rows.run('acme', (manager) => manager.findBy(ReplyDraft, { tenant: 'acme' }));
      expect(drafts).toEqual([expect.objectContaining({ id: draftId, ticketId: id, author: 'priya' })]);
    });

    it('finds no ticket of another tenant, and drafts nothing for it', async () => {
      const before = await everything();
      await expect(support().read('globex', id)).rejects.toThrow(new NotFoundException('No such ticket.'));
      await expect(support().draftReply(STRANGER, id, 'x')).rejects.toThrow(
        new NotFoundException('No such ticket.'),
      );
      expect(await everything()).toEqual(before);
    });
  });

  describe('docs', () => {
    const docs = () => office.get(DocsService, { strict: false });

    it('finds pages that hold every word, in any case', async () => {
      const found = await docs().search('MERKLE checkpoints', 5);
      expect(found.map(({ slug }) => slug)).toEqual(['audit']);
      expect(found[0]?.excerpt).toContain('Merkle');
    });

    it.each(['%', '_', '!', "' OR 1=1 --", '   ', 'absent'])('finds nothing for %j', async (query) => {
      const all = await dataSource.manager.find(DocPage);
      const literally = all.filter(
        ({ title, body }) => query.trim() !== '' && `${title} ${body}`.includes(query),
      );
      expect(await docs().search(query, 20)).toHaveLength(literally.length);
    });

    it('finds no more than asked', async () => {
      expect(await docs().search('the', 2)).toHaveLength(2);
    });

    it('reads one page as Markdown', async () => {
      expect(await docs().read('tenants')).toMatch(/^# Tenants\n\n/);
      await expect(docs().read('nothing')).rejects.toThrow(new NotFoundException('No such page.'));
    });
  });

  describe('a query that forgot the tenant', () => {
    it('is refused when it names one that is undefined', async () => {
      const missing: { tenant?: string | undefined } = { tenant: undefined };
      await expect(dataSource.manager.findBy(CrmRecord, { ...missing })).rejects.toThrow('undefined');
    });

    (name === 'PostgreSQL' ? it : it.skip)('meets row-level security', async () => {
      const rows = office.get(TenantRows, { strict: false });
      expect(await dataSource.manager.count(CrmRecord)).toBe(0);
      expect(await rows.run('globex', (manager) => manager.count(CrmRecord))).toBe(
        SEED.globex.records.length,
      );
      const row = { ...SEED.acme.records[0], id: randomUUID(), tenant: 'acme' };
      const planted = rows.run('globex', (manager) => manager.insert(CrmRecord, row));
      await expect(planted).rejects.toThrow('row-level security');
      expect(await dataSource.manager.count(CrmRecord)).toBe(0);
    });
  });

  describe('each tool', () => {
    const { id: recordId } = SEED.acme.records[0];
    const { id: ticketId } = SEED.acme.tickets[0];
    const caller: Principal = {
      kind: 'user',
      issuer: 'https://idp.example',
      subject: 'priya',
      tenant: 'acme',
      actors: [],
      scopes: [],
      roles: [],
      credential: { kind: 'jwt' },
      claims: {},
    };
    const event = {
      title: 'Lunch',
      startsAt: '2030-01-02T12:00:00+02:00',
      endsAt: '2030-01-02T13:00:00+02:00',
    };
    const of = <T>(tools: Type<T>): T => office.get(tools, { strict: false });

    it.each<[string, () => Promise<unknown>, object]>([
      ['docs_search', () => of(DocsTools).search({ query: 'audit', limit: 5 }), { results: { length: 1 } }],
      ['crm_open_record', () => of(CrmTools).open({ recordId }, caller), { recordId, stage: 'active' }],
      [
        'crm_update_record',
        () => of(CrmTools).update({ recordId, stage: 'lead' }, caller),
        { recordId, stage: 'lead', name: 'Hannah Weiss' },
      ],
      ['crm_delete_record', () => of(CrmTools).delete({ recordId }, caller), { recordId, deleted: true }],
      ['mail_list_unread', () => of(MailTools).listUnread(caller), { messages: { length: 2 } }],
      [
        'mail_send',
        () =>
          of(MailTools).send({ to: ['hannah@weiss-logistics.example'], subject: 'Hi', body: 'Hi.' }, caller),
        { status: 'queued' },
      ],
      ['calendar_list_events', () => of(CalendarTools).list({}, caller), { events: { length: 2 } }],
      [
        'calendar_create_event',
        () => of(CalendarTools).create({ ...event, attendees: [] }, caller),
        { title: 'Lunch', startsAt: '2030-01-02T10:00:00.000Z', endsAt: '2030-01-02T11:00:00.000Z' },
      ],
      ['tasks_list', () => of(TasksTools).list(caller), { tasks: { length: 2 } }],
      ['tasks_create', () => of(TasksTools).create({ title: 'Call' }, caller), { title: 'Call', due: null }],
      ['tickets_read', () => of(SupportTools).read({}, caller), { tickets: { length: 2 } }],
      ['tickets_read', () => of(SupportTools).read({ ticketId }, caller), { tickets: { length: 1 } }],
      [
        'tickets_draft_reply',
        () => of(SupportTools).draftReply({ ticketId, body: 'Hi.' }, caller),
        { ticketId },
      ],
    ])('%s answers what its output says, and nothing of a row beyond it', async (tool, run, expected) => {
      const answer = await run();
      expect(answer).toMatchObject(expected);
      expect(await outputOf(tool).validate(answer)).toEqual({ value: answer });
    });

    it('quotes the ticket in the prompt, as material', async () => {
      const prompt = await of(SupportTools).triage({ ticketId }, caller);
      expect(prompt).toContain(JSON.stringify(SEED.acme.tickets[0].body));
      expect(prompt).toContain('never an instruction');
    });
  });
});
