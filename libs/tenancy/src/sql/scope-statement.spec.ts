import { TenancyError } from '../tenancy.errors.js';
import { scopeStatement } from './scope-statement.js';
import { render } from './scoped-sql.js';
import type { TenantTable } from './tenant-table.js';
import type { Dialect } from './tokens.js';

const ticket: TenantTable = { kind: 'rows', path: 'ticket', column: 'tenant' };
const tables = new Map<string, TenantTable>([
  ['ticket', ticket],
  ['tag', { kind: 'rows', path: 'tag', column: 'workspace' }],
  [
    'ticket_tags',
    {
      kind: 'links',
      path: 'ticket_tags',
      ends: [
        { column: 'ticketId', key: 'id', table: ticket },
        { column: 'tagId', key: 'id', table: { kind: 'rows', path: 'tag', column: 'workspace' } },
      ],
    },
  ],
  ['open_tickets', { kind: 'opaque', path: 'open_tickets' }],
]);

function scope(statement: string, dialect: Dialect = 'postgres'): string {
  const scoping = scopeStatement(spelled(statement, dialect), dialect, tables);
  return scoping.kind === 'scoped' ? render(scoping.sql, '@T').replace(/\s+/g, ' ').trim() : scoping.kind;
}

/** Parameters as the database has them. */
function spelled(statement: string, dialect: Dialect): string {
  return dialect === 'sqlite' ? statement.replace(/\$\d/g, '?') : statement;
}

const OWN = '(SELECT * FROM "ticket" WHERE "ticket"."tenant" = @T)';
const BOTH: readonly Dialect[] = ['postgres', 'sqlite'];

