import { DataSource, type DataSourceOptions } from 'typeorm';

import { attempt } from '../../../../test/support/audit-events.js';
import { DIALECTS, testDatabases } from '../../../../test/support/test-databases.js';
import { AuditStore } from '../audit.store.js';
import { TypeOrmAuditTrail } from '../audit.trail.js';
import { auditGrants } from './grants.js';

const SECRET = 'a secret of the operator, long enough';

const databases = testDatabases('privileges');

async function open(
  database: DataSourceOptions,
  { migrations = 'run' as 'run' | 'check', privileges = 'warn' as 'check' | 'warn' } = {},
) {
  const store = await AuditStore.open(database, { migrations, timeoutMs: 2000, privileges, secret: SECRET });
  databases.closeAfterTest(() => store.close());
  return store;
}

/** Somebody with a connection of their own. */
async function connect(database: DataSourceOptions): Promise<DataSource> {
  const connection = await new DataSource({ ...database }).initialize();
  databases.closeAfterTest(() => connection.destroy());
  return connection;
}

async function record(store: AuditStore, count: number): Promise<void> {
  const trail = new TypeOrmAuditTrail(store, { timeoutMs: 2000, maxQueued: 100 });
  for (let recorded = 0; recorded < count; recorded += 1) await trail.record(attempt());
}

/** The ways in which one statement both deletes and adds. */
const REPLACE = {
  'better-sqlite3':
    "INSERT OR REPLACE INTO sallyport_audit (seq, id, at, kind, via, server, resource) VALUES (1, 'x', 0, 'list', 'http', 's', 'r')",
  postgres:
    "INSERT INTO sallyport_audit (id, at, kind, via, server, resource) SELECT id, 0, 'list', 'http', 's', 'r' FROM sallyport_audit LIMIT 1 ON CONFLICT (id) DO UPDATE SET at = 0",
};

const seqs = (connection: DataSource): Promise<unknown> =>
  connection.query('SELECT CAST(seq AS integer) AS seq FROM sallyport_audit ORDER BY seq');

describe.each(DIALECTS)('the records on %s', (type) => {
  it.each([
    ['UPDATE', "UPDATE sallyport_audit SET decision = 'permit'"],
    ['UPDATE of nothing new', 'UPDATE sallyport_audit SET seq = seq'],
    ['DELETE', 'DELETE FROM sallyport_audit WHERE seq = 1'],
    ['DELETE of everything', 'DELETE FROM sallyport_audit'],
    ['a row that takes the place of another', REPLACE[type]],
  ])('are not changed by their owner with %s', async (_, statement) => {
    const database = await databases.fresh(type);
    const store = await open(database);
    await record(store, 2);
    const before = await store.dataSource.query('SELECT * FROM sallyport_audit ORDER BY seq');
    const owner = await connect(database);
    await expect(owner.query(statement)).rejects.toThrow(/rows are only ever added/);
    expect(await store.dataSource.query('SELECT * FROM sallyport_audit ORDER BY seq')).toEqual(before);
  });

  it('may be deleted where a range says so, and nowhere else; and the range stays', async () => {
    const database = await databases.fresh(type);
    await record(await open(database), 5);
    const owner = await connect(database);
    await owner.query(
      "INSERT INTO sallyport_audit_sealed (from_seq, to_seq, at, reason) VALUES (2, 3, 0, 'old')",
    );
    await expect(owner.query('DELETE FROM sallyport_audit WHERE seq <= 3')).rejects.toThrow(
      /only ever added/,
    );
    await owner.query('DELETE FROM sallyport_audit WHERE seq BETWEEN 2 AND 3');
    expect(await seqs(owner)).toEqual([{ seq: 1 }, { seq: 4 }, { seq: 5 }]);
    for (const statement of [
      'UPDATE sallyport_audit_sealed SET to_seq = 5',
      'DELETE FROM sallyport_audit_sealed',
    ])
      await expect(owner.query(statement)).rejects.toThrow(/only ever added/);
  });

  it('are not served when a trigger is gone and the boot checks; otherwise it says so', async () => {
    const database = await databases.fresh(type);
    await open(database);
    const owner = await connect(database);
    const on = type === 'postgres' ? ' ON sallyport_audit' : '';
    await owner.query(`DROP TRIGGER sallyport_audit_no_delete${on}`);
    await expect(open(database, { privileges: 'check' })).rejects.toMatchObject({
      name: 'AuditSetupError',
      message: expect.stringContaining('sallyport_audit_no_delete'),
    });
    const { protectionWarnings } = await open(database);
    expect(protectionWarnings).toContainEqual(expect.stringContaining('sallyport_audit_no_delete'));
  });
});

