import Database from 'better-sqlite3';

import { scopeStatement } from './scope-statement.js';
import { hasTenant, render } from './scoped-sql.js';
import type { TenantTable } from './tenant-table.js';

const ticket: TenantTable = { kind: 'rows', path: 'ticket', column: 'tenant' };
const tag: TenantTable = { kind: 'rows', path: 'tag', column: 'tenant' };
const tables = new Map<string, TenantTable>([
  ['ticket', ticket], ['tag', tag],
  ['ticket_tags', { kind: 'links', path: 'ticket_tags', ends: [
    { column: 'ticketId', key: 'id', table: ticket }, { column: 'tagId', key: 'id', table: tag } ] }],
  ['notes', { kind: 'rows', path: 'notes', column: 'tenant' }],
]);
function db() {
  const d = new Database(':memory:');
  d.exec(`
    CREATE TABLE ticket (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, title TEXT NOT NULL UNIQUE);
    CREATE TABLE tag (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, title TEXT NOT NULL);
    CREATE TABLE ticket_tags (ticketId TEXT NOT NULL, tagId TEXT NOT NULL);
    CREATE TABLE doc (id TEXT, title TEXT, tenant TEXT);
    CREATE VIRTUAL TABLE notes USING fts5(id, tenant, title);
    CREATE INDEX tt ON ticket(tenant, title);
    INSERT INTO ticket VALUES ('1','acme','own'),('3','globex','secret');
    INSERT INTO tag VALUES ('1','acme','own'),('3','globex','secret');
    INSERT INTO ticket_tags VALUES ('1','1'),('3','3');
    INSERT INTO notes VALUES ('1','acme','own'),('3','globex','secret');
    INSERT INTO doc VALUES ('d', 'dd', 'acme');
    ANALYZE;
  `);
  return d;
}
function run(sql: string) {
  const d = db();
  let out: unknown; 
  try {
    const s = scopeStatement(sql, 'sqlite', tables);
    const text = s.kind === 'scoped' ? render(s.sql, '@tenant') : sql;
    const p = d.prepare(text);
    const g = s.kind === 'scoped' && hasTenant(s.sql) ? [{ tenant: 'acme' }] : [];
    out = [s.kind, p.reader ? p.all(...g) : p.run(...g)];
  } catch (e) { out = ['THROWS', (e as Error).message.slice(0, 90)]; }
  const rows = d.prepare("SELECT * FROM ticket WHERE tenant <> 'acme' or id='3' or title='secret'").all();
  const links = d.prepare("SELECT * FROM ticket_tags").all();
  const leak = /secret/.test(JSON.stringify(out)) || JSON.stringify(rows) !== JSON.stringify([{id:'3',tenant:'globex',title:'secret'}]) || (links.length !== 2) || JSON.stringify(out).includes('"ticketId":"3"');
  return (leak ? '!!!LEAK ' : 'ok      ') + JSON.stringify(sql) + ' => ' + JSON.stringify(out).slice(0, 200) + (leak ? JSON.stringify(rows)+JSON.stringify(links) : '');
}
it('x', () => {
  const cases = [
    "SELECT title --\r ' \n FROM ticket --'",
    "DELETE FROM ticket /* \0 */ WHERE id = '1'",
    "DELETE FROM ticket --\0\n WHERE id = '1'",
    "SELECT * FROM \uFEFFticket",
    "SELECT * FROM ticket\uFEFF",
    "\uFEFFSELECT * FROM ticket",
    "UPDATE OR IGNORE ticket SET title = 'x' || id",
    "UPDATE OR FAIL ticket SET title = 'x' || id",
    "UPDATE OR REPLACE ticket SET id = '3'",
    "UPDATE OR ABORT main.ticket SET title = 'x' || id",
    "INSERT INTO ticket (tenant, id, title, tenant) VALUES (null, '9', 'a', 'globex')",
    "INSERT INTO ticket (id, title, tenant, tenant) VALUES ('9', 'a', null, 'globex')",
    "INSERT INTO ticket (tenant, id, title, 'tenant') VALUES (null, '9', 'a', 'globex')",
    "WITH ticket(id, tenant) AS (VALUES ('3','acme')), tag(id, tenant) AS (VALUES ('3','acme')) SELECT * FROM ticket_tags",
    "WITH ticket(id, tenant) AS (VALUES ('3','acme')), tag(id, tenant) AS (VALUES ('3','acme')) INSERT INTO ticket_tags(ticketId, tagId) VALUES ('3', '3')",
    "WITH ticket AS (SELECT '3' AS id, 'acme' AS tenant), tag AS (SELECT '3' AS id, 'acme' AS tenant) SELECT * FROM ticket_tags",
    "WITH ticket(id, tenant) AS (VALUES ('3','acme')), tag(id, tenant) AS (VALUES ('3','acme')) DELETE FROM ticket_tags",
    "SELECT * FROM notes('secret')",
    "SELECT * FROM notes_content",
    "SELECT * FROM sqlite_stat4",
    "SELECT CAST(sample AS TEXT) FROM sqlite_stat4",
    "SELECT * FROM sqlite_dbpage",
    "SELECT * FROM doc returning, ticket",
    "SELECT * FROM doc AS returning, ticket",
    "SELECT * FROM doc AS 'where', ticket",
    "UPDATE ticket AS t SET title='x'||t.id FROM (SELECT 'acme' AS tenant) AS t",
    "UPDATE ticket SET title='x'||ticket.id FROM (SELECT 'acme' AS tenant) AS ticket",
    "UPDATE ticket AS t SET title='x' FROM (SELECT 'acme' AS tenant) AS q WHERE q.tenant='acme' OR 1",
    "UPDATE ticket SET 'tenant'='acme'",
    "UPDATE ticket SET [tenant]='acme'",
    "UPDATE ticket SET (title, tenant)=('a','acme')",
    "DELETE FROM 'ticket'",
    "DELETE FROM ticket INDEXED BY tt WHERE 1",
    "DELETE FROM ticket NOT INDEXED",
    "SELECT * FROM ticket NOT INDEXED",
    "SELECT 1 WHERE 'secret' IN (SELECT title FROM ticket)",
    "SELECT title FROM doc NATURAL JOIN ticket",
    "SELECT ticket.title FROM doc JOIN ticket USING (tenant)",
    "SELECT title FROM (ticket)",
    "SELECT title FROM ((ticket))",
    "SELECT title FROM (doc, ticket)",
    "SELECT * FROM (WITH x AS (SELECT * FROM ticket) SELECT * FROM x)",
    "WITH RECURSIVE r(t, n) AS (SELECT title, 1 FROM ticket UNION ALL SELECT ticket.title, n+1 FROM r, ticket WHERE n < 3) SELECT * FROM r",
    "VALUES ((SELECT title FROM ticket WHERE id='3'))",
    "SELECT max(title) OVER (PARTITION BY 1) FROM ticket WINDOW w AS (ORDER BY title)",
    "SELECT group_concat(title) FILTER (WHERE 1) FROM ticket",
    "EXPLAIN QUERY PLAN SELECT * FROM ticket",
    "DELETE FROM doc WHERE 1 RETURNING (SELECT title FROM ticket WHERE id='3')",
    "DELETE FROM ticket RETURNING *",
    "INSERT INTO doc(id) VALUES ((SELECT title FROM ticket WHERE id='3')) RETURNING *",
    "INSERT INTO doc SELECT id, title, tenant FROM ticket RETURNING *",
    "INSERT INTO ticket(id,title) VALUES ('3','z') ON CONFLICT(id) DO UPDATE SET title=excluded.title",
    "INSERT INTO ticket(id,title) VALUES ('9','secret') ON CONFLICT(title) DO UPDATE SET id='8'",
    "INSERT INTO ticket(id,title) VALUES ('3','z') ON CONFLICT(id) DO UPDATE SET title=excluded.title WHERE 1 RETURNING *",
    "INSERT INTO ticket(id,title) VALUES ('3','z') ON CONFLICT(id) DO NOTHING ON CONFLICT(id) DO UPDATE SET title='q'",
    "PRAGMA table_info(ticket)",
    "VACUUM INTO '/tmp/zz.sqlite'",
    "CREATE TEMP TABLE ticket(id)",
    "CREATE TEMP VIEW v AS SELECT * FROM ticket",
    "SELECT * FROM temp.ticket",
    "SELECT * FROM main\n.\n\"TICKET\"",
    "SELECT 1 NOT IN ticket",
    "SELECT (id, title, tenant) IN ticket FROM doc",
    "SELECT ('3', 'globex', 'secret') IN main.ticket",
    "SELECT * FROM ticket AS doc, doc AS ticket",
    "SELECT EXISTS(SELECT * FROM ticket WHERE title='secret') x",
    "SELECT * FROM (SELECT 1) replace, ticket",
    "WITH a AS (SELECT 1) SELECT * FROM (SELECT 1) replace, ticket",
    "WITH a AS (SELECT 1) UPDATE OR IGNORE ticket SET title='x'||id",
    "SELECT * FROM ticket t1 JOIN ticket t2 ON 1=1 JOIN ticket",
    "REPLACE INTO ticket(id,title,tenant) VALUES('3','x','acme')",
    "SELECT * FROM doc WHERE tenant='x' UNION SELECT * FROM ticket",
    "SELECT * FROM doc, /* */ ticket",
    "SELECT * FROM doc d LEFT JOIN ticket USING(id)",
    "SELECT * FROM doc ORDER BY (SELECT title FROM ticket WHERE id='3')",
    "SELECT title FROM doc LIMIT (SELECT count(*) FROM ticket WHERE id='3') ",
    "SELECT * FROM pragma_table_list('ticket')",
    "SELECT * FROM json_each((SELECT json_group_array(title) FROM ticket))",
    "SELECT * FROM doc a FULL OUTER JOIN ticket b ON 1",
    "SELECT * FROM doc CROSS JOIN ticket ON 1, ticket t",
    "SELECT * FROM doc over, ticket",
    "SELECT * FROM doc filter, ticket",
    "SELECT * FROM doc left, ticket",
    "SELECT * FROM doc natural, ticket",
    "SELECT * FROM doc except, ticket",
    "SELECT 0x1FROM ticket",
    "SELECT 1e5FROM ticket",
    "SELECT title FROM`ticket`",
    "SELECT title FROM[ticket]WHERE 1",
    "SELECT title FROM'ticket'",
    "SELECT 'a' 'from' FROM ticket",
    "SELECT x'' FROM ticket",
    "SELECT :a FROM ticket",
    "SELECT @tenant FROM ticket WHERE title=@tenant",
    "SELECT #1 FROM ticket",
    "SELECT ::a FROM ticket",
    "SELECT * FROM ticket WHERE title GLOB '*' -- \r OR 1",
    "DELETE FROM ticket WHERE id='1' --\r OR 1 '\n OR 1=1 --'",
  ];
  process.stdout.write(cases.map(run).join('\n') + '\n' + JSON.stringify(db().prepare('select sqlite_version() v').get()) + '\n');
});
