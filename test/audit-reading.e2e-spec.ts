import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { McpTool } from 'sallyport';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { newDatabaseFile, PLATFORMS, ROLES, Runs, TestServer } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'quick', description: 'Answers.', scopes: ['crm:read'], risk: 'read' })
  quick() {
    this.runs.note('quick');
    return 'the answer';
  }
}

const roles = { ...ROLES, 'agent:auditor': [], 'agent:operator': ['agent:auditor'] };
const read = { role: 'agent:auditor', operatorRole: 'agent:operator' } as const;
const NOTHING_HERE = { error: { reason: 'unknown', message: 'There is nothing at this path.' } };

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

type Shown = Record<string, unknown> & { id: string; call: string };

describe.each(PLATFORMS)('Reading the audit over HTTP, on %s', (platform) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({
      issuer,
      platform,
      providers: [Tools],
      sallyport: { roles, audit: { read } },
    });
    for (const [tenant, sub] of [
      ['acme', 'priya'],
      ['acme', 'lena'],
      ['globex', 'gus'],
    ] as const) {
      const token = await issuer.token({ sub, tenant, scope: 'crm:read', client: 'agent-7' });
      await server.send({ era: '2026-07-28', token, ...toolCall('quick') });
    }
    await server.send({ era: '2026-07-28', token: 'garbage', ...toolCall('quick') });
  });
  afterAll(async () => server.close());

  const auditor = (claims: Parameters<TestIssuer['token']>[0] = {}) =>
    issuer.token({ sub: 'vera', tenant: 'acme', roles: ['agent:auditor'], scope: 'audit:read', ...claims });
  const operator = () => auditor({ sub: 'olga', tenant: 'operations', roles: ['agent:operator'] });

  async function get(path: string, token?: string, method = 'GET') {
    const response = await fetch(`${server.origin}${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
  }

  const recordsAt = async (path: string, token: string): Promise<Shown[]> =>
    (await get(path, token)).body.records;

  it('shows the records of the tenant of the auditor, the newest first, and of no other', async () => {
    const shown = await recordsAt('/audit?kind=attempt', await auditor());
    expect(shown).toMatchObject([
      { kind: 'attempt', tenant: 'acme', subject: 'lena', entry: 'quick', outcome: 'completed' },
      { kind: 'attempt', tenant: 'acme', subject: 'priya', entry: 'quick', outcome: 'completed' },
    ]);
    const all = await recordsAt('/audit?limit=200', await auditor());
    expect(new Set(all.map(({ tenant }) => tenant))).toEqual(new Set(['acme']));
  });

  it('shows an operator those of every tenant, and those of none', async () => {
    const all = await recordsAt('/audit?limit=200', await operator());
    expect(new Set(all.map(({ tenant }) => tenant))).toEqual(expect.objectContaining(new Set(['acme'])));
    expect(all.map(({ tenant }) => tenant)).toEqual(expect.arrayContaining(['acme', 'globex', null]));
    expect(all).toEqual(expect.arrayContaining([expect.objectContaining({ kind: 'authentication' })]));
    const globex = await recordsAt('/audit?tenant=globex&kind=attempt', await operator());
    expect(globex).toMatchObject([{ subject: 'gus' }]);
  });

  it.each([
    ['user=priya', ['priya']],
    ['entry=quick&kind=attempt', ['lena', 'priya']],
    ['client=agent-7&kind=attempt&limit=1', ['lena']],
    ['user=gus', []],
    ['since=2999-01-01T00:00:00Z', []],
    ['decision=refuse&entry=quick', []],
  ])('filters by %s', async (query, subjects) => {
    const shown = await recordsAt(`/audit?${query}`, await auditor());
    expect(shown.map(({ subject }) => subject)).toEqual(subjects);
  });

  it('goes through pages without showing a record twice or leaving one out', async () => {
    const token = await auditor();
    const whole = await recordsAt('/audit?limit=200&until=2999-01-01T00:00:00Z', token);
    const ids: string[] = [];
    let cursor = '';
    for (let page = 0; page < 50; page += 1) {
      const { body } = await get(`/audit?limit=2${cursor}`, token);
      ids.push(...body.records.map(({ id }: Shown) => id));
      if (body.next === null) break;
      cursor = `&cursor=${body.next}`;
    }
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(whole.map(({ id }) => id)));
  });

  it('takes no cursor of another tenant, nor one that was made up', async () => {
    const [foreign] = await recordsAt('/audit?tenant=globex', await operator());
    const one = await get(`/audit?cursor=${foreign?.id}`, await auditor());
    const two = await get('/audit?cursor=019a8c00-0000-7000-8000-000000000001', await auditor());
    expect(one).toMatchObject({ status: 400, body: { error: { reason: 'invalid' } } });
    expect(one.body).toEqual(two.body);
  });

  it('shows everything of one call by the id of any of its records', async () => {
    const token = await auditor();
    const [attempt] = await recordsAt('/audit?kind=attempt&user=priya', token);
    const byRecord = await recordsAt(`/audit/${attempt?.id}`, token);
    const byCall = await recordsAt(`/audit/${attempt?.call}`, token);
    expect(byRecord).toMatchObject([
      { kind: 'attempt', checks: expect.arrayContaining([expect.objectContaining({ passed: true })]) },
      { kind: 'outcome', status: 'completed', attempt: attempt?.id },
    ]);
    expect(byCall).toEqual(byRecord);
  });

  it('answers the ids of another tenant exactly as ids that do not exist, and records both alike', async () => {
    const [foreign] = await recordsAt('/audit?kind=attempt&tenant=globex', await operator());
    const ids: [asked: string | undefined, recorded: unknown][] = [
      [foreign?.id, foreign?.id],
      [foreign?.call, foreign?.call],
      ['019a8c00-0000-7000-8000-000000000001', '019a8c00-0000-7000-8000-000000000001'],
      // What is no id of ours may be a name.
      ['no-id-at-all', expect.stringMatching(/^~[0-9a-f]{24}$/)],
    ];
    for (const [id, target] of ids) {
      const token = await auditor();
      const { answer, records } = await server.observe(() => get(`/audit/${id}`, token));
      expect(answer).toMatchObject({ status: 404, body: NOTHING_HERE });
      expect(records).toMatchObject([{ action: 'audit.read', target, details: { shown: '0' } }]);
    }
  });

  it('tells nothing of other tenants by numbers, and no secret', async () => {
    const token = await auditor();
    const { body } = await get('/audit?limit=200', token);
    expect(JSON.stringify(body)).not.toMatch(/"seq"|globex/);
    expect(JSON.stringify(body)).not.toContain(token);
  });

  it('records who looked, for what, and how much was shown, before it is shown', async () => {
    const token = await auditor();
    const { records } = await server.observe(() => get('/audit?user=priya&kind=attempt', token));
    expect(records).toMatchObject([
      {
        kind: 'administration',
        action: 'audit.read',
        tenant: 'acme',
        subject: 'vera',
        via: 'http',
        target: 'priya',
        decision: 'permit',
        details: { kind: 'attempt', tenant: 'acme', shown: '1' },
      },
    ]);
  });

  it.each([
    ['nobody', undefined, 401],
    ['a token that is none', 'garbage', 401],
  ])('asks %s to sign in', async (_who, token, status) => {
    for (const path of ['/audit', '/audit/x']) {
      const { answer, records } = await server.observe(() => get(path, token));
      expect(answer.status).toBe(status);
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
      expect(JSON.stringify(answer.body)).not.toContain('records');
      expect(records.filter(({ action }) => action !== null)).toEqual([]);
    }
  });

  it.each([
    ['no role', { roles: [] }, 404, 'role'],
    ['the role of an administrator', { roles: ['agent:admin'] }, 404, 'role'],
    ['no scope', { scope: 'crm:read' }, 403, 'insufficient_scope'],
    ['an agent in between', { claims: { act: { sub: 'agent' } } }, 404, 'delegated'],
    ['no tenant', { tenant: undefined }, 404, 'tenant'],
    ['a tenant named as another is stored', { tenant: '\\u003dacme' }, 404, 'tenant'],
  ])('shows nothing to somebody with %s, and records it', async (_what, claims, status, reason) => {
    const token = await auditor(claims);
    const { answer, records } = await server.observe(() => get('/audit', token));
    expect(answer.status).toBe(status);
    if (status === 404) expect(answer.body).toEqual(NOTHING_HERE);
    expect(records).toMatchObject([{ action: 'audit.read', decision: 'refuse', reason, subject: 'vera' }]);
  });

  it.each([
    'colour=red',
    'limit=0',
    'limit=201',
    'limit=5&limit=6',
    'since=yesterday',
    'since=2026-11-21T08:00:00',
    'kind=outcome',
    'user=',
    'user=a%00b',
    'tenant=globex',
  ])('refuses ?%s, and shows nothing', async (query) => {
    const answer = await get(`/audit?${query}`, await auditor());
    expect(answer).toMatchObject({ status: 400, body: { error: { reason: 'invalid' } } });
  });

  it.each(['/AUDIT', '/audit/', '/audit/a/b', '/audit/%2e%2e', '/audit//x'])(
    'shows nothing at %s',
    async (path) => {
      const { status, body } = await get(path, await auditor());
      expect(status).toBe(404);
      expect(JSON.stringify(body)).not.toContain('records');
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'PROPFIND'])('takes no %s', async (method) => {
    expect((await get('/audit', await auditor(), method)).status).toBe(405);
  });

  it('is not kept by anybody on the way', async () => {
    expect((await get('/audit', await auditor())).headers.get('cache-control')).toBe('no-store');
  });

  it('does not boot when nobody can hold a role, or the path is the endpoint', async () => {
    const start = (wrong: object) =>
      TestServer.start({ issuer, platform, sallyport: { roles, audit: { read: { ...read, ...wrong } } } });
    await expect(start({ role: 'agent:oditor' })).rejects.toThrow(/agent:oditor/);
    await expect(start({ operatorRole: 'agent:opperator' })).rejects.toThrow(/agent:opperator/);
    await expect(start({ path: '/mcp' })).rejects.toThrow(/audit\.read\.path/);
  });
});

describe('What cannot be recorded', () => {
  it('is not shown', async () => {
    const file = newDatabaseFile();
    const server = await TestServer.start({
      issuer,
      providers: [Tools],
      sallyport: { roles, audit: { read } },
      database: { type: 'better-sqlite3', database: file, autoLoadEntities: true },
    });
    const token = await issuer.token({ sub: 'priya', tenant: 'acme', scope: 'crm:read' });
    await server.send({ era: '2026-07-28', token, ...toolCall('quick') });
    const other = await new DataSource({ type: 'better-sqlite3', database: file }).initialize();
    await other.query(
      "CREATE TRIGGER full BEFORE INSERT ON sallyport_audit BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    const vera = { sub: 'vera', tenant: 'acme', roles: ['agent:auditor'], scope: 'audit:read' };
    const response = await fetch(`${server.origin}/audit`, {
      headers: { authorization: `Bearer ${await issuer.token(vera)}` },
    });
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('priya');
    await other.destroy();
    await server.close();
  });
});
