import { AsyncResource } from 'node:async_hooks';
import { jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Args, McpTool, Tenancy, TenancyError } from 'sallyport';
import { DataSource, Like, type Logger } from 'typeorm';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { Runs, TestServer } from './support/server.js';
import {
  DATABASES,
  plantCanaries,
  rowsOf,
  tenantDatabase,
  type TenantDatabase,
} from './support/tenant-database.js';
import { Book, KINDS, NoteSchema, type Kind } from './support/tenant-entities.js';
import {
  READS,
  RECOVERIES,
  REFUSED,
  RELATIONS,
  TIES,
  trialOf,
  WRITES,
  type Verb,
} from './support/tenant-verbs.js';

const VERBS: Readonly<Record<string, Verb>> = { ...READS, ...WRITES, ...RECOVERIES, ...REFUSED };
const ALL_VERBS = { ...VERBS, ...RELATIONS, ...TIES };
const ALL_KINDS = Object.keys(KINDS) as Kind[];

const input = z.object({ verb: z.string(), kind: z.enum(ALL_KINDS), id: z.string() });

/** Ordinary code of an application: it asks an ordinary repository, and says nowhere whose rows it wants. */
@Injectable()
class Tools {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly runs: Runs,
  ) {}

  @McpTool({ name: 'try', description: 'Tries a verb.', scopes: ['crm:write'], risk: 'write', input })
  async try(@Args() { verb, kind, id }: z.output<typeof input>) {
    this.runs.note(verb);
    try {
      const seen = await ALL_VERBS[verb]?.(trialOf(this.dataSource, kind, id));
      return { seen: JSON.stringify(seen) ?? 'nothing', error: '' };
    } catch (error) {
      return { seen: '', error: error instanceof TenancyError ? error.code : String(error) };
    }
  }
}

/** Reaches further than its caller, and says why. */
@Injectable()
class Crossing {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly tenancy: Tenancy,
    private readonly runs: Runs,
  ) {}

  @McpTool({
    name: 'compare',
    description: 'Compares with another.',
    scopes: ['crm:write'],
    risk: 'read',
    input: z.object({ reason: z.string() }),
  })
  async compare(@Args('reason') reason: string) {
    const titles = async () => {
      this.runs.note('looked');
      const books = await this.dataSource.getRepository(Book).find();
      return books.map(({ title }) => title).join();
    };
    const other = await this.tenancy.within('globex', { reason }, titles);
    return `${other} and ${await titles()}`;
  }
}

