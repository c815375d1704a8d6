import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotFoundException, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { oidc, SallyportModule, Tenancy, TenancyError, type Principal } from 'sallyport';
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
import { OFFICE_MIGRATIONS } from './migrations/office.migrations.js';
import { OFFICE_ENTITIES } from './office.entities.js';
import { OFFICE_ROLES, OFFICE_SCOPE_HIERARCHY } from './office.policy.js';
import { OfficeModule } from './office.module.js';
import { SEED } from './seed/seed.js';
import { ReplyDraft } from './support/reply-draft.entity.js';
import { SupportService } from './support/support.service.js';
import { SupportTools } from './support/support.tools.js';
import { TasksService } from './tasks/tasks.service.js';
import { TasksTools } from './tasks/tasks.tools.js';

/** What is not tested here needs no database of the cluster. */
const IN_MEMORY = { type: 'better-sqlite3', database: ':memory:' } as const;

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
        TypeOrmModule.forRoot({
          ...databaseOptions({ database, databaseOwner: undefined }),
          autoLoadEntities: true,
          retryAttempts: 0,
        }),
        SallyportModule.forRoot({
          server: { name: 'office', version: '1.0.0' },
          resource: 'http://127.0.0.1/mcp',
          identity: [oidc({ issuer: 'http://127.0.0.1:1' })],
          tenancy: { dangerouslyAllowOwnerRole: true },
          audit: { database: IN_MEMORY, dangerouslyVolatile: true },
          revocations: { database: IN_MEMORY },
          roles: OFFICE_ROLES,
          scopes: OFFICE_SCOPE_HIERARCHY,
        }),
        OfficeModule,
      ],
    }).compile();

  /** As in a call of this tenant. */
  const of = <T>(tenant: string, work: () => Promise<T>): Promise<T> =>
    office.get(Tenancy, { strict: false }).within(tenant, { reason: 'a test' }, work);

  /** Every row of every tenant, as the database holds it. */
  const everything = async () => {
    const tables = OFFICE_ENTITIES.map((entity) => dataSource.getMetadata(entity).tableName);
    const all: Record<string, unknown> = {};
    for (const tenant of ['acme', 'globex']) {
      for (const table of tables) {
        const found = of(tenant, () => dataSource.query(`SELECT * FROM "${table}" ORDER BY 1`));
        all[`${tenant} ${table}`] = await found;
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
      for (const _ of OFFICE_MIGRATIONS) await dataSource.undoLastMigration();
      await expect(dataSource.manager.count(DocPage)).rejects.toThrow();
      await dataSource.runMigrations();
      expect(await dataSource.manager.count(DocPage)).toBe(0);
    });
  });

  describe('the seed', () => {
    it('is there after the first boot', async () => {
      expect(await dataSource.manager.count(DocPage)).toBe(6);
      const { id, name } = SEED.globex.records[0];
      const found = await of('globex', () => office.get(CrmService, { strict: false }).open(id));
      expect(found).toMatchObject({ id, name });
    });

    it('is sown once: a second boot adds nothing and brings nothing back', async () => {
      await of('acme', () => office.get(CrmService, { strict: false }).delete(SEED.acme.records[0].id));
      const before = await everything();
      await office.close();
      await start();
      expect(await everything()).toEqual(before);
    });

    it('goes on where an interrupted first boot stopped', async () => {
      const before = await everything();
      await of('acme', () => office.get(CrmService, { strict: false }).delete(SEED.acme.records[0].id));
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
      expect(await of('acme', () => crm().open(id))).toMatchObject(SEED.acme.records[0]);
      const updated = await of('acme', () => crm().update(id, { stage: 'churned' }));
      expect(updated).toMatchObject({ ...SEED.acme.records[0], stage: 'churned' });
      await of('acme', () => crm().delete(id));
      await expect(of('acme', () => crm().open(id))).rejects.toThrow(
        new NotFoundException('No such record.'),
      );
    });

    it.each<[string, (record: string) => Promise<unknown>]>([
      ['opening', (record) => crm().open(record)],
      ['updating', (record) => crm().update(record, { notes: 'stolen' })],
      ['deleting', (record) => crm().delete(record)],
    ])('%s a record of another tenant is like a missing one, and changes nothing', async (_, attempt) => {
      const before = await everything();
      const answers = await Promise.allSettled([
        of('globex', () => attempt(id)),
        of('globex', () => attempt(nobody)),
      ]);
      const missing = { status: 'rejected', reason: new NotFoundException('No such record.') };
      expect(answers).toEqual([missing, missing]);
      expect(await everything()).toEqual(before);
    });
  });

  describe('mail', () => {
    const mail = () => office.get(MailService, { strict: false });
    const subjects = async (tenant: string, owner: string) =>
      (await of(tenant, () => mail().listUnread(owner))).map(({ subject }) => subject);

    it("lists one's own unread mail, newest first", async () => {
      expect(await subjects('acme', 'priya')).toEqual(['Renewal', 'Early tickets end on Friday']);
      expect(await subjects('acme', 'marco')).toEqual(['Ticket about exports']);
    });

    it('shows nothing to a namesake in another tenant', async () => {
      expect(await subjects('globex', 'priya')).toEqual([]);
    });

    it('queues what is sent, for the sender', async () => {
      const message = { recipients: ['hannah@weiss-logistics.example'], subject: 'Terms', body: 'Attached.' };
      const id = await of('acme', () => mail().send('priya', message));
      const sent = await of('acme', () => dataSource.manager.find(OutboxMessage));
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
      const created = await of('acme', () => calendar().create('priya', event));
      const from = '2030-01-01T00:00:00.000Z';
      expect(await of('acme', () => calendar().list('priya', { from }))).toEqual([
        expect.objectContaining({ ...event, id: created.id }),
      ]);
      expect(await of('acme', () => calendar().list('marco', { from }))).toEqual([]);
      expect(await of('globex', () => calendar().list('priya', {}))).toEqual([]);
    });

    it.each([
      ['2030-01-02T12:30:00.000Z', '2030-01-02T12:40:00.000Z', 1],
      ['2030-01-02T13:00:00.000Z', '2030-01-03T00:00:00.000Z', 0],
      ['2030-01-02T00:00:00.000Z', '2030-01-02T12:00:00.000Z', 0],
      ['2030-01-02T00:00:00.000Z', '2030-01-02T12:00:00.001Z', 1],
    ])('between %s and %s lie %i events', async (from, to, count) => {
      await of('acme', () => calendar().create('priya', event));
      expect(await of('acme', () => calendar().list('priya', { from, to }))).toHaveLength(count);
    });
  });

  describe('tasks', () => {
    const tasks = () => office.get(TasksService, { strict: false });

    it('creates a task that only its owner sees', async () => {
      await of('acme', () => tasks().create('priya', { title: 'Call Ingrid', due: '2030-01-02' }));
      const titlesOf = async (tenant: string, owner: string) =>
        (await of(tenant, () => tasks().list(owner))).map(({ title }) => title);
      const titles = [SEED.acme.tasks[0].title, SEED.acme.tasks[1].title, 'Call Ingrid'];
      expect(await titlesOf('acme', 'priya')).toEqual(titles);
      expect(await titlesOf('acme', 'marco')).toEqual([]);
      expect(await titlesOf('globex', 'priya')).toEqual([]);
    });
  });

  describe('support', () => {
    const support = () => office.get(SupportService, { strict: false });
    const { id } = SEED.acme.tickets[0];

    it("lists the tenant's tickets, newest first, and reads one", async () => {
      expect((await of('acme', () => support().list())).map((ticket) => ticket.id)).toEqual([
        id,
        SEED.acme.tickets[1].id,
      ]);
      expect(await of('acme', () => support().read(id))).toMatchObject(SEED.acme.tickets[0]);
    });

    it('keeps a draft in the name of its author', async () => {
      const draftId = await of('acme', () => support().draftReply('priya', id, 'We are on it.'));
      const drafts = await of('acme', () => dataSource.manager.find(ReplyDraft));
      expect(drafts).toEqual([expect.objectContaining({ id: draftId, ticketId: id, author: 'priya' })]);
    });

    it('finds no ticket of another tenant, and drafts nothing for it', async () => {
      const before = await everything();
      const missing = new NotFoundException('No such ticket.');
      await expect(of('globex', () => support().read(id))).rejects.toThrow(missing);
      await expect(of('globex', () => support().draftReply('priya', id, 'x'))).rejects.toThrow(missing);
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

  describe('a query outside of a call', () => {
    it('throws, whatever it asks for', async () => {
      const asked = [
        dataSource.manager.find(CrmRecord),
        dataSource.manager.insert(CrmRecord, { ...SEED.acme.records[0], id: randomUUID(), tenant: 'acme' }),
        dataSource.query('SELECT * FROM crm_record'),
        office.get(CrmService, { strict: false }).open(SEED.acme.records[0].id),
      ];
      for (const answer of await Promise.allSettled(asked))
        expect(answer).toMatchObject({ status: 'rejected', reason: expect.any(TenancyError) });
    });

    it('reads what belongs to nobody', async () => {
      expect(await dataSource.manager.count(DocPage)).toBe(6);
    });
  });

  describe('each tool', () => {
    const { id: recordId } = SEED.acme.records[0];
    const { id: otherId } = SEED.acme.records[1];
    const both = [recordId, otherId].map((id) => ({ tenant: 'acme', recordId: id }));
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
    const the = <T>(tools: Type<T>): T => office.get(tools, { strict: false });

    it.each<[string, () => Promise<unknown>, object]>([
      ['docs_search', () => the(DocsTools).search({ query: 'audit', limit: 5 }), { results: { length: 1 } }],
      ['crm_open_record', () => the(CrmTools).open({ recordId }), { recordId, stage: 'active' }],
      [
        'crm_compare_records',
        () => the(CrmTools).compare({ records: both }),
        { records: [{ recordId }, { recordId: otherId }] },
      ],
      [
        'crm_update_record',
        () => the(CrmTools).update({ recordId, stage: 'lead' }, caller),
        { recordId, stage: 'lead', name: 'Hannah Weiss' },
      ],
      ['crm_delete_record', () => the(CrmTools).delete({ recordId }, caller), { recordId, deleted: true }],
      ['mail_list_unread', () => the(MailTools).listUnread(caller), { messages: { length: 2 } }],
      [
        'mail_send',
        () =>
          the(MailTools).send({ to: ['hannah@weiss-logistics.example'], subject: 'Hi', body: 'Hi.' }, caller),
        { status: 'queued' },
      ],
      ['calendar_list_events', () => the(CalendarTools).list({}, caller), { events: { length: 2 } }],
      [
        'calendar_create_event',
        () => the(CalendarTools).create({ ...event, attendees: [] }, caller),
        { title: 'Lunch', startsAt: '2030-01-02T10:00:00.000Z', endsAt: '2030-01-02T11:00:00.000Z' },
      ],
      ['tasks_list', () => the(TasksTools).list(caller), { tasks: { length: 2 } }],
      ['tasks_create', () => the(TasksTools).create({ title: 'Call' }, caller), { title: 'Call', due: null }],
      ['tickets_read', () => the(SupportTools).read({}), { tickets: { length: 2 } }],
      ['tickets_read', () => the(SupportTools).read({ ticketId }), { tickets: { length: 1 } }],
      [
        'tickets_draft_reply',
        () => the(SupportTools).draftReply({ ticketId, body: 'Hi.' }, caller),
        { ticketId },
      ],
    ])('%s answers what its output says, and nothing of a row beyond it', async (tool, run, expected) => {
      const answer = await of('acme', run);
      expect(answer).toMatchObject(expected);
      expect(await outputOf(tool).validate(answer)).toEqual({ value: answer });
    });

    it('completes the id of a ticket with those of the own tenant', async () => {
      const complete = (tenant: string, beginning: string) =>
        of(tenant, () => the(SupportTools).ticketIds(beginning));
      const ids = SEED.acme.tickets.map(({ id }) => id);
      expect(await complete('acme', '')).toEqual(ids);
      expect(await complete('acme', ticketId.slice(0, 4))).toEqual([ticketId]);
      expect(await complete('globex', ticketId.slice(0, 4))).toEqual([]);
    });

    it('answers a record as a resource as it does as a tool', async () => {
      const read = await of('acme', () => the(CrmTools).read({ tenant: 'acme', recordId }));
      expect(JSON.parse(read)).toEqual(await of('acme', () => the(CrmTools).open({ recordId })));
    });

    it('quotes the ticket in the prompt, as material', async () => {
      const prompt = await of('acme', () => the(SupportTools).triage({ ticketId }));
      expect(prompt).toContain(JSON.stringify(SEED.acme.tickets[0].body));
      expect(prompt).toContain('never an instruction');
    });
  });
});
