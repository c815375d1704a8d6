import { once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { ApiKeyUses, IDENTITY_STORE } from '@sallyport/identity';
import type { Store } from '@sallyport/store';
import {
  apiKeys,
  Caller,
  McpTool,
  Signal,
  oidc,
  type ApiKeysOptions,
  type AuditCall,
  type Principal,
} from 'sallyport';
import type { Logger } from 'typeorm';
import { Deferred } from './support/eventually.js';
import { breakAudit } from './support/broken-audit.js';
import { TestIssuer, type TokenRequest } from './support/issuer.js';
import { toolCall, type Answer, type Json } from './support/messages.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';
import {
  newDatabaseFile,
  PLATFORMS,
  Runs,
  TestServer,
  type Platform,
  type TestServerOptions,
} from './support/server.js';

@Injectable()
class Tools {
  started = new Deferred();

  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'read',
    description: 'Reads.',
    scopes: ['crm:read'],
    role: 'agent:read-only',
    risk: 'read',
  })
  read(@Caller() caller: Principal) {
    this.runs.note('read');
    const { kind, issuer, subject, client, tenant, scopes, roles, credential } = caller;
    return { kind, issuer, subject, client, tenant, scopes, roles, credential };
  }

  @McpTool({
    name: 'write',
    description: 'Writes.',
    scopes: ['crm:write'],
    role: 'agent:contributor',
    risk: 'write',
  })
  write() {
    this.runs.note('write');
    return 'written';
  }

  @McpTool({ name: 'long', description: 'Takes long.', scopes: ['crm:read'], risk: 'read' })
  async long(@Signal() signal: AbortSignal) {
    this.started.resolve();
    await once(signal, 'abort');
    this.runs.note('aborted');
    return 'the secret result';
  }
}

const PEPPER = 'a-pepper-for-tests-that-is-long-enough';
const DAY_MS = 86_400_000;

let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

/** Marco: an administrator of acme, signed in by himself, who consented to managing keys. */
function adminToken(changes: TokenRequest = {}): Promise<string> {
  return issuer.token({
    sub: 'marco',
    tenant: 'acme',
    roles: ['agent:admin'],
    scope: 'keys:manage crm:write',
    ...changes,
  });
}

/** A server whose clock can be put forward. */
class Office {
  now = Date.now();
  server!: TestServer;

  static async open(
    platform: Platform = 'Fastify',
    options: Partial<ApiKeysOptions> = {},
    server: Partial<TestServerOptions> = {},
  ): Promise<Office> {
    const office = new Office();
    const keys = apiKeys({
      pepper: PEPPER,
      manage: { role: 'agent:admin' },
      clock: () => office.now,
      ...options,
    });
    office.server = await TestServer.start({
      platform,
      providers: [Tools],
      ...server,
      sallyport: {
        identity: [oidc({ issuer: issuer.url }), keys],
        scopes: { 'crm:write': ['crm:read'] },
        ...server.sallyport,
      },
    });
    return office;
  }

