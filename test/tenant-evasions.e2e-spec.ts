import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Args, McpTool, TenancyError } from 'sallyport';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { Runs, TestServer } from './support/server.js';
import {
  DATABASES,
  plantCanaries,
  rowsOf,
  tenantDatabase,
  type DatabaseName,
  type TenantDatabase,
} from './support/tenant-database.js';
import { Book } from './support/tenant-entities.js';

const input = z.object({ statement: z.string(), parameters: z.array(z.unknown()).default([]) });

/** The worst that an injection can do: the whole statement is the attacker's, and so are its parameters. */
@Injectable()
class Injected {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly runs: Runs,
  ) {}

  @McpTool({ name: 'ask', description: 'Runs SQL.', scopes: ['crm:write'], risk: 'write', input })
  async ask(@Args() { statement, parameters }: z.output<typeof input>) {
    this.runs.note('asked');
    return told(() => this.dataSource.query(statement, parameters));
  }

  @McpTool({
    name: 'insert',
    description: 'Stores a book as it came.',
    scopes: ['crm:write'],
    risk: 'write',
    input: z.object({ book: z.record(z.string(), z.unknown()) }),
  })
  async insert(@Args('book') book: Record<string, unknown>) {
    return told(() => this.dataSource.getRepository(Book).insert({ ...book }));
  }
}

async function told(work: () => Promise<unknown>) {
  try {
    return { seen: JSON.stringify((await work()) ?? null), error: '' };
  } catch (error) {
    return { seen: '', error: error instanceof TenancyError ? error.code : String(error) };
  }
}

/** What a database reads otherwise than one would think. Most of these have once been let through. */
const EVASIONS: Readonly<Record<DatabaseName, Readonly<Record<string, string>>>> = {
  SQLite: {
    'a comment that hides the end of the statement': `DELETE FROM book /* \0 */ WHERE id = 'acme-1'`,
    'a line that hides the end of the statement': `DELETE FROM book --\0\n WHERE id = 'acme-1'`,
    'a byte order mark for a space': 'SELECT * FROM \uFEFFbook',
    'UPDATE OR': `UPDATE OR IGNORE book SET title = 'x' || id`,
    'UPDATE OR behind WITH': `WITH a AS (SELECT 1) UPDATE OR FAIL main.book SET title = 'x' || id`,
    'samples of an index': 'SELECT CAST(sample AS TEXT) FROM sqlite_stat4',
    'a search index over the table': 'SELECT * FROM book_search',
    'a search index asked as a function': `SELECT * FROM book_search('secret')`,
    'the contents of a search index': 'SELECT * FROM shelf_search_content',
    'rows of another query behind the own': `INSERT INTO book (id, title, amount) VALUES ('a-9', 'mine', 1) UNION ALL SELECT 'g-9', 'planted', 1, 'globex'`,
    'such rows, with an upsert': `INSERT INTO book (id, title, amount) VALUES ('a-9', 'mine', 1) UNION ALL SELECT 'globex-1', 'x', 1, 'globex' FROM page WHERE true ON CONFLICT (id) DO UPDATE SET title = 'x'`,
    'links of another query behind the own': `INSERT INTO book_marks ("bookId", "markId") VALUES ('acme-2', 'acme-2') UNION ALL SELECT 'globex-1', 'acme-1'`,
    'a copy of the whole database': `VACUUM INTO '/tmp/sallyport-copied.sqlite'`,
    'another database': `ATTACH '/tmp/sallyport-copied.sqlite' AS copied`,
    'a connection that writes no more': 'PRAGMA query_only = 1',
  },
  PostgreSQL: {
    'a text that goes on in another, with a setting': `SELECT E'a'\n'\\' , ' , set_config('sallyport' || '.tenant', 'globex', true), (SELECT string_agg(title, ',') FROM book) --'`,
    'a setting whose name is put together': `SELECT set_config('sallyport' || '.tenant', 'globex', true), query_to_xml('select * from bo' || 'ok', true, true, '')`,
    'a setting in escapes': `SELECT set_config(E'sally\\x70ort.tenant', 'globex', true), query_to_xml('select * from bo' || 'ok', true, true, '')`,
    'a setting in quotes': `SET SESSION "sallyport" . "tenant" = 'globex'`,
    'code in a text': `DO $$ BEGIN PERFORM set_config('sallyport' || '.tenant', 'globex', false); END $$`,
    'a routine for later': `CREATE FUNCTION peek() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$`,
    'a text that is run': `SELECT query_to_xml('select set_con' || 'fig(''sally'' || ''port.tenant'', ''globex'', true)', true, true, ''), query_to_xml('select * from bo' || 'ok', true, true, '')`,
    'a text that is run, in quotes and with a schema': `SELECT "pg_catalog"."query_to_xml"('select * from bo' || 'ok', true, true, '')`,
    'a text that is run for its words': `SELECT word FROM ts_stat('select to_tsvector(''simple'', set_con' || 'fig(''sally'' || ''port.tenant'', ''globex'', true)) from bo' || 'ok')`,
    'a table by a text': `SELECT TABLE_TO_XML(('bo' || 'ok')::regclass, true, true, '')`,
    'a view over all settings': 'CREATE TEMP VIEW s AS SELECT * FROM pg_settings',
    'all settings': `UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming' || '_strings'`,
    'a setting of the session': 'SET default_transaction_read_only = on',
    'all settings taken back': 'RESET ALL',
    'a role of another kind': 'SET ROLE jobs',
    'the password of the role': `ALTER ROLE app PASSWORD 'app-password'`,
    'a table in the place of another': 'CREATE TEMP TABLE book (LIKE public.book INCLUDING ALL)',
    'another reading of texts': `SELECT set_config('standard_conforming_strings', 'off', false)`,
    'a verb as the name of a column': `WITH a AS (SELECT 1) SELECT max(title) delete FROM book t UNION SELECT t.title FROM (SELECT 'acme' AS tenant, 'x' AS title) t`,
    'a verb behind the name of a column': `WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r WHERE id < 2) SEARCH DEPTH FIRST BY id SET key UPDATE book SET title = 'x'`,
  },
};

