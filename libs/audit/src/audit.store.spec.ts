import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { DataSource, type DataSourceOptions, type Logger } from 'typeorm';

import {
  administration,
  attempt,
  call,
  entry,
  failedAuthentication,
  list,
  outcome,
  principal,
  refusal,
} from '../../../test/support/audit-events.js';
import { DIALECTS, testDatabases } from '../../../test/support/test-databases.js';
import type { NewAuditRecord } from './audit-record.entity.js';
import { AuditReader } from './audit.reader.js';
import { AuditStore } from './audit.store.js';
import { TypeOrmAuditTrail } from './audit.trail.js';
import { CreateSallyportAudit1790000000000 } from './create-audit.migration.js';
import { auditGrants } from './privileges/grants.js';
import { peopleOf, recordOf } from './record-of-event.js';

const databases = testDatabases('audit');

async function openStore(
  database: DataSourceOptions,
  { timeoutMs = 5000, migrations = 'run' as 'run' | 'check' } = {},
): Promise<AuditStore> {
  const store = await AuditStore.open(database, { migrations, timeoutMs });
  databases.closeAfterTest(() => store.close());
  return store;
}

async function openTrail(database: DataSourceOptions, { timeoutMs = 5000, maxQueued = 10_000 } = {}) {
  const store = await openStore(database, { timeoutMs });
  const trail = new TypeOrmAuditTrail(store, { timeoutMs, maxQueued });
  return { store, trail, reader: new AuditReader(store) };
}

/** The application's own connection to the same database. */
async function openApplication(database: DataSourceOptions): Promise<DataSource> {
  const application = await new DataSource({ ...database }).initialize();
  databases.closeAfterTest(() => application.destroy());
  return application;
}

async function allRows(store: AuditStore): Promise<Record<string, unknown>[]> {
  return store.dataSource.query('SELECT * FROM sallyport_audit ORDER BY seq');
}

/** A row as the trail would write it. */
async function rowOf(store: AuditStore): Promise<NewAuditRecord> {
  const event = attempt();
  return recordOf(event, await store.keys.ring(peopleOf(event)));
}

/** What the first version left behind: its table, and a record without keys. */
async function firstVersion(database: DataSourceOptions): Promise<void> {
  const migrations = [CreateSallyportAudit1790000000000];
  const old = new DataSource({ ...database, migrations, migrationsTableName: 'sallyport_migrations' });
  await old.initialize();
  await old.runMigrations();
  await old.query(
    "INSERT INTO sallyport_audit (id, at, kind, via, server, resource, subject) VALUES ('r-1', 1790000000000, 'attempt', 'http', 's', 'r', 'alice')",
  );
  await old.destroy();
}

/** Counts the statements that a store runs. */
function countStatements(store: AuditStore): string[] {
  const statements: string[] = [];
  const ignore = () => undefined;
  const logger: Logger = {
    logQuery: (query) => void statements.push(query),
    logQueryError: ignore,
    logQuerySlow: ignore,
    logSchemaBuild: ignore,
    logMigration: ignore,
    log: ignore,
  };
  store.dataSource.setOptions({ logger });
  return statements;
}