  async post(
    path: string,
    body: unknown,
    token?: string,
    headers: Record<string, string> = {},
  ): Promise<Posted> {
    const response = await fetch(`${this.server.origin}${path}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: {
        'Content-Type': 'application/json',
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
    const text = await response.text();
    const parsed = (text === '' ? {} : JSON.parse(text)) as Json;
    return { status: response.status, headers: Object.fromEntries(response.headers), text, body: parsed };
  }

  async issue(changes: Json = {}, token?: string): Promise<Issued> {
    const body = {
      name: 'nightly export',
      scopes: ['crm:read'],
      roles: ['agent:read-only'],
      expiresInDays: 30,
    };
    const answer = await this.post('/keys', { ...body, ...changes }, token ?? (await adminToken()));
    expect(answer).toMatchObject({ status: 201 });
    return answer.body as unknown as Issued;
  }

  async list(token?: string): Promise<Json[]> {
    const answer = await this.post('/keys/list', {}, token ?? (await adminToken()));
    return answer.body['keys'] as Json[];
  }

  call(token: string, tool = 'read', headers: Record<string, string> = {}): Promise<Answer> {
    return this.server.send({ token, ...toolCall(tool), headers });
  }

  /** The rows themselves, whoever may see them. */
  rows(): Promise<Json[]> {
    return this.store.query<Json>('SELECT * FROM sallyport_api_key ORDER BY issued_at, id', []);
  }

  get store(): Store {
    return this.server.app.get<Store>(IDENTITY_STORE);
  }

  /** Counts the statements that are run on the keys from now on. */
  watchStatements(): string[] {
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
    this.store.dataSource.setOptions({ logger });
    return statements;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

interface Posted {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
  readonly body: Json;
}

interface Issued {
  readonly key: string;
  readonly id: string;
  readonly series: string;
  readonly expiresAt: string;
}

function expectRefused(answer: Answer): void {
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
}

function failures(records: readonly AuditCall[]): (string | null)[] {
  return records.filter(({ kind }) => kind === 'authentication').map(({ reason }) => reason);
}

describe.each(PLATFORMS)('API keys, on %s', (platform) => {
  let office: Office;
  beforeAll(async () => {
    office = await Office.open(platform);
  });
  afterAll(() => office.close());

  it('let a program call with what the key was given, as a principal of its own', async () => {
    const { key, id, series } = await office.issue();
    const { answer, records, ran } = await office.server.observe(() => office.call(key));
    expect(answer.result?.['structuredContent'] ?? answer.text).toBeDefined();
    expect(answer.text).toContain('sallyport:api-keys');
    expect(ran).toEqual(['read']);
    expect(records).toMatchObject([
      {
        kind: 'attempt',
        principalKind: 'api-key',
        issuer: 'sallyport:api-keys',
        subject: series,
        client: 'nightly export',
        tenant: 'acme',
        credentialKind: 'api-key',
        credential: id,
        scopesGranted: ['crm:read'],
        roles: ['agent:read-only'],
        outcome: 'completed',
      },
    ]);
  });

  it('let it do no more than that', async () => {
    const { key } = await office.issue();
    const { answer, ran } = await office.server.observe(() => office.call(key, 'write'));
    expect(answer.error).toMatchObject({ code: -32602 });
    const reader = await office.issue({ roles: ['agent:contributor'] });
    const second = await office.server.observe(() => office.call(reader.key, 'write'));
    expect(second.answer.status).toBe(403);
    expect([...ran, ...second.ran]).toEqual([]);
  });

  it('end when they expire', async () => {
    const { key } = await office.issue({ expiresInDays: 1 });
    office.now += DAY_MS - 1000;
    expect((await office.call(key)).status).toBe(200);
    office.now += 1000;
    const { answer, records, ran } = await office.server.observe(() => office.call(key));
    expectRefused(answer);
    expect(failures(records)).toEqual(['expired']);
    expect(ran).toEqual([]);
  });

  it('end with the next call when they are revoked', async () => {
    const { key, id } = await office.issue();
    expect((await office.call(key)).status).toBe(200);
    const revoked = await office.post('/keys/revoke', { id }, await adminToken());
    expect(revoked).toMatchObject({ status: 200, body: { id, state: 'revoked', stillWorking: [] } });
    const { answer, records, ran } = await office.server.observe(() => office.call(key));
    expectRefused(answer);
    expect(failures(records)).toEqual(['revoked']);
    expect(ran).toEqual([]);
  });

  it('end what still runs with them when they are revoked', async () => {
    const { key, id } = await office.issue();
    const { answer, records, ran } = await office.server.observe(async () => {
      const running = office.call(key, 'long');
      await office.server.app.get(Tools).started.promise;
      await office.post('/keys/revoke', { id }, await adminToken());
      return running;
    });
    expect(ran).toEqual(['aborted']);
    expect(answer.text).not.toContain('the secret result');
    expect(records[0]).toMatchObject({ kind: 'attempt', credential: id, outcome: 'aborted' });
  });

  it('are rotated with an overlap, in which both work and are the same principal', async () => {
    const old = await office.issue();
    const rotated = await office.post(
      '/keys/rotate',
      { id: old.id, overlapSeconds: 3600 },
      await adminToken(),
    );
    expect(rotated).toMatchObject({ status: 201, body: { series: old.series, state: 'active' } });
    const next = String(rotated.body['key']);
    expect(next).not.toBe(old.key);
    const { records } = await office.server.observe(async () => {
      expect((await office.call(old.key)).status).toBe(200);
      expect((await office.call(next)).status).toBe(200);
    });
    expect(new Set(records.map(({ subject }) => subject))).toEqual(new Set([old.series]));
    expect(records.map(({ credential }) => credential)).toEqual([old.id, rotated.body['id']]);
    office.now += 3_600_000;
    expectRefused(await office.call(old.key));
    expect((await office.call(next)).status).toBe(200);
    const revoked = await office.post('/keys/revoke', { id: rotated.body['id'] }, await adminToken());
    expect(revoked.status).toBe(200);
    expectRefused(await office.call(next));
  });

  it('are rotated once: the second time finds that it was done', async () => {
    const { id } = await office.issue();
    const token = await adminToken();
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => office.post('/keys/rotate', { id }, token)),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
    const working = (await office.list()).filter((key) => key['series'] === id && key['state'] === 'active');
    expect(working).toHaveLength(1);
  });

  it('work from their addresses only', async () => {
    const here = await office.issue({ ranges: ['127.0.0.0/8'] });
    const elsewhere = await office.issue({ ranges: ['192.0.2.0/24', '2001:db8::/32'] });
    expect((await office.call(here.key)).status).toBe(200);
    const { answer, records, ran } = await office.server.observe(() =>
      office.call(elsewhere.key, 'read', { 'X-Forwarded-For': '192.0.2.7' }),
    );
    expectRefused(answer);
    expect(failures(records)).toEqual(['address']);
    expect(ran).toEqual([]);
  });

  it('tell when they were last used, and for what', async () => {
    const { key, id } = await office.issue();
    expect((await office.list()).find((each) => each['id'] === id)).toMatchObject({ lastUsed: null });
    await office.call(key);
    const listed = (await office.list()).find((each) => each['id'] === id);
    expect(listed).toMatchObject({
      name: 'nightly export',
      lastUsed: { entry: 'read', at: expect.any(String) },
    });
    expect(JSON.stringify(listed)).not.toContain(key);
  });

  it('are looked up by one query, and those that cannot be keys by none', async () => {
    const { key } = await office.issue();
    const statements = office.watchStatements();
    await office.call(key);
    expect(statements).toHaveLength(1);
    statements.length = 0;
    const last = key.at(-1) === 'A' ? 'B' : 'A';
    const broken = [
      key.slice(0, -1) + last,
      key.slice(0, -1),
      `${key}A`,
      key.replace('sp_live_', 'sp_test_'),
      key.replace('sp_live_', 'sp_LIVE_'),
      `sp_live_${'A'.repeat(16)}_${'A'.repeat(49)}`,
      'sp_',
      'sp_live_..',
    ];
    const { answer, records, ran } = await office.server.observe(async () => {
      const answers = [];
      for (const text of broken) answers.push(await office.call(text));
      return answers;
    });
    answer.forEach(expectRefused);
    expect(failures(records)).toEqual(broken.map(() => 'malformed'));
    expect(statements).toEqual([]);
    expect(ran).toEqual([]);
  });

  it('of another server belong to nobody here', async () => {
    const elsewhere = await Office.open(platform);
    const foreign = await elsewhere.issue();
    await elsewhere.close();
    const { answer, records, ran } = await office.server.observe(() => office.call(foreign.key));
    expectRefused(answer);
    expect(failures(records)).toEqual(['no_such_key']);
    expect(ran).toEqual([]);
  });

  it('leave no trace of their secret anywhere but in the answer that issued them', async () => {
    const { key, id } = await office.issue();
    await office.call(key);
    await office.call(key, 'write');
    const rotated = await office.post('/keys/rotate', { id }, await adminToken());
    await office.post('/keys/revoke', { id }, await adminToken());
    await office.call(key);
    const secrets = [key, String(rotated.body['key'])].map((text) => text.split('_')[3] ?? '');
    const everything = JSON.stringify([
      office.server.logs.lines,
      await office.server.records(),
      await office.rows(),
      await office.list(),
    ]);
    for (const secret of secrets) {
      expect(secret).toHaveLength(49);
      expect(everything).not.toContain(secret);
      expect(everything).not.toContain(secret.slice(0, 12));
    }
    expect(everything).not.toContain(PEPPER);
  });
});

describe('Who manages keys', () => {
  let office: Office;
  let existing: Issued;
  beforeAll(async () => {
    office = await Office.open();
    existing = await office.issue();
  });
  afterAll(() => office.close());

  const body = { name: 'another', scopes: ['crm:read'], roles: ['agent:read-only'], expiresInDays: 1 };
  const requests = (): readonly (readonly [string, unknown])[] => [
    ['/keys', body],
    ['/keys/list', {}],
    ['/keys/rotate', { id: existing.id }],
    ['/keys/revoke', { id: existing.id }],
  ];

  it.each<[string, number, string | undefined, () => Promise<string | undefined>]>([
    ['nobody in particular', 401, undefined, () => Promise.resolve(undefined)],
    ['an API key, whatever its role and scope', 404, 'kind', () => mighty()],
    ['a program of an administrator', 404, 'kind', () => adminToken({ claims: { sub: 'agent-1' } })],
    [
      'an agent on behalf of an administrator',
      404,
      'delegated',
      () => adminToken({ claims: { act: { sub: 'agent-1' } } }),
    ],
    ['a person without the role', 404, 'role', () => adminToken({ roles: ['agent:contributor'] })],
    [
      'an administrator who did not consent',
      403,
      'insufficient_scope',
      () => adminToken({ scope: 'crm:write' }),
    ],
    ['an administrator of yesterday', 401, 'expired', () => adminToken({ lives: -600 })],
  ])('is not %s', async (_who, status, reason, credential) => {
    const token = await credential();
    const before = JSON.stringify(await office.rows());
    for (const [path, request] of requests()) {
      const { answer, records } = await office.server.observe(() => office.post(path, request, token));
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.text).not.toContain(existing.id);
      if (status === 401 || status === 403) {
        expect(answer.headers['www-authenticate']).toContain('resource_metadata=');
      }
      expect(records.map((record) => record.reason)).toEqual([reason ?? 'no_credential']);
    }
    expect(JSON.stringify(await office.rows())).toBe(before);
  });

  async function mighty(): Promise<string> {
    const { key } = await office.issue({ roles: ['agent:admin'], scopes: ['keys:manage', 'crm:write'] });
    return key;
  }

  it('is told of a scope that is missing by its name', async () => {
    const answer = await office.post('/keys/list', {}, await adminToken({ scope: 'crm:write' }));
    expect(answer.headers['www-authenticate']).toContain('scope="keys:manage"');
    expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"');
  });

  it('sees and touches the keys of the own tenant only', async () => {
    const globex = await adminToken({ sub: 'gus', tenant: 'globex' });
    expect(await office.list(globex)).toEqual([]);
    for (const path of ['/keys/rotate', '/keys/revoke']) {
      const { answer, records } = await office.server.observe(() =>
        office.post(path, { id: existing.id }, globex),
      );
      const missing = await office.post(path, { id: 'A'.repeat(16) }, globex);
      expect(answer.status).toBe(404);
      expect(answer.text).toBe(missing.text);
      expect(records).toMatchObject([
        { kind: 'administration', decision: 'refuse', reason: 'unknown', subject: 'gus' },
      ]);
    }
    expect((await office.call(existing.key)).status).toBe(200);
  });

  it.each<[string, Json, TokenRequest]>([
    ['a scope', { scopes: ['crm:read', 'email:read'] }, {}],
    ['a role', { roles: ['agent:owner'] }, {}],
    ['a tenant', { tenant: 'globex' }, {}],
    ['no tenant at all', { tenant: null }, {}],
  ])('issues no key that reaches further than the issuer, by %s', async (_what, changes, token) => {
    const { answer, records } = await office.server.observe(async () =>
      office.post('/keys', { ...body, ...changes }, await adminToken(token)),
    );
    expect(answer).toMatchObject({ status: 403, body: { error: { reason: 'too_wide' } } });
    expect(records).toMatchObject([{ kind: 'administration', action: 'key.issued', decision: 'refuse' }]);
    expect((await office.rows()).filter(({ name }) => name === 'another')).toEqual([]);
  });

  it('may pass on what a scope or a role includes', async () => {
    await office.issue({ scopes: ['crm:read'], roles: ['agent:contributor'] }, await adminToken());
  });

  it('rotates no key that reaches further than they do: its new secret would be theirs', async () => {
    const { id } = await office.issue({ scopes: ['crm:write'] });
    const weaker = await adminToken({ sub: 'nina', scope: 'keys:manage crm:read' });
    const answer = await office.post('/keys/rotate', { id }, weaker);
    expect(answer).toMatchObject({ status: 403, body: { error: { reason: 'too_wide' } } });
    expect((await office.list()).filter((key) => key['series'] === id)).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ['no end', { expiresInDays: undefined }],
    ['an end too far', { expiresInDays: 366 }],
    ['an end in the past', { expiresInDays: 0 }],
    ['half a day', { expiresInDays: 0.5 }],
    ['no name', { name: '' }],
    ['a name that is no text', { name: 'a\u202eb' }],
    ['a scope that is none', { scopes: ['crm:read "x"'] }],
    ['a range that is none', { ranges: ['192.0.2.0/33'] }],
    ['a range that names a host', { ranges: ['localhost'] }],
    ['members that nobody knows', { hash: 'x' }],
  ])('issues no key with %s', async (_what, changes) => {
    const answer = await office.post('/keys', { ...body, ...(changes as Json) }, await adminToken());
    expect(answer).toMatchObject({ status: 400, body: { error: { reason: 'invalid' } } });
    expect((await office.rows()).filter(({ name }) => name === 'another')).toEqual([]);
  });

  it.each<[string, number, string, Record<string, string>]>([
    ['a body that says something twice', 400, '{"id":"a","id":"b"}', {}],
    ['a body that is no JSON', 400, 'id=a', {}],
    ['a form of a page', 415, 'id=a', { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['a page of another origin', 403, '{}', { Origin: 'https://evil.example' }],
    ['a body without an end', 413, `"${'x'.repeat(70_000)}"`, {}],
  ])('is not asked by %s', async (_what, status, text, headers) => {
    const answer = await office.post('/keys/revoke', text, await adminToken(), headers);
    expect(answer.status).toBe(status);
  });

  it.each(['/keys/', '/KEYS', '/keys//list', '/keys/list/'])('is not found at %s', async (path) => {
    expect((await office.post(path, body, await adminToken())).status).toBe(404);
  });

  it('leaves a record of who changed what', async () => {
    const { records } = await office.server.observe(async () => {
      const { id } = await office.issue({ ranges: ['127.0.0.1'] });
      const rotated = await office.post('/keys/rotate', { id }, await adminToken());
      await office.post('/keys/revoke', { id: rotated.body['id'] }, await adminToken());
    });
    expect(
      records.map(({ kind, action, decision, subject, via, address }) => [
        kind,
        action,
        decision,
        subject,
        via,
        address,
      ]),
    ).toEqual([
      ['administration', 'key.issued', 'permit', 'marco', 'http', '127.0.0.1'],
      ['administration', 'key.rotated', 'permit', 'marco', 'http', '127.0.0.1'],
      ['administration', 'key.revoked', 'permit', 'marco', 'http', '127.0.0.1'],
      ['administration', 'revocation.added', 'permit', 'marco', 'http', '127.0.0.1'],
    ]);
    expect(records[0]?.details).toMatchObject({
      name: 'nightly export',
      scopes: 'crm:read',
      ranges: '127.0.0.1',
    });
    expect(records[1]?.details).toMatchObject({ replacement: records[2]?.target });
  });
});

describe('A key that was found where it should not be', () => {
  let office: Office;
  beforeEach(async () => {
    office = await Office.open();
  });
  afterEach(() => office.close());

  it('is revoked by whoever has it, and nobody is told that it was one', async () => {
    const { key, id } = await office.issue();
    const unknown = key.slice(0, -7) + 'x';
    const { answer, records } = await office.server.observe(async () => [
      await office.post('/keys/report', { key }),
      await office.post('/keys/report', { key }),
      await office.post('/keys/report', { key: unknown }),
      await office.post('/keys/report', { key: 'hello' }),
      await office.post('/keys/report', { something: 'else' }),
    ]);
    expect(new Set(answer.map(({ status, text }) => `${status} ${text}`))).toEqual(
      new Set(['202 {"received":true}']),
    );
    expect(records).toMatchObject([
      { kind: 'administration', action: 'key.reported', target: id, subject: null, address: '127.0.0.1' },
      { kind: 'administration', action: 'revocation.added', target: `key ${id}`, subject: null },
    ]);
    expectRefused(await office.call(key));
  });

  it('is reported so often, and no more', async () => {
    const answers = [];
    for (let turn = 0; turn < 12; turn += 1) answers.push(await office.post('/keys/report', { key: 'x' }));
    expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 10 }, () => 202), 429, 429]);
    expect(Number(answers.at(-1)?.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('When keys cannot be recorded or reached', () => {
  let office: Office;
  beforeEach(async () => {
    office = await Office.open('Fastify', {}, { sallyport: { audit: { timeoutMs: 500 } } });
  });
  afterEach(() => office.close());

  it('changes nothing while the audit is away', async () => {
    const { key, id } = await office.issue();
    const before = JSON.stringify(await office.rows());
    const repair = await breakAudit(office.server, 'its table is gone');
    const answers = [
      await office.post('/keys', { name: 'x', expiresInDays: 1 }, await adminToken()),
      await office.post('/keys/rotate', { id }, await adminToken()),
      await office.post('/keys/revoke', { id }, await adminToken()),
      await office.post('/keys/report', { key }),
    ];
    await repair();
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    for (const { text, headers } of answers) {
      expect(text).not.toMatch(/sp_live|sqlite|sallyport_/i);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(JSON.stringify(await office.rows())).toBe(before);
    expect((await office.call(key)).status).toBe(200);
  });

  it('refuses every key with 503 while the keys are away, and records a change that was not made', async () => {
    const { key, id } = await office.issue();
    const admin = await adminToken();
    await office.store.query('ALTER TABLE sallyport_api_key RENAME TO away', []);
    const { answer, records, ran } = await office.server.observe(async () => ({
      call: await office.call(key),
      revoke: await office.post('/keys/revoke', { id }, admin),
      issue: await office.post('/keys', { name: 'x', expiresInDays: 1 }, admin),
    }));
    await office.store.query('ALTER TABLE away RENAME TO sallyport_api_key', []);
    expect([answer.call.status, answer.revoke.status, answer.issue.status]).toEqual([503, 503, 503]);
    expect(ran).toEqual([]);
    expect(records.map(({ kind, action, reason }) => [kind, action, reason])).toEqual([
      ['authentication', null, 'source_unavailable'],
      ['administration', 'key.issued', null],
      ['administration', 'key.issued', 'unavailable'],
    ]);
    expect((await office.call(key)).status).toBe(200);
  });

  it('lets no call fail because its use could not be noted', async () => {
    const { key } = await office.issue();
    await office.store.query('PRAGMA query_only = ON', []);
    expect((await office.call(key)).status).toBe(200);
    await office.server.app.get(ApiKeyUses).write();
    expect((await office.call(key)).status).toBe(200);
    await office.store.query('PRAGMA query_only = OFF', []);
  });
});

describe('A server with API keys', () => {
  it.each<[string, Partial<ApiKeysOptions>, string]>([
    ['no pepper', { pepper: undefined }, 'openssl rand -base64 32'],
    ['a short pepper', { pepper: 'short' }, 'shorter than 32'],
    [
      'one version twice',
      {
        pepper: [
          { version: '1', secret: PEPPER },
          { version: '1', secret: PEPPER },
        ],
      },
      'version',
    ],
    ['a manager whom no role makes one', { manage: { role: 'agent:owner' } }, 'agent:owner'],
    ['the path of the endpoint', { manage: { role: 'agent:admin', path: '/mcp' } }, 'manage.path'],
    ['an environment of blanks', { environment: 'to live' }, 'environment'],
    ['an endless life', { longestLifeDays: Infinity }, 'longestLifeDays'],
  ])('does not boot with %s', async (_what, options, says) => {
    await expect(Office.open('Fastify', options)).rejects.toThrow(says);
  });

  it('has no endpoints where nobody manages keys', async () => {
    const office = await Office.open('Fastify', { manage: undefined });
    expect((await office.post('/keys/list', {}, await adminToken())).status).toBe(404);
    await office.close();
  });

  it('takes keys of an earlier pepper while it is configured, and not after', async () => {
    const old = { version: '1', secret: PEPPER };
    const next = { version: '2', secret: `${PEPPER}-2` };
    const database = { type: 'better-sqlite3', database: newDatabaseFile() } as const;
    const first = await Office.open('Fastify', { pepper: [old] }, { database });
    const { key } = await first.issue();
    await first.close();
    const second = await Office.open('Fastify', { pepper: [next, old] }, { database });
    expect((await second.call(key)).status).toBe(200);
    const { key: newer } = await second.issue();
    await second.close();
    const third = await Office.open('Fastify', { pepper: [next] }, { database });
    expectRefused(await third.call(key));
    expect((await third.call(newer)).status).toBe(200);
    await third.close();
  });

  it('takes a key as X-API-Key where that is switched on, and never two credentials at once', async () => {
    const office = await Office.open('Fastify', { acceptHeader: true });
    const { key } = await office.issue();
    const { key: other } = await office.issue();
    const send = (headers: Record<string, string>) => office.server.send({ ...toolCall('read'), headers });
    expect((await send({ 'X-API-Key': key })).status).toBe(200);
    expectRefused(await send({ 'X-API-Key': key, Authorization: `Bearer ${other}` }));
    expectRefused(await send({ 'X-API-Key': `${key}, ${other}` }));
    await office.close();
    const strict = await Office.open();
    const issued = await strict.issue();
    const answer = await strict.server.send({ ...toolCall('read'), headers: { 'X-API-Key': issued.key } });
    expect(answer.status).toBe(401);
    await strict.close();
  });
});

describe('API keys in PostgreSQL', () => {
  let postgres: RunningPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  it('hold for every process on the same database, from the next call on', async () => {
    const database = await postgres.createDatabase('keys');
    const one = await Office.open('Fastify', {}, { database });
    const two = await Office.open('Express', {}, { database });
    const { key, id } = await one.issue();
    expect((await two.call(key)).status).toBe(200);
    await one.post('/keys/revoke', { id }, await adminToken());
    expectRefused(await two.call(key));
    await one.close();
    await two.close();
  });
});