/** Keeps what was sent to the database. */
class SentStatements implements Logger {
  readonly statements: string[] = [];
  readonly logQuery = (statement: string) => void this.statements.push(statement);
  readonly logQueryError = () => undefined;
  readonly logQuerySlow = () => undefined;
  readonly logSchemaBuild = () => undefined;
  readonly logMigration = () => undefined;
  readonly log = () => undefined;
}

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(DATABASES)('Rows of tenants, on %s:', (name) => {
  const sent = new SentStatements();
  let database: TenantDatabase;
  let server: TestServer;
  let token: string;

  beforeAll(async () => {
    database = await tenantDatabase(name);
    const options = { ...database.options, logger: sent };
    const tenancy = name === 'SQLite' ? {} : { across: { username: 'jobs', password: 'jobs-password' } };
    server = await TestServer.start({
      issuer,
      providers: [Tools, Crossing],
      database: options,
      sallyport: { tenancy },
    });
    token = await issuer.token({ tenant: 'acme', scope: 'crm:write' });
  });
  afterAll(async () => {
    await server.close();
    await database.stop();
  });
  beforeEach(() => plantCanaries(database.admin));

  async function attempt(verb: string, kind: Kind, id: string) {
    const answer = await server.send({ token, ...toolCall('try', { verb, kind, id }) });
    return answer.result?.['structuredContent'] as { seen: string; error: string };
  }

  describe.each(ALL_KINDS)('%s', (kind) => {
    it.each(Object.keys(READS))('reads by "%s" the own rows and no others', async (verb) => {
      const own = await attempt(verb, kind, 'acme-1');
      expect(own.error).toBe('');
      expect(own.seen).toMatch(/acme canary|^2$|^11$|^5\.5$|^5$|^6$|^true$|^1$|"n":"?2/);
      const other = await attempt(verb, kind, 'globex-1');
      for (const { seen } of [own, other]) expect(seen).not.toMatch(/globex|secret|1000|1011|^3$|"n":"?3/);
    });

    it.each(Object.keys(WRITES))('changes by "%s" the own rows and no others', async (verb) => {
      const [acme, globex] = [await rowsOf(database.admin, 'acme'), await rowsOf(database.admin, 'globex')];
      const own = await attempt(verb, kind, 'acme-1');
      expect(own.error).toBe('');
      expect(await rowsOf(database.admin, 'acme')).not.toEqual(acme);
      await attempt(verb, kind, 'globex-1');
      expect(await rowsOf(database.admin, 'globex')).toEqual(globex);
    });

    it.each(Object.keys(RECOVERIES))('brings back by "%s" the own rows and no others', async (verb) => {
      const { table } = KINDS[kind];
      await database.admin.query(`UPDATE "${table}" SET "deletedAt" = '2030-01-01 00:00:00'`);
      const [acme, globex] = [await rowsOf(database.admin, 'acme'), await rowsOf(database.admin, 'globex')];
      expect(await attempt(verb, kind, 'acme-1')).toMatchObject({ error: '' });
      expect(await rowsOf(database.admin, 'acme')).not.toEqual(acme);
      await attempt(verb, kind, 'globex-1');
      expect(await rowsOf(database.admin, 'globex')).toEqual(globex);
    });

    it.each(Object.keys(REFUSED))('refuses "%s"', async (verb) => {
      const before = [await rowsOf(database.admin, 'acme'), await rowsOf(database.admin, 'globex')];
      const { error } = await attempt(verb, kind, 'acme-1');
      expect(error).not.toBe('');
      expect([await rowsOf(database.admin, 'acme'), await rowsOf(database.admin, 'globex')]).toEqual(before);
    });

    it('throws for every verb outside of a call, and sends nothing', async () => {
      const dataSource = server.app.get(DataSource);
      const before = sent.statements.length;
      for (const [verb, attempted] of Object.entries(VERBS)) {
        const work = attempted(trialOf(dataSource, kind, 'acme-1')).then(() => verb);
        await expect(work).rejects.toThrow(TenancyError);
      }
      const { table } = KINDS[kind];
      expect(sent.statements.slice(before).filter((statement) => statement.includes(table))).toEqual([]);
    });
  });

  describe('from one row to another', () => {
    beforeEach(async () => {
      const { admin } = database;
      await admin.query(`UPDATE "book" SET "shelfId" = 'globex-1' WHERE "id" = 'acme-2'`);
      await admin.query(`UPDATE "book" SET "shelfId" = 'acme-1' WHERE "id" = 'globex-1'`);
      await admin.query(`UPDATE "mark" SET "shelfId" = 'globex-1' WHERE "id" = 'acme-2'`);
      await admin.query(`UPDATE "paper" SET "shelfId" = 'globex-1' WHERE "id" = 'acme-2'`);
      await admin.query(`UPDATE "mark" SET "shelfId" = 'acme-1' WHERE "id" = 'acme-1'`);
      await admin.query(
        `INSERT INTO "book_marks" ("bookId", "markId") VALUES ('acme-1', 'globex-1'), ('globex-1', 'acme-1')`,
      );
    });

    it.each(Object.keys(RELATIONS))('"%s" leads to own rows and no others', async (verb) => {
      const own = await attempt(verb, 'an entity', 'acme-1');
      expect(own.error).toBe('');
      expect(own.seen).toMatch(/acme canary|acme-1/);
      for (const id of ['globex-1', 'acme-2']) {
        const { seen } = await attempt(verb, 'an entity', id);
        // The key that an own row holds is its own; what it points at is not.
        expect(seen.replace(/"(b_|m_|s_)?shelfId":"globex-1"/g, '')).not.toMatch(/globex|secret|1000/);
      }
    });

    it.each(Object.keys(TIES))('"%s" leaves the rows of others as they were', async (verb) => {
      const before = await rowsOf(database.admin, 'globex');
      await attempt(verb, 'an entity', 'acme-1');
      expect(await rowsOf(database.admin, 'globex')).toEqual(before);
    });
  });

  it('gives what is saved its tenant, and says so', async () => {
    const dataSource = server.app.get(DataSource);
    const note = { id: 'new-1', title: 'new', amount: 1 };
    const saved = await server.app
      .get(Tenancy)
      .within('acme', { reason: 'a test' }, () => dataSource.getRepository(NoteSchema).save(note));
    expect(saved).toMatchObject({ tenant: 'acme' });
    expect((await rowsOf(database.admin, 'acme'))['note']).toContainEqual(expect.objectContaining(saved));
  });

  it('keeps calls apart that run at once', async () => {
    const others = await issuer.token({ tenant: 'globex', scope: 'crm:write' });
    const verbs = ['find', 'within a transaction', 'getManyAndCount', 'a lazy relation'];
    const calls = Array.from({ length: 80 }, async (_, index) => {
      const verb = verbs[index % verbs.length] ?? 'find';
      const call = toolCall('try', { verb, kind: 'an entity', id: 'acme-1' });
      const isOther = index % 3 === 0;
      const { result } = await server.send({ token: isOther ? others : token, ...call });
      return { isOther, seen: JSON.stringify(result?.['structuredContent']) };
    });
    for (const { isOther, seen } of await Promise.all(calls)) {
      expect(seen).toContain(isOther ? 'globex' : 'acme');
      expect(seen).not.toContain(isOther ? 'acme' : 'globex');
    }
  });

  describe('background work', () => {
    const titles = async () => {
      const books = await server.app.get(DataSource).getRepository(Book).find();
      return books.map(({ title }) => title).toSorted();
    };

    it('reaches the rows of the tenant that it names, on the record', async () => {
      const { answer, records } = await server.observe(() =>
        server.app.get(Tenancy).within('globex', { reason: 'import of May' }, titles),
      );
      expect(answer).toEqual(['globex secret']);
      expect(records).toMatchObject([
        { kind: 'administration', action: 'tenancy.crossed', target: 'globex', principalKind: 'process' },
      ]);
      expect(JSON.stringify(records)).toContain('import of May');
    });

    it('reaches the rows of every tenant when it says so, on the record', async () => {
      const { answer, records } = await server.observe(() =>
        server.app.get(Tenancy).acrossTenants({ reason: 'nightly export' }, titles),
      );
      expect(answer).toEqual(['acme canary', 'acme canary', 'globex secret']);
      expect(records).toMatchObject([{ action: 'tenancy.crossed', target: '*' }]);
    });

    it('writes across tenants, naming the tenant of each row', async () => {
      const dataSource = server.app.get(DataSource);
      await server.app.get(Tenancy).acrossTenants({ reason: 'correction' }, () =>
        dataSource.transaction(async (manager) => {
          await manager.update(Book, { title: Like('%') }, { amount: 9 });
          await manager.insert(Book, { id: 'new-1', tenant: 'initech', title: 'new', amount: 1 });
        }),
      );
      const rows = [await rowsOf(database.admin, 'globex'), await rowsOf(database.admin, 'initech')];
      expect(rows).toMatchObject([{ book: [{ amount: 9 }] }, { book: [{ id: 'new-1' }] }]);
    });

    it('is on the record with its caller, when a call reaches further', async () => {
      const { answer, records } = await server.observe(() =>
        server.send({ token, ...toolCall('compare', { reason: 'a comparison' }) }),
      );
      expect(answer.text).toContain('globex secret and acme canary,acme canary');
      const crossed = records.find(({ action }) => action === 'tenancy.crossed');
      expect(crossed).toMatchObject({ target: 'globex', tenant: 'acme', subject: 'alice' });
    });

    it('does not start when it cannot be recorded', async () => {
      // As a migration would: the DataSource of the server changes no schema.
      await database.admin.query('ALTER TABLE sallyport_audit RENAME TO lost_audit');
      const work = jest.fn(titles);
      try {
        const tenancy = server.app.get(Tenancy);
        for (const attempted of [
          tenancy.within('globex', { reason: 'a test' }, work),
          tenancy.acrossTenants({ reason: 'a test' }, work),
        ])
          await expect(attempted).rejects.toMatchObject({ code: 'not_recorded' });
      } finally {
        await database.admin.query('ALTER TABLE lost_audit RENAME TO sallyport_audit');
      }
      expect(work).not.toHaveBeenCalled();
    });

    it.each(['', '  ', 'x'.repeat(501)])('needs a reason: "%s" is none', async (reason) => {
      const work = jest.fn(titles);
      const attempts = [
        server.app.get(Tenancy).within('acme', { reason }, work),
        server.app.get(Tenancy).acrossTenants({ reason }, work),
      ];
      for (const one of attempts) await expect(one).rejects.toMatchObject({ code: 'no_reason' });
      expect(work).not.toHaveBeenCalled();
    });

    it('ends when its work ends', async () => {
      let late: (() => Promise<unknown>) | undefined;
      await server.app.get(Tenancy).acrossTenants({ reason: 'a test' }, async () => {
        late = AsyncResource.bind(titles);
        return Promise.resolve();
      });
      await expect(late?.()).rejects.toMatchObject({ code: 'reach_over' });
    });
  });
});
