import { once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { RevocationService, type RevocationTarget } from '@sallyport/policy';
import { CurrentCall, McpTool, Signal, type RunningCall } from 'sallyport';
import { DataSource } from 'typeorm';
import { Deferred } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { newDatabaseFile, PLATFORMS, Runs, TestServer, WAYS } from './support/server.js';

@Injectable()
class Tools {
  started = new Deferred();
  release = new Deferred();

  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'quick', description: 'Answers.', scopes: ['crm:read'], risk: 'read' })
  quick() {
    this.runs.note('quick');
    return 'the answer';
  }

  @McpTool({ name: 'other', description: 'Answers, too.', scopes: ['crm:read'], risk: 'read' })
  other() {
    return 'another answer';
  }

  @McpTool({ name: 'obedient', description: 'Stops when told.', scopes: ['crm:read'], risk: 'read' })
  async obedient(@Signal() signal: AbortSignal) {
    this.started.resolve();
    await once(signal, 'abort');
    throw signal.reason;
  }

  @McpTool({ name: 'talkative', description: 'Reports when let go.', scopes: ['crm:read'], risk: 'read' })
  async talkative(@CurrentCall() { reportProgress }: RunningCall) {
    this.started.resolve();
    await this.release.promise;
    await reportProgress({ progress: 1, message: 'said too late' });
    return 'done';
  }

  @McpTool({ name: 'stubborn', description: 'Finishes anyway.', scopes: ['crm:read'], risk: 'write' })
  async stubborn() {
    this.started.resolve();
    await this.release.promise;
    return 'a secret result';
  }
}

const BY_TEST = { by: 'test', via: 'cli', address: undefined, actor: undefined } as const;

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(WAYS)('A revocation, on %s in %s', (platform, era) => {
  let server: TestServer;
  let token: string;
  let service: RevocationService;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
    service = server.app.get(RevocationService, { strict: false });
    token = await issuer.token({
      sub: 'priya',
      tenant: 'acme',
      scope: 'crm:read',
      client: 'agent-7',
      claims: { jti: 'j-1' },
    });
  });
  afterAll(async () => server.close());

  const call = (name: string) => server.send({ era, token, ...toolCall(name) });

  it.each<[RevocationTarget]>([
    [{ kind: 'token', value: 'j-1' }],
    [{ kind: 'user', value: 'priya' }],
    [{ kind: 'client', value: 'agent-7' }],
    [{ kind: 'tenant', value: 'acme' }],
  ])('of %j is in force with the next call, and lifted with the next call', async (target) => {
    await service.revoke(target, BY_TEST);
    const { answer, records, ran } = await server.observe(() => call('quick'));
    expect(answer).toMatchObject({ status: 401, error: { data: { reason: 'invalid_token' } } });
    expect(ran).toEqual([]);
    expect(records).toMatchObject([{ kind: 'refusal', entry: 'quick', reason: 'revoked', subject: 'priya' }]);
    expect((await server.send({ era, token, method: 'tools/list' })).status).toBe(401);

    await service.restore(target, BY_TEST);
    expect((await call('quick')).status).toBe(200);
  });

  it('of an entry makes it unknown to everybody, in calls and lists alike', async () => {
    await service.revoke({ kind: 'entry', value: 'quick' }, BY_TEST);
    const { answer, ran } = await server.observe(() => call('quick'));
    const unknown = await call('no_such_tool');
    expect(answer.error).toEqual(unknown.error);
    expect(answer.status).toBe(unknown.status);
    expect(ran).toEqual([]);
    const listed = JSON.stringify((await server.send({ era, token, method: 'tools/list' })).result);
    expect(listed).not.toContain('"quick"');
    expect(listed).toContain('"other"');
    await service.restore({ kind: 'entry', value: 'quick' }, BY_TEST);
  });

  it.each(['obedient', 'stubborn'])(
    'ends a running call: the result of one that is %s never leaves',
    async (name) => {
      const tools = server.app.get(Tools);
      tools.started = new Deferred();
      tools.release = new Deferred();
      const running = call(name);
      await tools.started.promise;
      await service.revoke({ kind: 'user', value: 'priya' }, BY_TEST);
      tools.release.resolve();
      const answer = await running;
      expect(JSON.stringify(answer)).not.toContain('a secret result');
      expect(answer.error).toMatchObject({ data: { reason: 'invalid_token' } });
      await service.restore({ kind: 'user', value: 'priya' }, BY_TEST);
      const attempt = (await server.records()).findLast(
        ({ entry, kind }) => entry === name && kind === 'attempt',
      );
      expect(attempt?.outcome).toBe('aborted');
    },
  );

  it('is recorded with who, what and why', async () => {
    const { records } = await server.observe(async () => {
      await service.revoke({ kind: 'client', value: 'x' }, { ...BY_TEST, reason: 'leaked' });
      await service.restore({ kind: 'client', value: 'x' }, BY_TEST);
    });
    expect(records).toMatchObject([
      {
        kind: 'administration',
        action: 'revocation.added',
        target: 'client x',
        details: { by: 'test', why: 'leaked' },
      },
      { kind: 'administration', action: 'revocation.lifted', target: 'client x' },
    ]);
  });
});