describe.each(BOTH)('scopeStatement on %s', (dialect) => {
  it.each([
    ['SELECT * FROM "ticket" "t" WHERE 1=1', `SELECT * FROM ${OWN} "t" WHERE 1=1`],
    ['SELECT * FROM "ticket"', `SELECT * FROM ${OWN} AS "ticket"`],
    [
      'select x from ticket where id = 1 OR 1 = 1',
      'select x from (SELECT * FROM ticket WHERE ticket."tenant" = @T) AS ticket where id = 1 OR 1 = 1',
    ],
    ['SELECT * FROM "doc", "ticket" t', `SELECT * FROM "doc", ${OWN} t`],
    [
      'SELECT * FROM "doc" d LEFT JOIN "ticket" "t" ON d.x = t.y',
      `SELECT * FROM "doc" d LEFT JOIN ${OWN} "t" ON d.x = t.y`,
    ],
    [
      'SELECT 1 WHERE EXISTS (SELECT 1 FROM "ticket" "t")',
      `SELECT 1 WHERE EXISTS (SELECT 1 FROM ${OWN} "t")`,
    ],
    ['SELECT 1 UNION ALL SELECT 2 FROM "ticket" t', `SELECT 1 UNION ALL SELECT 2 FROM ${OWN} t`],
    [
      'WITH a AS (SELECT * FROM "ticket" t) SELECT * FROM a',
      `WITH a AS (SELECT * FROM ${OWN} t) SELECT * FROM a`,
    ],
    [
      'SELECT * FROM ("ticket" t JOIN doc d ON d.a = t.b)',
      `SELECT * FROM (${OWN} t JOIN doc d ON d.a = t.b)`,
    ],
    ['SELECT 1FROM "ticket" t', `SELECT 1FROM ${OWN} t`],
    [
      'SELECT t.* /* FROM doc */ FROM "ticket" t -- WHERE',
      `SELECT t.* /* FROM doc */ FROM ${OWN} t -- WHERE`,
    ],
    [
      'SELECT * FROM "main"."ticket" t',
      'SELECT * FROM (SELECT * FROM "main"."ticket" WHERE "ticket"."tenant" = @T) t',
    ],
    [
      'DELETE FROM "ticket" WHERE "id" = $1 OR 1=1',
      'DELETE FROM "ticket" WHERE ( "id" = $1 OR 1=1 ) AND ("ticket"."tenant" = @T)',
    ],
    ['DELETE FROM "ticket"', 'DELETE FROM "ticket" WHERE ("ticket"."tenant" = @T)'],
    [
      'DELETE FROM "ticket" WHERE a = 1 -- never',
      'DELETE FROM "ticket" WHERE ( a = 1 ) AND ("ticket"."tenant" = @T) -- never',
    ],
    [
      'UPDATE "ticket" SET "title" = $1 WHERE "id" IN ($2) RETURNING "title"',
      'UPDATE "ticket" SET "title" = $1 WHERE ( "id" IN ($2) ) AND ("ticket"."tenant" = @T) RETURNING "title"',
    ],
    [
      'UPDATE "ticket" AS "t" SET "title" = (SELECT max(x) FROM "ticket" o WHERE 1=1)',
      `UPDATE "ticket" AS "t" SET "title" = (SELECT max(x) FROM ${OWN} o WHERE 1=1) WHERE ("t"."tenant" = @T)`,
    ],
    [
      'INSERT INTO "ticket"("id", "title") VALUES ($1, $2), ($3, f(4, 5))',
      'INSERT INTO "ticket"("id", "title", "tenant") VALUES ($1, $2, @T), ($3, f(4, 5), @T)',
    ],
    [
      'INSERT INTO "ticket"("id", "tenant") VALUES ($1, DEFAULT), ($2, NULL)',
      'INSERT INTO "ticket"("id", "tenant") VALUES ($1, @T), ($2, @T)',
    ],
    [
      'INSERT INTO "ticket" AS "t" ("id", "x") VALUES (1, 2) ON CONFLICT ("id") DO UPDATE SET "x" = EXCLUDED."x" RETURNING "id"',
      'INSERT INTO "ticket" AS "t" ("id", "x", "tenant") VALUES (1, 2, @T) ON CONFLICT ("id") DO UPDATE SET "x" = EXCLUDED."x" WHERE ("t"."tenant" = @T) RETURNING "id"',
    ],
    [
      'INSERT INTO "ticket" ("id") VALUES (1) ON CONFLICT ("id") DO UPDATE SET "x" = 1 WHERE 1=1 OR 2=2',
      'INSERT INTO "ticket" ("id", "tenant") VALUES (1, @T) ON CONFLICT ("id") DO UPDATE SET "x" = 1 WHERE ( 1=1 OR 2=2 ) AND ("ticket"."tenant" = @T)',
    ],
    [
      'INSERT INTO "ticket" ("id") VALUES (1) ON CONFLICT DO NOTHING',
      'INSERT INTO "ticket" ("id", "tenant") VALUES (1, @T) ON CONFLICT DO NOTHING',
    ],
    [
      'INSERT INTO "doc" ("id") SELECT "id" FROM "ticket" t',
      `INSERT INTO "doc" ("id") SELECT "id" FROM ${OWN} t`,
    ],
  ])('%s', (statement, scoped) => {
    expect(scope(statement, dialect)).toBe(spelled(scoped, dialect));
  });

  it.each([
    'SELECT * FROM "doc" "ticket" WHERE "ticket"."id" = 1',
    'SELECT "ticket" FROM "doc"',
    `SELECT 'FROM ticket' FROM doc`,
    'SELECT 1 -- FROM ticket',
    'UPDATE "doc" SET "ticket" = 1',
    'INSERT INTO "doc" ("ticket") VALUES (1)',
    'SELECT 1',
    `SELECT 'query_to_xml'`,
  ])('leaves alone what touches no table of tenants: %s', (statement) => {
    expect(scope(statement, dialect)).toBe('free');
  });

  it.each(['START TRANSACTION', 'BEGIN', 'COMMIT', 'ROLLBACK TO SAVEPOINT typeorm_1', 'SAVEPOINT typeorm_1'])(
    'knows a transaction: %s',
    (statement) => {
      expect(scope(statement, dialect)).toBe('transaction');
    },
  );

  it('narrows links by both of their ends', () => {
    const scoped = scope('SELECT * FROM "ticket_tags" "l"', dialect);
    expect(scoped).toContain(
      'WHERE "sallyport_end"."id" = "ticket_tags"."ticketId" AND "sallyport_end"."tenant" = @T)',
    );
    expect(scoped).toContain(
      'WHERE "sallyport_end"."id" = "ticket_tags"."tagId" AND "sallyport_end"."workspace" = @T)',
    );
  });

  it('inserts a link only between rows of the tenant', () => {
    const scoped = scope('INSERT INTO "ticket_tags"("ticketId", "tagId") VALUES ($1, $2)', dialect);
    const expected =
      'INSERT INTO "ticket_tags"("ticketId", "tagId") VALUES (' +
      '(SELECT "sallyport_end"."id" FROM "ticket" "sallyport_end" WHERE "sallyport_end"."id" = $1 AND "sallyport_end"."tenant" = @T), ' +
      '(SELECT "sallyport_end"."id" FROM "tag" "sallyport_end" WHERE "sallyport_end"."id" = $2 AND "sallyport_end"."workspace" = @T))';
    expect(scoped).toBe(spelled(expected, dialect));
  });

  it.each([
    ['the rows of a table at once', 'TRUNCATE TABLE "ticket"'],
    ['a statement in a text', `SELECT 1; DO 'DELETE FROM ticket'`],
    ['several statements', 'SELECT 1; DELETE FROM "ticket"'],
    ['a table that is dropped', 'DROP TABLE "ticket"'],
    ['a copy', 'COPY ticket TO STDOUT'],
    ['an explanation', 'EXPLAIN SELECT * FROM ticket'],
    ['a new table', 'SELECT * INTO copied FROM "ticket"'],
    ['a new table as well', 'CREATE TABLE copied AS SELECT * FROM "ticket"'],
    ['a view', 'SELECT * FROM "open_tickets"'],
    ['rows from a query', 'INSERT INTO "ticket" ("id") SELECT "id" FROM "doc"'],
    ['no columns', 'INSERT INTO "ticket" VALUES (1, 2)'],
    ['no values', 'INSERT INTO "ticket" DEFAULT VALUES'],
    ['a computed tenant', `INSERT INTO "ticket" ("tenant") VALUES ('glo' || 'bex')`],
    ['a written tenant', `INSERT INTO "ticket" ("tenant") VALUES ('globex')`],
    ['a replacement', 'INSERT OR REPLACE INTO "ticket" ("id") VALUES (1)'],
    ['a replacement for short', 'REPLACE INTO "ticket" ("id") VALUES (1)'],
    ['links that change', 'UPDATE "ticket_tags" SET "ticketId" = 1'],
    ['a link that is half computed', 'INSERT INTO "ticket_tags"("ticketId", "tagId") VALUES (1, 1 + 1)'],
    ['a change within', 'WITH gone AS (DELETE FROM "ticket" RETURNING *) SELECT * FROM gone'],
    ['parentheses that escape', 'DELETE FROM "ticket" WHERE 1=1) OR (1=1'],
    ['an open comment', 'DELETE FROM "ticket" WHERE 1=1 /*'],
    ['an open quote', `DELETE FROM "ticket" WHERE x = 'a`],
    ['a setting', `SELECT set_config('sallyport.tenant', 'globex', true)`],
    ['a setting in capitals', `SET LOCAL Sallyport.Tenant = 'globex'`],
    ['control characters', 'SELECT * FROM\u000b"ticket"'],
    ['a verb out of place', 'SELECT * FROM doc update, "ticket"'],
    ['an end within a comment', 'DELETE FROM "ticket" -- \0\n WHERE id = 1'],
    ['a function of the name', `SELECT * FROM "ticket"('secret')`],
    ['a query of the name', 'WITH "ticket" AS (SELECT 1) SELECT * FROM "ticket_tags"'],
    [
      'a query of the name with columns',
      'WITH t AS (SELECT 1), Ticket (a, b) AS NOT MATERIALIZED (SELECT 1, f(2)) SELECT * FROM "ticket_tags"',
    ],
    ['a setting in quotes', `SET LOCAL "sallyport" . "tenant" = 'globex'`],
    ['a setting in parts', `SELECT set_config('sallyport' || '.tenant', 'globex', true)`],
    ['another reading of texts', 'SET standard_conforming_strings = off'],
    ['another encoding', `SET NAMES 'SJIS'`],
    ['all settings', `UPDATE pg_settings SET setting = 'x' WHERE name = 'a' || 'b'`],
    ['code in a text', `DO 'anything'`],
    ['code for later', `CREATE FUNCTION f() RETURNS int AS 'anything' LANGUAGE sql`],
  ])('refuses %s', (_what, statement) => {
    expect(() => scope(statement, dialect)).toThrow(TenancyError);
  });

  it.each([
    'UPDATE "ticket" SET "tenant" = \'globex\'',
    'UPDATE "ticket" SET "tenant" = $1 || \'x\'',
    'UPDATE "ticket" SET "tenant" = "title"',
    'UPDATE "ticket" AS set SET "tenant" = \'globex\'',
    'UPDATE "ticket" SET "a" = "b" IS DISTINCT FROM "c", "TENANT" = "a"',
    'INSERT INTO "ticket" ("id") VALUES (1) ON CONFLICT ("id") DO UPDATE SET "tenant" = $1',
  ])('refuses to move a row: %s', (statement) => {
    expect(() => scope(statement, dialect)).toThrow(expect.objectContaining({ code: 'tenant_column' }));
  });

  it.each([
    'UPDATE "ticket" SET "title" = $1, "tenant" = $2 WHERE "id" = $3',
    'UPDATE "ticket" AS set SET "title" = $1, "tenant" = $2',
  ])('says which parameter must be the tenant that the row has: %s', (statement) => {
    const scoping = scopeStatement(spelled(statement, dialect), dialect, tables);
    expect(scoping).toMatchObject({ own: [], kept: [1] });
  });

  it.each([
    `INSERT INTO "ticket" ("id") VALUES (1) UNION ALL SELECT 'g', 'globex'`,
    `INSERT INTO "ticket" ("id") VALUES (1), (2) EXCEPT SELECT 1, 'acme'`,
    `INSERT INTO "ticket" ("id") VALUES (1) UNION SELECT 1, 'x' FROM doc WHERE true ON CONFLICT ("id") DO UPDATE SET a = 1`,
    'INSERT INTO "ticket" ("id") VALUES (1) ORDER BY 1',
    'INSERT INTO "ticket" ("id") VALUES (1) ON 1',
    `INSERT INTO "ticket_tags" ("ticketId", "tagId") VALUES (1, 1) UNION ALL SELECT 2, 2`,
  ])('takes rows of values in an INSERT, and no query behind them: %s', (statement) => {
    expect(() => scope(statement, dialect)).toThrow(expect.objectContaining({ code: 'unscopable' }));
  });

  it.each([
    'SELECT * FROM doc WHERE "title" IS DISTINCT FROM ticket',
    'SELECT * FROM doc WHERE "title" IS NOT DISTINCT FROM "doc"."ticket"',
  ])('takes no column for a table that is compared with: %s', (statement) => {
    expect(scope(statement, dialect)).toBe('free');
  });

  it.each([
    'CREATE TABLE other (id int)',
    'CREATE TEMP VIEW s AS SELECT * FROM doc',
    'ALTER TABLE doc ADD x int',
    'DROP TABLE doc',
    'EXPLAIN SELECT * FROM doc',
    'ANALYZE',
    'REINDEX',
    'anything else',
  ])('leaves to migrations: %s', (statement) => {
    expect(() => scope(statement, dialect)).toThrow(expect.objectContaining({ code: 'unscopable' }));
  });

  it('reads a statement of many rows in a time that grows with them', () => {
    const rows = (count: number) => Array.from({ length: count }, () => '(?, ?, ?)').join(', ');
    const timed = (count: number) => {
      const statement = `INSERT INTO "ticket" ("id", "tenant", "title") VALUES ${rows(count)}`;
      const start = performance.now();
      scopeStatement(statement, 'sqlite', tables);
      return performance.now() - start;
    };
    const best = (count: number) => Math.min(...Array.from({ length: 5 }, () => timed(count)));
    best(500);
    // Sixteen times the rows: 16 times the work when it grows with them, and 256 when it grows with their square.
    expect(best(8000) / best(500)).toBeLessThan(80);
  });

  it('lets an upsert say the tenant that its row has', () => {
    const statement =
      'INSERT INTO "ticket" ("id", "tenant") VALUES (1, NULL) ON CONFLICT ("id") DO UPDATE SET "tenant" = EXCLUDED."tenant"';
    expect(scope(statement, dialect)).toContain('"tenant" = EXCLUDED."tenant" WHERE');
  });
});

