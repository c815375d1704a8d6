import { once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuditStore } from '@sallyport/audit';
import { RevocationService } from '@sallyport/policy';
import { Args, McpTool, Signal, type AuditCall } from 'sallyport';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Deferred, eventually } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import { RESOURCE, toolCall } from './support/messages.js';
import { applicationModule, newDatabaseFile, Runs, TestServer, WAYS } from './support/server.js';

@Injectable()
class Tools {
  started = new Deferred();

  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'note',
    description: 'Notes.',
    input: z.object({
      id: z.string(),
      count: z.number().default(0),
      isUrgent: z.boolean().default(false),
      tags: z.array(z.string()).default([]),
    }),
    scopes: ['crm:read'],
    role: 'agent:read-only',
    risk: 'write',
    auditFields: ['id'],
  })
  note(@Args('id') id: string) {
    this.runs.note('note');
    return `noted ${id}`;
  }

  @McpTool({ name: 'wait', description: 'Waits.', scopes: ['crm:read'], risk: 'read' })
  async wait(@Signal() signal: AbortSignal) {
    this.started.resolve();
    await once(signal, 'abort');
    throw signal.reason;
  }
}

const SECRET = 'a secret of the operator, long enough';
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const OTHER_TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const CALLER = { tenant: 'acme', scope: 'crm:read crm:write', roles: ['agent:contributor'] };

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

function start(options: { file?: string; roles?: Record<string, string[]> } = {}) {
  const { file = newDatabaseFile(), roles } = options;
  return TestServer.start({
    issuer,
    providers: [Tools],
    database: { type: 'better-sqlite3', database: file, autoLoadEntities: true },
    sallyport: { audit: { secret: SECRET }, drainSeconds: 0, ...(roles === undefined ? {} : { roles }) },
  });
}

