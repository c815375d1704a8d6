import { Injectable } from '@nestjs/common';
import { AuditDisclosure, AuditErasure, AuditStore } from '@sallyport/audit';
import { RevocationService } from '@sallyport/policy';
import { Args, McpTool, type SallyportOptions } from 'sallyport';
import { z } from 'zod';
import { breakAudit } from './support/broken-audit.js';
import { eventually } from './support/eventually.js';
import { failing } from './support/failing-statement.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';
import { newDatabaseFile, Runs, TestServer } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'open',
    description: 'Opens.',
    input: z.object({ id: z.string() }),
    scopes: ['crm:read'],
    risk: 'read',
    auditFields: ['id'],
  })
  open(@Args('id') id: string) {
    this.runs.note('open');
    return id;
  }
}

const SECRET = 'a secret of the operator, long enough';
const AUTHOR = { via: 'cli', address: undefined, actor: undefined, reason: 'asked for it' } as const;

let issuer: TestIssuer;
let postgres: RunningPostgres;
let databases = 0;

beforeAll(async () => {
  [issuer, postgres] = await Promise.all([TestIssuer.start(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([issuer.stop(), postgres.stop()]);
});

async function freshDatabase(type: 'better-sqlite3' | 'postgres') {
  databases += 1;
  const database =
    type === 'postgres'
      ? await postgres.createDatabase(`erasure_${databases}`)
      : ({ type, database: newDatabaseFile() } as const);
  return { ...database, autoLoadEntities: true };
}

function start(database: Awaited<ReturnType<typeof freshDatabase>>, audit: SallyportOptions['audit'] = {}) {
  return TestServer.start({
    issuer,
    providers: [Tools],
    database,
    sallyport: { audit: { secret: SECRET, ...audit } },
  });
}

async function callAs(server: TestServer, sub: string, claims = {}) {
  const token = await issuer.token({ sub, tenant: 'acme', scope: 'crm:read', claims });
  return server.send({ token, ...toolCall('open', { id: `of ${sub}` }) });
}

const rowsOf = (server: TestServer): Promise<Record<string, unknown>[]> =>
  server.app.get(AuditStore).dataSource.query('SELECT * FROM sallyport_audit ORDER BY seq');

describe.each(['better-sqlite3', 'postgres'] as const)('Erasing a person, on %s,', (type) => {
  let server: TestServer;
  const priya = () => ({ tenant: 'acme', issuer: issuer.url, subject: 'priya' });

  beforeEach(async () => {
    server = await start(await freshDatabase(type));
  });
  afterEach(async () => server.close());

  it('makes every record of theirs unreadable and changes none', async () => {
    await callAs(server, 'priya');
    await callAs(server, 'marco', { act: { sub: 'priya' } });
    const before = await rowsOf(server);
    const ids = await server.app.get(AuditErasure).erase(priya(), AUTHOR);
    const after = await rowsOf(server);
    expect(after.slice(0, before.length)).toEqual(before);
    const calls = await server.audit.list({ kind: 'attempt', limit: 10 });
    expect(calls).toMatchObject([
      {
        personal: 'erased',
        subject: 'erased',
        address: 'erased',
        credential: 'erased',
        fields: null,
        tenant: 'acme',
        client: 'agent-1',
        entry: 'open',
        decision: 'permit',
        outcome: 'completed',
      },
      { personal: 'shown', subject: 'marco', fields: { id: 'of marco' }, actors: [{ subject: 'erased' }] },
    ]);
    expect(ids).toContain(calls[0]?.person);
    expect(ids).not.toContain(calls[1]?.person);
    expect(JSON.stringify(calls)).not.toContain('priya');
    expect(await server.audit.list({ subject: 'priya', limit: 10 })).toEqual([]);
  });

  it('leaves their name in no record of whoever looked for them, or took their records out', async () => {
    await callAs(server, 'priya');
    const disclosure = server.app.get(AuditDisclosure);
    const viewer = { via: 'cli', address: undefined, actor: undefined } as const;
    await disclosure.show(viewer, 'priya');
    await disclosure.list(viewer, { subject: 'priya', limit: 5 });
    await disclosure.export(viewer, { subject: 'priya' }, { records: 1, upTo: 1, format: 'ocsf' });
    const [call] = await server.audit.list({ kind: 'attempt', limit: 1 });
    await disclosure.show(viewer, call?.id ?? '');
    await server.app.get(AuditErasure).erase(priya(), AUTHOR);
    expect(JSON.stringify(await rowsOf(server))).not.toContain('priya');
    const looks = await server.audit.list({ action: 'audit.read', limit: 5 });
    expect(looks.map(({ target }) => target)).toEqual([
      expect.stringMatching(/^~[0-9a-f]{24}$/),
      'erased',
      call?.id,
    ]);
    expect(JSON.stringify(await server.records())).not.toContain('priya');
  });

  it('is recorded by the id of the key, before it is done, and never by the name', async () => {
    await callAs(server, 'priya');
    const ids = await server.app.get(AuditErasure).erase(priya(), AUTHOR);
    const last = (await server.records()).at(-1);
    expect(last).toMatchObject({
      kind: 'administration',
      action: 'audit.erased',
      target: ids.join(' '),
      decision: 'permit',
      details: { why: 'asked for it', tenant: 'acme' },
    });
    expect(JSON.stringify(last)).not.toContain('priya');
  });

  it('is not done when it cannot be recorded', async () => {
    await callAs(server, 'priya');
    const { dataSource } = server.app.get(AuditStore);
    await dataSource.query('ALTER TABLE sallyport_audit RENAME TO lost_audit');
    await expect(server.app.get(AuditErasure).erase(priya(), AUTHOR)).rejects.toMatchObject({
      name: 'AuditUnavailableError',
    });
    await dataSource.query('ALTER TABLE lost_audit RENAME TO sallyport_audit');
    expect(await server.audit.list({ subject: 'priya', limit: 5 })).toMatchObject([{ subject: 'priya' }]);
  });

  it('is done by asking again when the key could not be destroyed, and the record says which time it was', async () => {
    await callAs(server, 'priya');
    const erasure = server.app.get(AuditErasure);
    const { options } = server.app.get(AuditStore).dataSource;
    const repair = await failing(options, 'UPDATE', 'sallyport_audit_key', 'NEW.key IS NULL');
    await expect(erasure.erase(priya(), AUTHOR)).rejects.toMatchObject({ message: 'no space' });
    await repair();
    expect(await server.audit.list({ subject: 'priya', limit: 5 })).toMatchObject([{ subject: 'priya' }]);
    await erasure.erase(priya(), AUTHOR);
    const erased = (await server.records()).filter(({ action }) => action === 'audit.erased');
    expect(erased.map(({ decision, reason }) => [decision, reason])).toEqual([
      ['permit', null],
      ['refuse', 'store_unavailable'],
      ['permit', null],
    ]);
    expect(await server.audit.list({ subject: 'priya', limit: 5 })).toEqual([]);
  });

  it('says that there is nothing to erase, once it is done and for a stranger', async () => {
    await callAs(server, 'priya');
    const erasure = server.app.get(AuditErasure);
    await erasure.erase(priya(), AUTHOR);
    const before = (await server.records()).length;
    for (const person of [priya(), { ...priya(), subject: 'nobody' }, { ...priya(), tenant: 'globex' }])
      await expect(erasure.erase(person, AUTHOR)).rejects.toMatchObject({ code: 'nothing_to_erase' });
    expect(await server.records()).toHaveLength(before);
  });

  it('gives a new key to whoever calls again, and leaves the old records erased', async () => {
    await callAs(server, 'priya');
    await server.app.get(AuditErasure).erase(priya(), AUTHOR);
    await callAs(server, 'priya');
    const calls = await server.audit.list({ kind: 'attempt', limit: 10 });
    expect(calls.map(({ subject }) => subject)).toEqual(['erased', 'priya']);
    expect(calls[0]?.person).not.toBe(calls[1]?.person);
    expect(calls[0]?.argumentsDigest).not.toBe(calls[1]?.argumentsDigest);
    expect(await server.audit.list({ subject: 'priya', limit: 10 })).toHaveLength(1);
  });

  it('reaches what administrators have recorded of them', async () => {
    await callAs(server, 'priya');
    const author = { by: 'marco', via: 'cli', address: undefined, actor: undefined } as const;
    await server.app.get(RevocationService).revoke({ kind: 'user', value: 'priya' }, author);
    const newest = async () => (await server.audit.list({ action: 'revocation.added', limit: 1 })).at(-1);
    expect(await newest()).toMatchObject({ target: 'user priya', details: { by: 'marco' } });
    await server.app.get(AuditErasure).erase(priya(), AUTHOR);
    expect(await newest()).toMatchObject({ target: 'erased', details: { by: 'marco' } });
    expect(JSON.stringify(await rowsOf(server))).not.toMatch(/priya|marco/);
  });
});

it.each(['better-sqlite3', 'postgres'] as const)(
  'A person who was erased by one server is erased for all others on %s, and gets one new key from them',
  async (type) => {
    const database = await freshDatabase(type);
    const [one, other] = [await start(database), await start(database)];
    await callAs(other, 'priya');
    const [old] = await one.app
      .get(AuditErasure)
      .erase({ tenant: 'acme', issuer: issuer.url, subject: 'priya' }, AUTHOR);
    await eventually(
      async () => {
        await callAs(other, 'priya');
        return (await other.audit.list({ kind: 'attempt', limit: 1 }))[0]?.person;
      },
      (person) => person !== old,
    );
    await callAs(one, 'priya');
    const mine = await one.audit.list({ subject: 'priya', limit: 100 });
    expect(new Set(mine.map(({ person }) => person)).size).toBe(1);
    expect(mine.length).toBeGreaterThanOrEqual(2);
    await Promise.all([one.close(), other.close()]);
  },
);

it('A caller whose key cannot be had is refused, and nothing runs', async () => {
  const server = await start(await freshDatabase('better-sqlite3'), { timeoutMs: 500 });
  const { dataSource } = server.app.get(AuditStore);
  const { answer, ran } = await server.observe(async () => {
    await dataSource.query('ALTER TABLE sallyport_audit_key RENAME TO lost_key');
    const refused = await callAs(server, 'a-new-caller');
    await dataSource.query('ALTER TABLE lost_key RENAME TO sallyport_audit_key');
    return refused;
  });
  expect({ status: answer.status, ran }).toEqual({ status: 503, ran: [] });
  expect(answer.text).not.toMatch(/sqlite|_key/i);
  expect((await callAs(server, 'a-new-caller')).status).toBe(200);
  const repair = await breakAudit(server, 'another process holds the lock');
  const { answer: locked, ran: ranLocked } = await server.observe(() => callAs(server, 'another-new-caller'));
  await repair();
  expect({ status: locked.status, ran: ranLocked }).toEqual({ status: 503, ran: [] });
  await server.close();
});