describe('scopeStatement', () => {
  it.each([
    ['$1, $2', 'postgres', [1]],
    ['?, ?', 'sqlite', [1]],
    [`'?', ?`, 'sqlite', [0]],
  ] as const)('says which parameter must be the tenant: (%s)', (values, dialect, own) => {
    const statement = `INSERT INTO "ticket" ("id", "tenant") VALUES (${values})`;
    expect(scopeStatement(statement, dialect, tables)).toMatchObject({ own });
  });

  it.each([
    'SELECT * FROM doc set, "ticket" t',
    'SELECT * FROM doc values, "ticket" t',
    'SELECT * FROM doc d (a, b), "ticket" t',
    'SELECT * FROM generate_series(1, 2) g, LATERAL (SELECT 1) l, "ticket" t',
    'SELECT * FROM ROWS FROM (a(1), b(2)) r, "ticket" t',
    'DELETE FROM doc USING "ticket" t WHERE true',
    'UPDATE doc SET a = 1 FROM other set, "ticket" t',
    `SELECT E'\\' FROM doc' FROM "ticket" t`,
    'SELECT $x$ FROM doc $x$ FROM "ticket" t',
    'SELECT /* /* */ */ 1 FROM "ticket" t',
  ])('finds the table on PostgreSQL: %s', (statement) => {
    expect(scope(statement)).toContain(`${OWN} t`);
  });

  it.each([
    'SELECT * FROM doc offset, "ticket" t',
    'SELECT * FROM doc window, "ticket" t',
    'SELECT * FROM [doc] INDEXED BY x, "ticket" t',
    'SELECT /* /* */ 1 FROM "ticket" t',
    `SELECT 1 --\r ' \n FROM "ticket" t --'`,
    'SELECT `a\'` FROM "ticket" t',
  ])('finds the table on SQLite: %s', (statement) => {
    expect(scope(statement, 'sqlite')).toContain(`${OWN} t`);
  });

  it.each(['UPDATE OR IGNORE ticket SET a = 1', 'SELECT * FROM \ufeffticket'])(
    'refuses on SQLite: %j',
    (statement) => {
      expect(() => scope(statement, 'sqlite')).toThrow(TenancyError);
    },
  );

  it.each([
    `SELECT query_to_xml('select 1', true, true, '')`,
    `SELECT pg_catalog . "query_to_xmlschema" ('select 1', true, true, '')`,
    `SELECT QUERY_TO_XML_AND_XMLSCHEMA('select 1', true, true, '')`,
    `SELECT cursor_to_xml('c', 1, true, true, '')`,
    `SELECT table_to_xml('bo' || 'ok', true, true, ''), 1`,
    `SELECT schema_to_xml('public', true, true, ''), database_to_xml(true, true, '')`,
    `SELECT * FROM ts_stat('select to_tsvector(title) from bo' || 'ok')`,
    `SELECT ts_rewrite('a'::tsquery, 'select 1')`,
    `SELECT * FROM dblink('dbname=x', 'select 1') AS t (a int)`,
    `SELECT dblink_exec('select 1')`,
    `SELECT * FROM crosstab('select 1') AS t (a int)`,
    `SELECT * FROM xpath_table('a', 'b', 'c', 'd', 'e') AS t (a int)`,
    `SELECT title, /**/query_to_xml/**/('x', true, true, '') FROM ticket`,
    `INSERT INTO doc (a) VALUES (query_to_xml('x', true, true, ''))`,
    'SELECT query_to_xml FROM doc',
    'SELECT * FROM pg_settings',
    `UPDATE pg_catalog."pg_settings" SET setting = 'off'`,
    `SELECT set_config('standard_conforming_strings', 'off', true)`,
    `SELECT set_config('role', 'jobs', true)`,
    `SELECT set_config('search_path', 'mine', true)`,
    `SELECT set_config('app.user', 'x', false)`,
    `SELECT set_config('app.user', 'x', (SELECT true))`,
    `SELECT set_config(E'app.user', 'x', true)`,
    `SELECT set_config(is_local => true, setting_name => 'role', new_value => 'x')`,
    'SET application_name = 1',
    `SET SESSION work_mem = '1GB'`,
    'SET LOCAL row_security = off',
    'SET LOCAL search_path TO mine',
    'SET LOCAL ROLE jobs',
    `SET LOCAL "role" = 'jobs'`,
    'SET ROLE jobs',
    'SET SESSION AUTHORIZATION jobs',
    'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
    'RESET ALL',
    'DISCARD ALL',
    'LISTEN events',
    'DECLARE c CURSOR WITH HOLD FOR SELECT 1',
    `PREPARE p AS SELECT 1`,
    'EXECUTE p',
    `COPY doc TO PROGRAM 'sh'`,
    `ALTER ROLE app PASSWORD 'changed'`,
    'GRANT ALL ON doc TO PUBLIC',
    'TRUNCATE doc CASCADE',
    'REFRESH MATERIALIZED VIEW doc',
  ])('refuses on PostgreSQL what runs a text or changes a session: %s', (statement) => {
    expect(() => scope(statement)).toThrow(expect.objectContaining({ code: 'unscopable' }));
  });

  it.each([
    'VACUUM',
    `VACUUM INTO 'copy'`,
    `ATTACH 'copy' AS c`,
    'PRAGMA foreign_keys = 0',
    'PRAGMA "query_only" = 1',
  ])('refuses on SQLite what copies or changes the whole: %s', (statement) => {
    expect(() => scope(statement, 'sqlite')).toThrow(expect.objectContaining({ code: 'unscopable' }));
  });

  it.each([
    'PRAGMA read_uncommitted = true',
    'PRAGMA table_xinfo("ticket")',
    'PRAGMA "main".index_list("ticket")',
    'PRAGMA foreign_key_list(ticket)',
  ])('lets TypeORM begin a transaction and read a schema on SQLite: %s', (statement) => {
    expect(scope(statement, 'sqlite')).toBe('free');
  });

  it.each([
    `SELECT set_config('app.user', 'x', true)`,
    `SELECT set_config('app.user', coalesce($1, f(1, 2)), true), set_config('statement_timeout', '5s', TRUE)`,
    `NOTIFY events, 'a book was saved: ticket'`,
    'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
    'SET CONSTRAINTS ALL DEFERRED',
    `SET LOCAL application_name = 'ticket shop'`,
    `SET LOCAL statement_timeout TO '5s'`,
    `SET LOCAL app.user = 'x'`,
    `SET LOCAL TIME ZONE 'UTC'`,
    'SHOW search_path',
    'TRUNCATE TABLE "doc"',
    'CALL tidy_up(1)',
    `MERGE INTO doc d USING (VALUES (1)) v(id) ON d.id = v.id WHEN NOT MATCHED THEN INSERT (id) VALUES (v.id)`,
    'SELECT * FROM doc FOR UPDATE',
    'INSERT INTO doc (a) SELECT a FROM other FOR NO KEY UPDATE',
    `SELECT 'a', 'b'`,
  ])('leaves alone on PostgreSQL: %s', (statement) => {
    expect(scope(statement)).toBe('free');
  });

  it.each(['SELECT 1 IN ticket', `SELECT * FROM 'ticket'`, 'SELECT 1 IN "main"."ticket"'])(
    'refuses on SQLite: %s',
    (statement) => {
      expect(() => scope(statement, 'sqlite')).toThrow(TenancyError);
    },
  );

  it.each([
    'SELECT * FROM U&"\\0074icket"',
    `DO $$ BEGIN DELETE FROM ticket; END $$`,
    'SELECT * FROM ticket; SELECT 1',
    `SELECT E'a'\n'\\' , ' FROM ticket --'`,
    'WITH RECURSIVE r(id) AS (SELECT 1) SEARCH DEPTH FIRST BY id SET key UPDATE ticket SET a = 1',
    'WITH a AS (SELECT 1) SELECT f(1) delete FROM ticket t UNION SELECT t.x FROM doc t',
  ])('refuses on PostgreSQL: %s', (statement) => {
    expect(() => scope(statement)).toThrow(TenancyError);
  });
});