const ON_BOTH: Readonly<Record<string, string>> = {
  'a query that stands in for what links point at': `WITH book(id, tenant) AS (VALUES ('globex-1', 'acme')), mark(id, workspace_id) AS (VALUES ('globex-1', 'acme')) SELECT * FROM book_marks`,
  'such a query, to make a link': `WITH book(id, tenant) AS (VALUES ('globex-1', 'acme')), mark AS (SELECT 'acme-1' AS id, 'acme' AS workspace_id) INSERT INTO book_marks ("bookId", "markId") VALUES ('globex-1', 'acme-1')`,
};

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(DATABASES)('A statement that somebody else wrote, on %s,', (name) => {
  let database: TenantDatabase;
  let server: TestServer;
  let token: string;

  beforeAll(async () => {
    database = await tenantDatabase(name);
    if (name === 'SQLite') await indexForSearch(database.admin);
    server = await TestServer.start({ issuer, providers: [Injected], database: database.options });
    token = await issuer.token({ tenant: 'acme', scope: 'crm:write' });
  });
  afterAll(async () => {
    await server.close();
    await database.stop();
  });
  beforeEach(() => plantCanaries(database.admin));

  async function ask(tool: string, args: Record<string, unknown>) {
    const answer = await server.send({ token, ...toolCall(tool, args) });
    return answer.result?.['structuredContent'] as { seen: string; error: string };
  }

  // On SQLite the carriage return ends nothing, and the second of these reads the table.
  it.each([`SELECT title FROM book -- ' \n`, `SELECT title --\r ' \n FROM book --'`])(
    'reads own rows at most: %j',
    async (statement) => {
      const { seen } = await ask('ask', { statement });
      expect(seen).not.toContain('secret');
      if (name === 'SQLite') expect(seen).toContain('acme canary');
    },
  );

  it('reads and changes own rows', async () => {
    const read = await ask('ask', { statement: 'SELECT title FROM book' });
    expect(read).toMatchObject({ seen: expect.stringContaining('acme canary'), error: '' });
    await ask('ask', { statement: `UPDATE book SET title = 'new'` });
    expect((await rowsOf(database.admin, 'acme'))['book']).toMatchObject([
      { title: 'new' },
      { title: 'new' },
    ]);
  });

  it.each(Object.entries({ ...EVASIONS[name], ...ON_BOTH }))('is refused: %s', async (_what, statement) => {
    const before = await rowsOf(database.admin, 'globex');
    const own = await rowsOf(database.admin, 'acme');
    expect(await ask('ask', { statement })).toEqual({ seen: '', error: 'unscopable' });
    expect(await rowsOf(database.admin, 'globex')).toEqual(before);
    expect(await rowsOf(database.admin, 'acme')).toEqual(own);
  });

  it('is refused outside of a call as well, where nothing of a tenant is named', async () => {
    const dataSource = server.app.get(DataSource);
    for (const statement of [
      ...(name === 'PostgreSQL' ? [`SELECT query_to_xml('select * from bo' || 'ok', true, true, '')`] : []),
      'CREATE TABLE mine (id int)',
    ])
      await expect(dataSource.query(statement)).rejects.toMatchObject({ code: 'unscopable' });
  });

  it('moves no value to where the tenant belongs', async () => {
    const before = await rowsOf(database.admin, 'globex');
    const columns = '"id", "tenant", "title", "amount"';
    const places = name === 'SQLite' ? '?, ?, ?, ?' : '$1, $2, $3, $4';
    const statement = `INSERT INTO "book" (${columns}) VALUES (${places})`;
    await ask('ask', { statement, parameters: [['x', 'globex'], 'acme', [], 1] });
    await ask('ask', { statement, parameters: [{ a: 1 }, 'acme', 'globex', 'x', 1] });
    await ask('insert', { book: { id: ['x', 'globex'], title: [], amount: 1 } });
    expect(await rowsOf(database.admin, 'globex')).toEqual(before);
  });
});

/** A search index that reads the table itself, and one that keeps a copy; and what the planner has seen of both. */
async function indexForSearch(admin: DataSource): Promise<void> {
  await plantCanaries(admin);
  await admin.query(`CREATE VIRTUAL TABLE book_search USING fts5(title, content='book')`);
  await admin.query(`CREATE VIRTUAL TABLE shelf_search USING fts5(title)`);
  await admin.query(`INSERT INTO shelf_search SELECT title FROM shelf`);
  await admin.query('CREATE INDEX book_titles ON book (title)');
  await admin.query('ANALYZE');
}