it('are checked on SQLite: the triggers are there', async () => {
  const store = await open(await databases.fresh('better-sqlite3'), { privileges: 'check' });
  expect(store.protectionWarnings).toEqual([]);
});

describe('on PostgreSQL', () => {
  /** The owner has made the tables; a role of its own serves. */
  async function serve(role: string, statements: readonly string[] = []) {
    const database = await databases.fresh('postgres');
    await open(database);
    const owner = await connect(database);
    await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'app'`);
    for (const statement of [...auditGrants(role), ...statements]) await owner.query(statement);
    const app = { ...database, username: role, password: 'app' } as DataSourceOptions;
    return { owner, app };
  }

  it('TRUNCATE is refused to the owner, also for a session that calls itself a replica', async () => {
    const database = await databases.fresh('postgres');
    await record(await open(database), 2);
    const owner = await connect(database);
    const runner = owner.createQueryRunner();
    await runner.query('SET session_replication_role = replica');
    for (const statement of ['TRUNCATE sallyport_audit', 'DELETE FROM sallyport_audit'])
      await expect(runner.query(statement)).rejects.toThrow(/rows are only ever added/);
    await runner.release();
    expect(await seqs(owner)).toEqual([{ seq: 1 }, { seq: 2 }]);
  });

  it('a role with the printed grants serves, and can change nothing', async () => {
    const { app } = await serve('app_strict');
    const store = await open(app, { migrations: 'check', privileges: 'check' });
    await record(store, 2);
    const connection = await connect(app);
    for (const statement of [
      "UPDATE sallyport_audit SET decision = 'permit'",
      'DELETE FROM sallyport_audit',
      'TRUNCATE sallyport_audit',
      'ALTER TABLE sallyport_audit DISABLE TRIGGER ALL',
      'DROP TRIGGER sallyport_audit_no_delete ON sallyport_audit',
      "INSERT INTO sallyport_audit_sealed (from_seq, to_seq, at, reason) VALUES (1, 9, 0, 'mine')",
      'UPDATE sallyport_audit_key SET key = NULL',
      'SET session_replication_role = replica',
    ])
      await expect(connection.query(statement)).rejects.toThrow(/permission denied|must be owner/);
    expect(await seqs(connection)).toEqual([{ seq: 1 }, { seq: 2 }]);
  });

  it('a role that may erase people may erase them, and no record', async () => {
    const { owner, app } = await serve('app_eraser');
    for (const statement of auditGrants('app_eraser', { mayErase: true })) await owner.query(statement);
    const store = await open(app, { migrations: 'check' });
    await record(store, 1);
    const person = { tenant: 'acme', issuer: 'https://id.acme.example', subject: 'alice' };
    await store.keys.destroy(await store.keys.idsOf(person));
    expect(await store.keys.idsOf(person)).toEqual([]);
    await expect(store.dataSource.query('DELETE FROM sallyport_audit')).rejects.toThrow(/permission denied/);
  });

  it.each([
    [
      'app_update',
      ['GRANT UPDATE ON sallyport_audit TO app_update'],
      'may change or delete rows of sallyport_audit',
    ],
    ['app_column', ['GRANT UPDATE (decision) ON sallyport_audit TO app_column'], 'may change or delete rows'],
    ['app_delete', ['GRANT DELETE ON sallyport_log_leaf TO app_delete'], 'rows of sallyport_log_leaf'],
    [
      'app_sealer',
      ['GRANT INSERT ON sallyport_audit_sealed TO app_sealer'],
      'may write to sallyport_audit_sealed',
    ],
    [
      'app_owner',
      ['CREATE ROLE maker', 'ALTER TABLE sallyport_audit OWNER TO maker', 'GRANT maker TO app_owner'],
      '"app_owner" can become "maker", which owns sallyport_audit',
    ],
    [
      'app_itself',
      ['ALTER TABLE sallyport_audit OWNER TO app_itself'],
      'The role "app_itself" owns sallyport_audit',
    ],
    [
      'app_member',
      ['GRANT sallyport TO app_member'],
      '"app_member" can become "sallyport", which is a superuser',
    ],
    [
      'app_function',
      ['ALTER FUNCTION sallyport_audit_refuse_delete() OWNER TO app_function'],
      'owns sallyport_audit_refuse_delete, so it may make the triggers do nothing: ALTER FUNCTION',
    ],
    [
      'app_keys',
      ['GRANT DELETE ON sallyport_audit_key TO app_keys'],
      'the keys of people in sallyport_audit_key',
    ],
    ['app_key', ['GRANT UPDATE (key) ON sallyport_audit_key TO app_key'], 'audit grants --erase'],
    ['app_truncates', ['GRANT TRUNCATE ON sallyport_audit_key TO app_truncates'], 'audit grants --erase'],
    ['app_erases', auditGrants('app_erases', { mayErase: true }), 'SALLYPORT_AUDIT_DATABASE'],
    [
      'app_numbers',
      ['GRANT UPDATE ON SEQUENCE sallyport_audit_seq_seq TO app_numbers'],
      'the numbers of records',
    ],
    ['app_creates', ['ALTER ROLE app_creates CREATEROLE'], 'has CREATEROLE'],
    [
      'app_runs',
      ['GRANT pg_execute_server_program TO app_runs'],
      '"app_runs" can become "pg_execute_server_program", which may run programs',
    ],
    ['app_files', ['GRANT pg_write_server_files TO app_files'], 'write files on the database server'],
    ['app_writes', ['GRANT pg_write_all_data TO app_writes'], '"app_writes" may change or delete rows of'],
    [
      'app_noinherit',
      [
        'CREATE ROLE deleter',
        'GRANT DELETE ON sallyport_audit TO deleter',
        'ALTER ROLE app_noinherit NOINHERIT',
        'GRANT deleter TO app_noinherit',
      ],
      '"app_noinherit" can become "deleter", which may change or delete rows of sallyport_audit',
    ],
    ['app_schema', ['ALTER SCHEMA public OWNER TO app_schema'], 'owns the schema public'],
    ['app_super', ['ALTER ROLE app_super SUPERUSER'], 'is a superuser'],
  ])('the boot refuses a server that connects as %s', async (role, statements, sentence) => {
    const { app } = await serve(role, statements);
    const settings = { migrations: 'check', privileges: 'check' } as const;
    await expect(open(app, settings)).rejects.toMatchObject({
      name: 'AuditSetupError',
      message: expect.stringContaining(sentence),
    });
    const { protectionWarnings } = await open(app, { migrations: 'check' });
    expect(protectionWarnings).toContainEqual(expect.stringContaining(sentence));
  });

  it('the boot refuses a server whose role owns the database, because it could drop the tables', async () => {
    const { owner, app } = await serve('app_database');
    await owner.query(`ALTER DATABASE "${String(app.database)}" OWNER TO app_database`);
    const store = open(app, { migrations: 'check', privileges: 'check' });
    await expect(store).rejects.toMatchObject({
      name: 'AuditSetupError',
      message: expect.stringMatching(
        /owns the database privileges_\d+, so it may drop it[^]*owns the schema public/,
      ),
    });
    const connection = await connect(app);
    await connection.query('DROP TABLE sallyport_audit CASCADE');
  });

  it('the boot refuses a superuser that calls itself a role with the printed grants', async () => {
    const database = await databases.fresh('postgres');
    const owner = await connect(database);
    await open(database);
    await owner.query('CREATE ROLE app_narrow');
    for (const statement of auditGrants('app_narrow')) await owner.query(statement);
    const narrow = { ...database, extra: { options: '-c role=app_narrow' } } as DataSourceOptions;
    await expect(open(narrow, { migrations: 'check', privileges: 'check' })).rejects.toMatchObject({
      message: expect.stringContaining('"app_narrow" can become "sallyport", which is a superuser'),
    });
    const { dataSource } = await open(narrow, { migrations: 'check' });
    await dataSource.query('SET ROLE NONE; ALTER TABLE sallyport_audit DISABLE TRIGGER USER');
  });

  it('the triggers follow the schema of the options', async () => {
    const database = await databases.fresh('postgres');
    const owner = await connect(database);
    await owner.query('CREATE SCHEMA guarded');
    const store = await open({ ...database, schema: 'guarded' } as DataSourceOptions);
    await record(store, 1);
    await expect(owner.query('DELETE FROM guarded.sallyport_audit')).rejects.toThrow(/only ever added/);
    expect(store.protectionWarnings).toEqual([expect.stringContaining('superuser')]);
  });
});
