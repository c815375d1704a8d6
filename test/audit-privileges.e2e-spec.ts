import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Injectable } from '@nestjs/common';
import {
  AuditErasure,
  auditGrants,
  AuditLog,
  AuditReader,
  AuditStore,
  fileSink,
  openEraser,
  TypeOrmAuditTrail,
} from '@sallyport/audit';
import { generateNoteKey } from '@sallyport/tlog';
import { McpTool } from 'sallyport';
import { DataSource } from 'typeorm';
import { eventually } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { startPostgres, type PostgresOptions, type RunningPostgres } from './support/postgres.js';
import { Runs, TestServer } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' })
  open() {
    this.runs.note('open');
    return 'opened';
  }
}

const SECRET = 'a secret of the operator, long enough';

let issuer: TestIssuer;
let postgres: RunningPostgres;

beforeAll(async () => {
  [issuer, postgres] = await Promise.all([TestIssuer.start(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([issuer.stop(), postgres.stop()]);
});

/** `audit` is where the records go; the rest of the application stays in a file of its own. */
function start(
  database: PostgresOptions,
  audit: { migrations: 'run' | 'check'; privileges: 'check' | 'warn' },
) {
  const sallyport = { audit: { secret: SECRET, database, ...audit } };
  return TestServer.start({ issuer, providers: [Tools], sallyport });
}

/** The owner makes the tables and gives the role of the server what is printed for it. */
async function prepare(name: string): Promise<{ owner: PostgresOptions; app: PostgresOptions }> {
  const owner = await postgres.createDatabase(name);
  const store = await AuditStore.open(owner, { migrations: 'run', timeoutMs: 5000 });
  await store.close();
  const connection = await new DataSource(owner).initialize();
  await connection.query(`CREATE ROLE ${name} LOGIN PASSWORD 'app'`);
  for (const statement of auditGrants(name)) await connection.query(statement);
  await connection.destroy();
  return { owner, app: { ...owner, username: name, password: 'app' } };
}

const STRICT = { migrations: 'check', privileges: 'check' } as const;

describe('A server whose role of PostgreSQL may only add records', () => {
  it('boots, serves and stops, and could change nothing', async () => {
    const { app } = await prepare('serves');
    const server = await start(app, STRICT);
    const token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
    const { records, ran } = await server.observe(() => server.send({ token, ...toolCall('open') }));
    expect({ ran, outcome: records[0]?.outcome }).toEqual({ ran: ['open'], outcome: 'completed' });
    const { dataSource } = server.app.get(AuditStore);
    for (const statement of [
      "UPDATE sallyport_audit SET decision = 'refuse'",
      'DELETE FROM sallyport_audit',
      'TRUNCATE sallyport_audit',
      'INSERT INTO sallyport_audit_sealed VALUES (1, 9, 0, $$mine$$)',
    ])
      await expect(dataSource.query(statement)).rejects.toThrow(/permission denied/);
    await server.close();
    const connection = await new DataSource(app).initialize();
    const actions = await connection.query(
      'SELECT action FROM sallyport_audit WHERE action IS NOT NULL ORDER BY seq',
    );
    await connection.destroy();
    expect(actions).toEqual([{ action: 'server.started' }, { action: 'server.stopped' }]);
  });
});

describe('With the same role', () => {
  it('the log is signed, followers ship, and whoever erases has a role of their own', async () => {
    const { owner, app } = await prepare('everything');
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-privileges-'));
    const [state, shipped] = [join(directory, 'state'), join(directory, 'shipped.jsonl')];
    const key = generateNoteKey('audit.test/privileges');
    const options = {
      secret: SECRET,
      database: app,
      ...STRICT,
      log: { key: key.signerKey, state: { file: state } },
      followers: [fileSink(shipped)],
    };
    const server = await TestServer.start({ issuer, providers: [Tools], sallyport: { audit: options } });
    const token = await issuer.token({ sub: 'priya', tenant: 'acme', scope: 'crm:read' });
    await server.send({ token, ...toolCall('open') });
    const log = server.app.get(AuditLog);
    const report = await eventually(
      () => log.verify(),
      ({ pending, unsigned, leaves }) => pending === 0 && unsigned === 0 && leaves >= 3,
    );
    expect(report).toMatchObject({ ok: true });
    await eventually(
      async () => (existsSync(shipped) ? readFileSync(shipped, 'utf8') : ''),
      (text) => text.includes('"kind":"outcome"'),
    );
    const person = { tenant: 'acme', issuer: issuer.url, subject: 'priya' };
    const { keys } = server.app.get(AuditStore);
    await expect(keys.destroy(await keys.idsOf(person))).rejects.toThrow(/permission denied/);
    for (const statement of [
      'DELETE FROM sallyport_log_leaf',
      'UPDATE sallyport_log_checkpoint SET size = 0',
      "INSERT INTO sallyport_log_seal VALUES (0, 9, 'x', 'x', 0)",
      'DELETE FROM sallyport_audit_key',
      'DELETE FROM sallyport_audit_follower',
    ])
      await expect(server.app.get(AuditStore).dataSource.query(statement)).rejects.toThrow(
        /permission denied/,
      );
    await server.close();

    const connection = await new DataSource(owner).initialize();
    await connection.query("CREATE ROLE eraser LOGIN PASSWORD 'app'");
    for (const statement of auditGrants('eraser', { mayErase: true })) await connection.query(statement);
    await connection.destroy();
    const store = await AuditStore.open(app, { ...STRICT, timeoutMs: 5000, secret: SECRET });
    const url = `postgres://eraser:app@${app.host}:${app.port}/${app.database}`;
    const eraser = await openEraser(store, url);
    const trail = new TypeOrmAuditTrail(store, { timeoutMs: 5000, maxQueued: 10 });
    const author = { via: 'cli', address: undefined, actor: undefined, reason: 'asked for it' } as const;
    const identity = { name: 's', version: '1', resource: 'https://mcp.acme.example/mcp' };
    const erased = await new AuditErasure(store.keys, trail, identity).erase(person, author, eraser);
    expect(erased).toHaveLength(1);
    expect(await store.keys.idsOf(person)).toEqual([]);
    const calls = await new AuditReader(store).list({ kind: 'attempt', limit: 10 });
    expect(calls.map(({ subject }) => subject)).toEqual(['erased']);
    await Promise.all([trail.onApplicationShutdown(), eraser.close()]);
  });
});

describe('A server whose role owns the tables', () => {
  it('does not boot when the boot checks, and is told what to write', async () => {
    const { owner } = await prepare('refuses');
    await expect(start(owner, STRICT)).rejects.toMatchObject({
      name: 'AuditSetupError',
      message: expect.stringMatching(/superuser.*sallyport audit grants.*privileges: 'check'/),
    });
  });

  it('boots otherwise, and says so', async () => {
    const { owner } = await prepare('warns');
    const server = await start(owner, { migrations: 'run', privileges: 'warn' });
    expect(server.logs.lines.filter((line) => line.includes('sallyport audit grants'))).toHaveLength(1);
    await server.close();
  });

  it('is stopped by the triggers all the same', async () => {
    const { owner } = await prepare('triggers');
    const server = await start(owner, { migrations: 'run', privileges: 'warn' });
    const { dataSource } = server.app.get(AuditStore);
    for (const statement of [
      "UPDATE sallyport_audit SET decision = 'refuse'",
      'DELETE FROM sallyport_audit',
      'TRUNCATE sallyport_audit',
    ])
      await expect(dataSource.query(statement)).rejects.toThrow(/rows are only ever added/);
    await server.close();
  });
});

it('The command prints what the owner has to run, without opening an application', async () => {
  const main = new URL('../libs/sallyport/src/cli/main.ts', import.meta.url).pathname;
  const loader = new URL('./support/typescript-register.mjs', import.meta.url).href;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    loader,
    main,
    'audit',
    'grants',
    '--role',
    'app"; DROP TABLE x; --',
  ]);
  expect(stdout.trim().split('\n')).toEqual(auditGrants('app"; DROP TABLE x; --'));
  expect(stdout).toContain('GRANT SELECT, INSERT ON "sallyport_audit" TO "app""; DROP TABLE x; --";');
  const changing = stdout
    .split('\n')
    .filter((line) => /^GRANT .*\b(UPDATE|DELETE|TRUNCATE|ALL)\b.* ON/.test(line));
  expect(changing).toEqual([expect.stringContaining('ON "sallyport_audit_follower"')]);
});