describe.each(DIALECTS)('the audit on %s', (type) => {
  it('has an entity and a migration that agree', async () => {
    const store = await openStore(await databases.fresh(type));
    const { upQueries } = await store.dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('finds its tables in place when it opens again', async () => {
    const database = await databases.fresh(type);
    const first = await openTrail(database);
    await first.trail.record(attempt());
    const second = await openTrail(database);
    await second.trail.record(attempt());
    expect(await allRows(second.store)).toHaveLength(2);
  });

  it('may be opened by many at once on an empty database', async () => {
    const database = await databases.fresh(type);
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(database)));
    await Promise.all(stores.map(async (store) => store.insert([await rowOf(store)])));
    expect(await allRows(stores[0] ?? (await openStore(database)))).toHaveLength(4);
  });

  it('refuses to open with pending migrations when it may only check, and creates nothing', async () => {
    const database = await databases.fresh(type);
    const refused = openStore(database, { migrations: 'check' });
    await expect(refused).rejects.toMatchObject({
      name: 'AuditSetupError',
      message: expect.stringContaining('CreateSallyportAudit1790000000000'),
    });
    const application = await openApplication(database);
    const runner = application.createQueryRunner();
    expect(await runner.hasTable('sallyport_migrations')).toBe(false);
    await runner.release();
    await openStore(database, { migrations: 'run' });
    await openStore(database, { migrations: 'check' });
  });

  it('keeps every kind of record, in order', async () => {
    const { trail, store } = await openTrail(await databases.fresh(type));
    const tried = attempt();
    for (const event of [tried, outcome(tried), refusal(), list(), failedAuthentication(), administration()])
      await trail.record(event);
    const rows = await allRows(store);
    expect(rows.map(({ kind }) => kind)).toEqual([
      'attempt',
      'outcome',
      'refusal',
      'list',
      'authentication',
      'administration',
    ]);
    expect(rows.map(({ seq }) => Number(seq))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(rows.map(({ at }) => Number(at)).every((at) => at > 1.7e12)).toBe(true);
  });

  it('takes one outcome for an attempt, and refuses a second', async () => {
    const { trail, store } = await openTrail(await databases.fresh(type));
    const tried = attempt();
    await trail.record(tried);
    await trail.record(outcome(tried));
    await expect(trail.record(outcome(tried))).rejects.toMatchObject({ reason: 'store' });
    expect(await allRows(store)).toHaveLength(2);
  });

  it('refuses one bad record of a group and keeps the others', async () => {
    const { trail, store } = await openTrail(await databases.fresh(type));
    const twice = attempt();
    const events = [attempt(), twice, attempt(), twice, attempt()];
    const results = await Promise.allSettled(events.map((event) => trail.record(event)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(await allRows(store)).toHaveLength(4);
  });

  it('commits in groups', async () => {
    const { trail, store } = await openTrail(await databases.fresh(type));
    const statements = countStatements(store);
    await Promise.all(Array.from({ length: 500 }, () => trail.record(attempt())));
    expect(
      statements.filter((statement) => statement.startsWith('INSERT INTO "sallyport_audit" ')),
    ).toHaveLength(8);
    expect(await allRows(store)).toHaveLength(500);
  });

  it('never shows the value of an argument that the entry does not list as safe', async () => {
    const { trail, store, reader } = await openTrail(await databases.fresh(type));
    const secret = 'canary-7f3a';
    const guarded = call({
      entry: entry({ auditFields: ['recordId'] }),
      arguments: { recordId: 'r-1', note: secret, nested: { [secret]: [secret] } },
    });
    const tried = attempt({ call: guarded });
    for (const event of [tried, outcome(tried), refusal({ call: guarded })]) await trail.record(event);
    const stored = JSON.stringify(await allRows(store));
    expect(stored).not.toContain(secret);
    expect(stored).not.toContain('r-1');
    expect(await reader.list({ limit: 10, kind: 'attempt' })).toMatchObject([
      { fields: { recordId: 'r-1' } },
    ]);
  });

  it('stores hostile text in safe form', async () => {
    const { trail, reader } = await openTrail(await databases.fresh(type));
    const evil = `x\0'; DROP TABLE sallyport_audit; --\n\u001b[2J\u202e\ud800 $1 ? :id`;
    const caller = principal({ subject: evil, tenant: evil, scopes: [evil] });
    await trail.record(
      refusal({ call: call({ principal: caller, target: evil, entry: undefined, arguments: undefined }) }),
    );
    const [row] = await reader.list({ limit: 10, tenant: evil, subject: evil });
    expect(row?.tenant).toBe(
      `x\\u0000'; DROP TABLE sallyport_audit; --\\u000a\\u001b[2J\\u202e\\ud800 $1 ? :id`,
    );
    // What is no name is not stored as one.
    expect(row?.entry).toMatch(/^~[0-9a-f]+$/);
  });

  it('refuses an event whose arguments have no canonical form, and goes on', async () => {
    const { trail, store } = await openTrail(await databases.fresh(type));
    const broken = attempt({ call: call({ arguments: { name: '\ud800' } }) });
    await expect(trail.record(broken)).rejects.toMatchObject({ reason: 'unrecordable' });
    await trail.record(attempt());
    expect(await allRows(store)).toHaveLength(1);
  });

  it('refuses while its table is gone, and works again when it is back', async () => {
    const database = await databases.fresh(type);
    const { trail, store } = await openTrail(database);
    const application = await openApplication(database);
    await application.query('ALTER TABLE sallyport_audit RENAME TO away');
    await expect(trail.record(attempt())).rejects.toMatchObject({
      name: 'AuditUnavailableError',
      status: 503,
      message: 'The audit record could not be stored.',
    });
    await application.query('ALTER TABLE away RENAME TO sallyport_audit');
    await trail.record(attempt());
    expect(await allRows(store)).toHaveLength(1);
  });

  it('keeps its records when the application rolls back', async () => {
    const database = await databases.fresh(type);
    const { trail, store } = await openTrail(database);
    const application = await openApplication(database);
    await application.query('CREATE TABLE notes (text text)');
    const runner = application.createQueryRunner();
    await runner.startTransaction();
    await trail.record(attempt());
    await runner.query("INSERT INTO notes (text) VALUES ('rolled back')");
    await runner.rollbackTransaction();
    await runner.release();
    expect(await allRows(store)).toHaveLength(1);
    expect(await application.query('SELECT * FROM notes')).toEqual([]);
  });

  it('stores everything it was given before it closes, and nothing after', async () => {
    const database = await databases.fresh(type);
    const { trail } = await openTrail(database);
    const given = Array.from({ length: 250 }, () => trail.record(attempt()));
    const closed = trail.onApplicationShutdown();
    await expect(trail.record(attempt())).rejects.toMatchObject({ reason: 'stopped' });
    await closed;
    await Promise.all(given);
    const again = await openStore(database);
    expect(await allRows(again)).toHaveLength(250);
  });

  it('adds room for administration to a trail of the first version, and keeps its records', async () => {
    const database = await databases.fresh(type);
    await firstVersion(database);
    await expect(openStore(database, { migrations: 'check' })).rejects.toThrow(
      /Administration1790000000001, .* pending/,
    );
    const { trail, reader, store } = await openTrail(database);
    await trail.record(administration());
    expect((await store.dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
    expect(await reader.list({ limit: 10 })).toMatchObject([
      { kind: 'attempt', action: null, subject: 'alice', personal: 'shown' },
      { action: 'key.revoked', target: 'key-1', details: { name: 'nightly export' } },
    ]);
    expect(await reader.list({ limit: 10, subject: 'alice' })).toHaveLength(1);
  });

  describe('its reader', () => {
    it('joins attempts and outcomes, and calls an attempt without one ambiguous', async () => {
      const { trail, reader } = await openTrail(await databases.fresh(type));
      const done = attempt();
      const open = attempt();
      await trail.record(done);
      await trail.record(open);
      await trail.record(outcome(done, { status: 'failed' }));
      await trail.record(refusal());
      const rows = await reader.list({ limit: 10 });
      expect(rows.map(({ kind, outcome: end }) => [kind, end])).toEqual([
        ['attempt', 'failed'],
        ['attempt', 'ambiguous'],
        ['refusal', null],
      ]);
      expect(rows[0]).toMatchObject({
        id: done.id,
        at: done.at,
        durationMs: 12,
        resultBytes: 321,
        scopesGranted: ['crm:read', 'crm:write'],
        actors: [{ subject: 'research-agent' }],
        checks: [{ name: 'role', passed: true }],
      });
    });

    it('gives the newest rows, oldest first, and the page before', async () => {
      const { trail, reader } = await openTrail(await databases.fresh(type));
      const events = Array.from({ length: 7 }, () => refusal());
      for (const event of events) await trail.record(event);
      const page = await reader.list({ limit: 3 });
      expect(page.map(({ id }) => id)).toEqual(events.slice(4).map(({ id }) => id));
      const before = await reader.list({ limit: 3, ...(page[0] && { before: page[0].seq }) });
      expect(before.map(({ id }) => id)).toEqual(events.slice(1, 4).map(({ id }) => id));
    });

    it('filters by tenant, kind, entry, subject, client, decision and time', async () => {
      const { trail, reader } = await openTrail(await databases.fresh(type));
      const bob = principal({ subject: 'bob', tenant: 'globex', client: 'other-agent' });
      const other = attempt({
        at: new Date('2026-01-01T00:00:00.000Z'),
        call: call({ principal: bob, entry: entry({ name: 'mail_send' }) }),
      });
      await trail.record(other);
      await trail.record(refusal({ at: new Date('2026-02-01T00:00:00.000Z') }));
      await trail.record(failedAuthentication({ at: new Date('2026-03-01T00:00:00.000Z') }));
      const kinds = async (filter: object) =>
        (await reader.list({ limit: 10, ...filter })).map(({ kind }) => kind);
      expect(await kinds({ tenant: 'globex' })).toEqual(['attempt']);
      expect(await kinds({ kind: 'authentication' })).toEqual(['authentication']);
      expect(await kinds({ entry: 'mail_send' })).toEqual(['attempt']);
      expect(await kinds({ subject: 'alice' })).toEqual(['refusal']);
      expect(await kinds({ client: 'other-agent' })).toEqual(['attempt']);
      expect(await kinds({ decision: 'refuse' })).toEqual(['refusal']);
      expect(await kinds({ since: new Date('2026-02-01T00:00:00.000Z') })).toEqual([
        'refusal',
        'authentication',
      ]);
      expect(await kinds({ until: new Date('2026-01-31T00:00:00.000Z') })).toEqual(['attempt']);
      expect(await kinds({ tenant: 'nobody' })).toEqual([]);
    });
  });
});

/** Another process in the middle of a write transaction. */
async function holdLock(file: string): Promise<{ release: () => Promise<void> }> {
  const script = `
    const db = require('better-sqlite3')(process.argv[1]);
    db.exec('BEGIN IMMEDIATE');
    process.stdout.write('locked');
    process.stdin.resume().on('end', () => db.exec('ROLLBACK'));`;
  const holder = spawn(process.execPath, ['--eval', script, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  return {
    release: async () => {
      holder.stdin.end();
      await once(holder, 'exit');
    },
  };
}

describe('the audit on SQLite', () => {
  it('waits for a transaction of the application without blocking it', async () => {
    const database = await databases.fresh('better-sqlite3');
    const { trail, store } = await openTrail(database);
    const application = await openApplication(database);
    await application.query('CREATE TABLE notes (text text)');
    const runner = application.createQueryRunner();
    await runner.startTransaction();
    await runner.query("INSERT INTO notes (text) VALUES ('kept')");
    let recorded = false;
    const records = Promise.all([trail.record(attempt()), trail.record(attempt())]).then(
      () => (recorded = true),
    );
    // Timers run, so the event loop is free while the record waits for the lock.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(recorded).toBe(false);
    await runner.commitTransaction();
    await records;
    expect(await allRows(store)).toHaveLength(2);
    expect(await application.query('SELECT * FROM notes')).toHaveLength(1);
  });

  it('refuses when the lock is held past the deadline, and works again when it is free', async () => {
    const database = await databases.fresh('better-sqlite3');
    const { trail, store } = await openTrail(database, { timeoutMs: 500 });
    const application = await openApplication(database);
    await trail.record(attempt());
    await application.query('BEGIN IMMEDIATE');
    await expect(trail.record(attempt())).rejects.toMatchObject({
      reason: 'timeout',
      cause: { code: 'SQLITE_BUSY' },
    });
    const stranger = attempt({ call: call({ principal: principal({ subject: 'without a key yet' }) }) });
    await expect(trail.record(stranger)).rejects.toMatchObject({ name: 'AuditUnavailableError' });
    await application.query('ROLLBACK');
    await trail.record(stranger);
    expect(await allRows(store)).toHaveLength(2);
  });

  it('refuses while another process holds the lock, and works again when it is free', async () => {
    const database = await databases.fresh('better-sqlite3');
    const { trail, store } = await openTrail(database, { timeoutMs: 500 });
    const holder = await holdLock(database.database);
    await expect(trail.record(attempt())).rejects.toMatchObject({ reason: 'timeout' });
    await holder.release();
    await trail.record(attempt());
    expect(await allRows(store)).toHaveLength(1);
  });

  it('refuses while the database is read-only, and works again when it is not', async () => {
    const { trail, store } = await openTrail(await databases.fresh('better-sqlite3'));
    await store.dataSource.query('PRAGMA query_only = ON');
    await expect(trail.record(attempt())).rejects.toMatchObject({ reason: 'store' });
    await store.dataSource.query('PRAGMA query_only = OFF');
    await trail.record(attempt());
  });

  it('writes ahead and syncs each commit', async () => {
    const store = await openStore(await databases.fresh('better-sqlite3'));
    expect(await store.dataSource.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(await store.dataSource.query('PRAGMA synchronous')).toEqual([{ synchronous: 2 }]);
    expect(await store.dataSource.query('PRAGMA busy_timeout')).toEqual([{ timeout: 0 }]);
  });

  it('says that a database in memory keeps nothing', async () => {
    const inMemory = await openStore({ type: 'better-sqlite3', database: ':memory:' });
    expect(inMemory.warnings).toEqual([expect.stringContaining('in memory')]);
    await inMemory.insert([await rowOf(inMemory)]);
    const onDisk = await openStore(await databases.fresh('better-sqlite3'));
    expect(onDisk.warnings).toEqual([]);
  });
});

describe('the audit on PostgreSQL', () => {
  it('refuses while the server is down, and works again when it is back', async () => {
    const { trail, store } = await openTrail(await databases.fresh('postgres'));
    await trail.record(attempt());
    await databases.postgres.halt();
    await expect(trail.record(attempt())).rejects.toMatchObject({ name: 'AuditUnavailableError' });
    await databases.postgres.resume();
    await trail.record(attempt());
    expect(await allRows(store)).toHaveLength(2);
  });

  it('refuses while another session locks the table, and works again when it lets go', async () => {
    const database = await databases.fresh('postgres');
    const { trail, store } = await openTrail(database, { timeoutMs: 1000 });
    const application = await openApplication(database);
    const runner = application.createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE sallyport_audit IN ACCESS EXCLUSIVE MODE');
    await expect(trail.record(attempt())).rejects.toMatchObject({ name: 'AuditUnavailableError' });
    await runner.rollbackTransaction();
    await runner.release();
    await trail.record(attempt());
    expect((await allRows(store)).length).toBeGreaterThanOrEqual(1);
  });

  it('ends a connection on which nothing answers, and uses another', async () => {
    const options = await databases.fresh('postgres');
    const { trail, store } = await openTrail(
      { ...options, extra: { statement_timeout: 0 } } as DataSourceOptions,
      {
        timeoutMs: 1000,
      },
    );
    const application = await openApplication(options);
    const runner = application.createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE sallyport_audit IN ACCESS EXCLUSIVE MODE');
    await expect(trail.record(attempt())).rejects.toMatchObject({ reason: 'timeout' });
    await expect(store.insert([await rowOf(store)])).rejects.toThrow(/terminated/i);
    await runner.rollbackTransaction();
    await runner.release();
    await trail.record(attempt());
  });

  it('is not held up by an application that uses up its own pool', async () => {
    const database = await databases.fresh('postgres');
    const application = await openApplication({ ...database, poolSize: 1 } as DataSourceOptions);
    const { trail } = await openTrail(application.options);
    const runner = application.createQueryRunner();
    await runner.connect();
    await trail.record(attempt());
    await runner.release();
  });

  it('keeps to the schema of the options', async () => {
    const database = await databases.fresh('postgres');
    const application = await openApplication(database);
    await application.query('CREATE SCHEMA guarded');
    const { trail, store, reader } = await openTrail({ ...database, schema: 'guarded' } as DataSourceOptions);
    await trail.record(attempt());
    expect(await reader.list({ limit: 1 })).toHaveLength(1);
    expect(await application.query('SELECT count(*)::int AS n FROM guarded.sallyport_audit')).toEqual([
      { n: 1 },
    ]);
    expect((await store.dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
  });

  it('needs no more than INSERT and SELECT when the tables are there', async () => {
    const database = await databases.fresh('postgres');
    await openStore(database);
    const application = await openApplication(database);
    await application.query("CREATE ROLE writer LOGIN PASSWORD 'writer'");
    const grants = auditGrants('writer').filter((statement) => !statement.includes('sallyport_migrations'));
    for (const statement of grants) await application.query(statement);
    const writer = { ...database, username: 'writer', password: 'writer' } as DataSourceOptions;
    await expect(openStore(writer, { migrations: 'check' })).rejects.toMatchObject({
      name: 'AuditSetupError',
      message: expect.stringContaining('let this user SELECT from sallyport_migrations'),
    });
    await application.query('GRANT SELECT ON sallyport_migrations TO writer');
    const store = await openStore(writer, { migrations: 'check' });
    await store.insert([await rowOf(store)]);
    await expect(store.dataSource.query('DELETE FROM sallyport_audit')).rejects.toThrow(/permission denied/);
    expect(await new AuditReader(store).list({ limit: 1 })).toHaveLength(1);
  });

  it('syncs its commits where PostgreSQL was told not to, and leaves alone what is stricter', async () => {
    const database = await databases.fresh('postgres');
    const application = await openApplication(database);
    await application.query('ALTER ROLE sallyport SET synchronous_commit = off');
    const store = await openStore(database);
    await application.query('ALTER ROLE sallyport SET synchronous_commit = remote_apply');
    const strict = await openStore(database);
    await application.query('ALTER ROLE sallyport RESET synchronous_commit');
    const show = (one: typeof store) => one.dataSource.query('SHOW synchronous_commit');
    expect(await show(store)).toEqual([{ synchronous_commit: 'on' }]);
    expect(await show(strict)).toEqual([{ synchronous_commit: 'remote_apply' }]);
    expect([store.warnings, strict.warnings]).toEqual([[], []]);
  });

  it.each([
    ['a server that is not there', { host: '127.0.0.1', port: 1 }, 'ECONNREFUSED'],
    ['a password that is wrong', {}, '28P01'],
  ])('names %s without the password', async (_, overrides, code) => {
    const database = { ...databases.postgres.options, ...overrides, password: 'hunter2' };
    const error: unknown = await openStore(database).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'AuditSetupError', message: expect.stringContaining(code) });
    expect(String(error)).toContain('PostgreSQL (127.0.0.1:');
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
  });

  it('does not quote a URL that cannot be read', async () => {
    const database: DataSourceOptions = { type: 'postgres', url: 'postgres://u:hunter2@[bad/x' };
    const error: unknown = await openStore(database).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'AuditSetupError' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
  });
});