describe.each(WAYS)('A record, on %s in %s,', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({
      issuer,
      platform,
      providers: [Tools],
      sallyport: { audit: { secret: SECRET } },
    });
  });
  afterAll(async () => server.close());

  it('says who called what, on whose behalf, how it was decided and how it ended', async () => {
    const token = await issuer.token({
      ...CALLER,
      claims: { jti: 'jti-77', act: { sub: 'the-assistant' } },
    });
    const headers = { traceparent: TRACE };
    const params = { ...toolCall('note', { id: 'r-1', count: 3 }), headers };
    const { records, ran } = await server.observe(() => server.send({ era, token, ...params }));
    expect(ran).toEqual(['note']);
    expect(records).toEqual([
      expect.objectContaining({
        kind: 'attempt',
        via: 'http',
        protocol: era,
        server: 'test-server',
        resource: RESOURCE,
        address: '127.0.0.1',
        principalKind: 'user',
        issuer: issuer.url,
        subject: 'alice',
        client: 'agent-1',
        tenant: 'acme',
        actors: [expect.objectContaining({ subject: 'the-assistant' })],
        credentialKind: 'jwt',
        credential: 'jti-77',
        scopesGranted: ['crm:read', 'crm:write'],
        scopesRequired: ['crm:read'],
        roles: ['agent:contributor'],
        method: 'tools/call',
        entryKind: 'tool',
        entry: 'note',
        entryDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
        risk: 'write',
        decision: 'permit',
        reason: null,
        checks: expect.arrayContaining([expect.objectContaining({ name: 'scopes', passed: true })]),
        policyVersion: expect.stringMatching(/^[0-9a-f]{64}$/),
        argumentsDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
        fields: { id: 'r-1' },
        outcome: 'completed',
        cause: null,
        approval: null,
        durationMs: expect.any(Number),
        resultBytes: expect.any(Number),
        personal: 'shown',
      }),
    ]);
    const [record] = records;
    expect(record?.call).toMatch(/^[0-9a-f-]{36}$/);
    expect(record?.traceparent).toBe(TRACE);
    expect(Object.keys(record?.argumentHashes as object)).toEqual(['count', 'isUrgent', 'tags']);
  });

  it.each([
    ['of the message wins over the header', OTHER_TRACE, TRACE, OTHER_TRACE],
    ['is no trace in the message: the header counts', 'nonsense', TRACE, TRACE],
    ['of zeros is none', undefined, `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, null],
    ['of a version that there is not is none', undefined, TRACE.replace(/^00/, 'ff'), null],
    ['in capitals is none', undefined, TRACE.toUpperCase(), null],
  ])('a trace that %s', async (_, inMessage, inHeader, recorded) => {
    const token = await issuer.token(CALLER);
    const { method, params } = toolCall('note', { id: 'r-1', count: 3 });
    const meta = inMessage === undefined ? {} : { _meta: { traceparent: inMessage } };
    const message = { method, params: { ...params, ...meta }, headers: { traceparent: inHeader } };
    const { records } = await server.observe(() => server.send({ era, token, ...message }));
    expect(records[0]).toMatchObject({ entry: 'note', traceparent: recorded });
  });

  it('holds the same hash for the same value of the same person, and another for anybody else', async () => {
    const hashesOf = async (sub: string, tenant: string, count: number) => {
      const token = await issuer.token({ ...CALLER, sub, tenant });
      const { records } = await server.observe(() =>
        server.send({ era, token, ...toolCall('note', { id: 'x', count }) }),
      );
      const { argumentHashes, argumentsDigest } = records[0] as AuditCall;
      return { count: (argumentHashes as Record<string, string>)['count'], argumentsDigest };
    };
    const one = await hashesOf('alice', 'acme', 7);
    expect(await hashesOf('alice', 'acme', 7)).toEqual(one);
    for (const other of [
      await hashesOf('alice', 'acme', 8),
      await hashesOf('alice', 'globex', 7),
      await hashesOf('bob', 'acme', 7),
    ]) {
      expect(other.count).not.toBe(one.count);
      expect(other.argumentsDigest).not.toBe(one.argumentsDigest);
    }
  });

  it('names nobody in any column of its row', async () => {
    const token = await issuer.token({ ...CALLER, sub: 'canary-sub', claims: { jti: 'canary-jti' } });
    await server.send({ era, token, ...toolCall('note', { id: 'canary-field' }) });
    const { dataSource } = server.app.get(AuditStore);
    const rows = await dataSource.query('SELECT * FROM sallyport_audit');
    const keys = await dataSource.query('SELECT * FROM sallyport_audit_key');
    expect(JSON.stringify([rows, keys])).not.toMatch(/canary|127\.0\.0\.1"/);
    expect(await server.audit.list({ subject: 'canary-sub', limit: 5 })).toMatchObject([
      { subject: 'canary-sub', credential: 'canary-jti', fields: { id: 'canary-field' } },
    ]);
  });
});

describe('An outcome says what ended the call:', () => {
  it.each([
    ['client', async (_: TestServer, leave: AbortController) => leave.abort()],
    [
      'revoked',
      async ({ app }: TestServer) =>
        app
          .get(RevocationService)
          .revoke(
            { kind: 'user', value: 'alice' },
            { by: 'test', via: 'cli', address: undefined, actor: undefined },
          ),
    ],
    ['shutdown', async (server: TestServer) => server.close()],
  ] as const)('%s', async (cause, end) => {
    const file = newDatabaseFile();
    const server = await start({ file });
    const leave = new AbortController();
    const token = await issuer.token(CALLER);
    // A client that has left is answered nothing.
    const answered = server.send({ token, ...toolCall('wait'), signal: leave.signal }).catch(() => undefined);
    await server.app.get(Tools).started.promise;
    await end(server, leave);
    await answered;
    if (cause !== 'shutdown') {
      await eventually(
        () => server.audit.list({ kind: 'attempt', limit: 1 }),
        ([call]) => call?.outcome !== 'ambiguous',
      );
      await server.close();
    }
    const again = await start({ file });
    expect(await again.audit.list({ kind: 'attempt', limit: 1 })).toMatchObject([
      { outcome: 'aborted', cause },
    ]);
    await again.close();
  });
});

describe('The audit of a server', () => {
  const actions = async (server: TestServer) =>
    (await server.records()).filter(({ kind }) => kind === 'administration');

  it('begins with its start, and ends with its stop, by the process itself', async () => {
    const file = newDatabaseFile();
    const first = await start({ file });
    await first.send({ token: await issuer.token(CALLER), ...toolCall('note', { id: '1' }) });
    await first.close();
    const second = await start({ file });
    const records = await second.records();
    await second.close();
    expect(records.map(({ action, entry }) => action ?? entry)).toEqual([
      'server.started',
      'note',
      'server.stopped',
      'server.started',
    ]);
    expect(records[0]).toMatchObject({
      via: 'http',
      target: 'test-server',
      principalKind: 'process',
      issuer: 'sallyport:server',
      details: {
        pid: String(process.pid),
        node: process.version,
        version: '1.0.0',
        policy: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
  });

  it('says that the policy is another than at the last start, once', async () => {
    const file = newDatabaseFile();
    const roles = { 'agent:read-only': [], 'agent:new': [] };
    for (const settings of [{}, {}, { roles }, { roles }]) await (await start({ file, ...settings })).close();
    const server = await start({ file, roles });
    const changes = (await actions(server)).filter(({ action }) => action !== 'server.stopped');
    await server.close();
    expect(changes.map(({ action }) => action)).toEqual([
      'server.started',
      'server.started',
      'policy.changed',
      'server.started',
      'server.started',
      'server.started',
    ]);
    const [, before, changed, after] = changes;
    const policyOf = (details: unknown) => (details as Record<string, string>)['policy'];
    expect(changed).toMatchObject({
      target: policyOf(after?.details),
      details: { before: policyOf(before?.details) },
    });
  });

  it('says nothing of an application that is only opened, as by the command line', async () => {
    const file = newDatabaseFile();
    await (await start({ file })).close();
    const module = applicationModule({
      issuer,
      providers: [Tools],
      database: { type: 'better-sqlite3', database: file, autoLoadEntities: true },
      sallyport: { audit: { secret: SECRET } },
    });
    const context = await NestFactory.createApplicationContext(module, { logger: false });
    const rows = await context.get(AuditStore).dataSource.query('SELECT action FROM sallyport_audit');
    await context.close();
    expect(rows).toEqual([{ action: 'server.started' }, { action: 'server.stopped' }]);
  });

  it('must hold the start: a server that cannot record it does not listen', async () => {
    const file = newDatabaseFile();
    await (await start({ file })).close();
    const owner = await new DataSource({ type: 'better-sqlite3', database: file }).initialize();
    await owner.query(
      "CREATE TRIGGER no_more BEFORE INSERT ON sallyport_audit BEGIN SELECT RAISE(ABORT, 'no more'); END",
    );
    await owner.destroy();
    await expect(start({ file })).rejects.toMatchObject({ name: 'AuditUnavailableError', reason: 'store' });
  });

  it('warns once, saying what to write, when there is no secret', async () => {
    const server = await TestServer.start({ issuer, providers: [Tools] });
    const warnings = server.logs.lines.filter((line) => line.includes('audit: { secret:'));
    await server.close();
    expect(warnings).toHaveLength(1);
    const guarded = await start();
    expect(guarded.logs.lines.join('\n')).not.toContain('audit: { secret:');
    await guarded.close();
  });

  it.each([
    ['a short secret', { secret: 'short' }, /audit\.secret .* at least 32 characters/],
    ['an unknown mode', { privileges: 'loose' as 'warn' }, /audit\.privileges must be/],
  ])('does not boot with %s', async (_, audit, sentence) => {
    await expect(TestServer.start({ issuer, providers: [Tools], sallyport: { audit } })).rejects.toThrow(
      sentence,
    );
  });
});