describe('Revocations of several processes', () => {
  it('are in force in the other one with its next call', async () => {
    const database = { type: 'better-sqlite3', database: newDatabaseFile(), autoLoadEntities: true } as const;
    const [one, two] = [
      await TestServer.start({ issuer, providers: [Tools], database }),
      await TestServer.start({ issuer, providers: [Tools], database }),
    ];
    const token = await issuer.token({ sub: 'priya', tenant: 'acme', scope: 'crm:read' });
    const call = () => two.send({ era: '2026-07-28', token, ...toolCall('quick') });
    expect((await call()).status).toBe(200);
    await one.app.get(RevocationService, { strict: false }).revoke({ kind: 'user', value: 'priya' }, BY_TEST);
    expect((await call()).status).toBe(401);
    await one.close();
    await two.close();
  });

  it('refuse with 503 when they cannot be looked up, and nothing runs; the next call works again', async () => {
    const file = newDatabaseFile();
    const server = await TestServer.start({
      issuer,
      providers: [Tools],
      database: { type: 'better-sqlite3', database: file, autoLoadEntities: true },
    });
    const token = await issuer.token({ sub: 'priya', tenant: 'acme', scope: 'crm:read' });
    const call = () => server.send({ era: '2026-07-28', token, ...toolCall('quick') });
    const other = await new DataSource({ type: 'better-sqlite3', database: file }).initialize();
    await other.query('ALTER TABLE sallyport_revocation RENAME TO elsewhere');
    const { answer, ran } = await server.observe(call);
    expect(answer.status).toBe(503);
    expect(ran).toEqual([]);
    await other.query('ALTER TABLE elsewhere RENAME TO sallyport_revocation');
    expect((await call()).status).toBe(200);
    await other.destroy();
    await server.close();
  });
});

