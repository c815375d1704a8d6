import Database from 'better-sqlite3';
import fc from 'fast-check';

import { TenancyError } from '../tenancy.errors.js';
import { scopeStatement } from './scope-statement.js';
import { hasTenant, render } from './scoped-sql.js';
import type { TenantTable } from './tenant-table.js';

const tables = new Map<string, TenantTable>([['ticket', { kind: 'rows', path: 'ticket', column: 'tenant' }]]);

const noise = fc.constantFrom(' ', '\n', ' /* FROM ticket */ ', ' -- where\n', '\t', " /* ' */ ");
const table = fc.constantFrom(
  'ticket',
  '"ticket"',
  'TICKET',
  '[ticket]',
  '`ticket`',
  'main.ticket',
  '"main"."Ticket"',
);
const condition = fc.constantFrom(
  '1=1',
  "title <> 'FROM ticket' OR 1=1",
  'title IS NOT NULL',
  '1=0 OR (1=1)',
  "title LIKE '%''%' OR 1=1 -- end",
);

const { source } = fc.letrec<{ source: string; select: string }>((tie) => ({
  // Each gives a column `title`, under the name that it is given.
  source: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(noise, table).map(([space, name]) => `${space}${name}`),
    tie('select').map((select) => `(${select}\n)`),
  ),
  select: fc
    .tuple(
      noise,
      tie('source'),
      condition,
      fc.constantFrom('plain', 'comma', 'join', 'in', 'exists', 'union', 'with'),
    )
    .map(([space, from, where, form]) => {
      const plain = `SELECT${space}a.title AS title FROM${space}${from} a`;
      switch (form) {
        case 'comma':
          return `SELECT b.title AS title FROM page p,${space}${from} b WHERE 1=1`;
        case 'join':
          return `SELECT b.title AS title FROM page p LEFT${space}JOIN ${from} b ON 1=1`;
        case 'in':
          return `SELECT title FROM ${from} c WHERE title IN (${plain}\n)`;
        case 'exists':
          return `SELECT max(title) AS title FROM ${from} c WHERE EXISTS (${plain}\n)`;
        case 'union':
          return `${plain} UNION ALL SELECT title FROM${space}${from} d`;
        case 'with':
          return `WITH w AS (${plain}\n) SELECT w.title AS title FROM w`;
        default:
          return `SELECT title FROM${space}${from} e WHERE ${where}`;
      }
    }),
}));

/** Two rows of acme, one of globex. */
function canaries() {
  const database = new Database(':memory:');
  database.exec(`
    CREATE TABLE ticket (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, title TEXT NOT NULL);
    CREATE TABLE page (id TEXT PRIMARY KEY);
    INSERT INTO page VALUES ('page');
    INSERT INTO ticket VALUES ('1', 'acme', 'own'), ('2', 'acme', 'own'), ('3', 'globex', 'secret');
  `);
  return database;
}

/** Runs a statement as the tenant. `undefined`: it was refused. */
function runAs(database: Database.Database, statement: string, tenant: string) {
  try {
    const scoping = scopeStatement(statement, 'sqlite', tables);
    if (scoping.kind !== 'scoped') throw new Error(`Not seen as a statement on tenants: ${statement}`);
    const prepared = database.prepare(render(scoping.sql, '@tenant'));
    const given = hasTenant(scoping.sql) ? [{ tenant }] : [];
    return prepared.reader ? prepared.all(...given) : prepared.run(...given);
  } catch (error) {
    if (error instanceof TenancyError || error instanceof Database.SqliteError) return undefined;
    throw error;
  }
}

describe('whatever is asked of a real SQLite', () => {
  it('is answered with rows of the tenant', () => {
    const database = canaries();
    let answered = 0;
    fc.assert(
      fc.property(source, (from) => {
        const rows = runAs(database, `SELECT * FROM ${from} z`, 'acme');
        if (rows !== undefined && JSON.stringify(rows).includes('own')) answered += 1;
        expect(JSON.stringify(rows) ?? '').not.toContain('secret');
      }),
      { numRuns: 1000, seed: 1 },
    );
    // A test of refusals alone would show nothing.
    expect(answered).toBeGreaterThan(700);
  });

  it('leaves the rows of others as they were', () => {
    const change = fc.constantFrom(
      (name: string, where: string) => `UPDATE ${name} SET title = 'changed' WHERE ${where}`,
      (name: string, where: string) => `DELETE FROM ${name} WHERE ${where}`,
      (name: string) => `DELETE FROM ${name}`,
      (name: string, where: string) =>
        `INSERT INTO ${name} (id, title) VALUES ('3', 'x'), ('1', 'x') ON CONFLICT (id) DO UPDATE SET title = 'changed' WHERE ${where.replaceAll('title', 'excluded.title')}`,
      (name: string, where: string) =>
        `INSERT INTO ${name} (id, title) VALUES ('4', 'x') UNION ALL SELECT '5', 'x', 'globex' FROM page WHERE ${where.replaceAll('title', 'id')}`,
      (name: string, where: string) =>
        `INSERT INTO ${name} (id, title, tenant) VALUES ('4', 'x', NULL) EXCEPT SELECT '5', 'x', 'globex' WHERE ${where.replaceAll('title', "''")}`,
      (name: string) => `UPDATE ${name} AS "set" SET tenant = 'globex', title = 'changed'`,
      (name: string, where: string) => `UPDATE ${name} SET tenant = tenant, title = 'changed' WHERE ${where}`,
      (name: string, where: string) =>
        `UPDATE ${name} SET title = 'changed' WHERE title IS NOT DISTINCT FROM title AND (${where}\n)`,
      (name: string, where: string) =>
        `UPDATE ${name} SET title = (SELECT max(title) FROM ticket) WHERE ${where}`,
    );
    let changed = 0;
    fc.assert(
      fc.property(change, table, condition, (statementOf, name, where) => {
        const database = canaries();
        const before = database.prepare('SELECT * FROM ticket ORDER BY id').all();
        runAs(database, statementOf(name, where), 'acme');
        const after = database.prepare('SELECT * FROM ticket ORDER BY id').all();
        if (JSON.stringify(after) !== JSON.stringify(before)) changed += 1;
        const others = database.prepare(`SELECT * FROM ticket WHERE tenant <> 'acme'`).all();
        expect(others).toEqual([{ id: '3', tenant: 'globex', title: 'secret' }]);
        expect(JSON.stringify(after).split('secret')).toHaveLength(2);
      }),
      { numRuns: 700, seed: 1 },
    );
    expect(changed).toBeGreaterThan(200);
  });

  it('is refused with a sentence when it is no SQL', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          scopeStatement(`SELECT * FROM ticket ${text}`, 'sqlite', tables);
        } catch (error) {
          expect(error).toBeInstanceOf(TenancyError);
        }
      }),
    );
  });
});