describe.each(PLATFORMS)('Revoking over HTTP, on %s', (platform) => {
  let server: TestServer;
  const manage = { role: 'agent:admin' } as const;
  const sallyport = { revocations: { manage } };

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools], sallyport });
  });
  afterAll(async () => server.close());

  const admin = (claims: Parameters<TestIssuer['token']>[0] = {}) =>
    issuer.token({
      sub: 'marco',
      tenant: 'acme',
      roles: ['agent:admin'],
      scope: 'revocations:manage',
      ...claims,
    });

  async function post(path: string, token: string | undefined, body: unknown) {
    const response = await fetch(`${server.origin}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  }

  const callAs = async (claims: Parameters<TestIssuer['token']>[0]) =>
    (await server.send({ token: await issuer.token({ scope: 'crm:read', ...claims }), ...toolCall('quick') }))
      .status;

  it('revokes, lists and lifts for an administrator, and says who did it', async () => {
    const token = await admin();
    const target = { kind: 'user', value: 'priya' };
    expect((await post('/revocations', token, { ...target, reason: 'lost laptop' })).status).toBe(200);
    expect(await callAs({ sub: 'priya', tenant: 'acme' })).toBe(401);
    const listed = await post('/revocations/list', token, {});
    expect(listed.body).toMatchObject({
      revocations: [{ ...target, tenant: 'acme', by: 'marco', reason: 'lost laptop' }],
    });
    expect((await post('/revocations/lift', token, target)).status).toBe(200);
    expect(await callAs({ sub: 'priya', tenant: 'acme' })).toBe(200);
    const changes = (await server.records()).filter(({ action }) => action?.startsWith('revocation.'));
    expect(changes).toMatchObject([
      { subject: 'marco', action: 'revocation.added' },
      { action: 'revocation.lifted' },
    ]);
  });

  it.each([
    { kind: 'user', value: 'gus' },
    { kind: 'tenant', value: 'globex' },
    { kind: 'client', value: 'agent-9' },
    { kind: 'entry', value: 'quick' },
  ])('reaches nobody of another tenant: %j', async (target) => {
    const token = await admin();
    expect((await post('/revocations', token, target)).status).toBe(200);
    expect(await callAs({ sub: 'gus', tenant: 'globex', client: 'agent-9' })).toBe(200);
    expect((await post('/revocations/lift', token, target)).status).toBe(200);
  });

  it('shows an administrator nothing of another tenant', async () => {
    await post('/revocations', await admin({ tenant: 'globex' }), { kind: 'user', value: 'x' });
    expect((await post('/revocations/list', await admin(), {})).body).toEqual({ revocations: [] });
    await post('/revocations/lift', await admin({ tenant: 'globex' }), { kind: 'user', value: 'x' });
  });

  it.each<[string, number, Parameters<TestIssuer['token']>[0] | undefined]>([
    ['nobody', 401, undefined],
    ['an expired administrator', 401, { lives: -600 }],
    ['a contributor', 404, { roles: ['agent:contributor'] }],
    ['an administrator without the consent', 403, { scope: 'crm:read' }],
    ['a program', 404, { sub: 'agent-1', client: 'agent-1' }],
    ['somebody who acts for an administrator', 404, { claims: { act: { sub: 'helper' } } }],
  ])('changes nothing for %s', async (_, status, claims) => {
    const token = claims === undefined ? undefined : await admin(claims);
    const answer = await post('/revocations', token, { kind: 'user', value: 'priya' });
    expect(answer.status).toBe(status);
    if (status !== 404) expect(answer.headers.get('www-authenticate')).toContain('resource_metadata');
    expect(await callAs({ sub: 'priya', tenant: 'acme' })).toBe(200);
  });

  it.each<[unknown]>([
    [{ kind: 'dog', value: 'x' }],
    [{ kind: 'user' }],
    [{ kind: 'user', value: '' }],
    [{ kind: 'user', value: 'x', tenant: 'globex' }],
    [{ kind: 'user', value: 'marco' }],
    [{ kind: 'tenant', value: 'acme' }],
    [{ kind: 'user', value: 'x\u0000' }],
    [[]],
  ])('answers %j with 400, and changes nothing', async (body) => {
    const answer = await post('/revocations', await admin(), body);
    expect(answer).toMatchObject({ status: 400, body: { error: { reason: 'invalid' } } });
  });

  it('does not boot when nobody can hold the role', async () => {
    const wrong = { revocations: { manage: { role: 'agent:amdin' } } };
    await expect(TestServer.start({ issuer, platform, sallyport: wrong })).rejects.toThrow(/agent:amdin/);
  });
});
