import { Injectable } from '@nestjs/common';
import { apiKeys, McpTool, oidc, passportIdentity, processPrincipal } from 'sallyport';
import { Strategy as CustomStrategy } from 'passport-custom';
import { TestIssuer } from './support/issuer.js';
import { ERAS, toolCall, type Era, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';
import { StdioClient } from './support/stdio.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'pay',
    description: 'Pays.',
    scopes: ['pay:write'],
    risk: 'write',
    freshness: { maxAge: 900 },
  })
  pay() {
    return this.#ran('pay');
  }

  @McpTool({
    name: 'sign',
    description: 'Signs.',
    role: 'agent:contributor',
    risk: 'write',
    freshness: { acr: ['phrh', 'phr'], maxAge: 3600 },
  })
  sign() {
    return this.#ran('sign');
  }

  @McpTool({ name: 'look', description: 'Looks.', scopes: ['pay:write'], risk: 'read' })
  look() {
    return this.#ran('look');
  }

  #ran(name: string): string {
    this.runs.note(name);
    return name;
  }
}

const METADATA = 'http://127.0.0.1/.well-known/oauth-protected-resource/mcp';
const DESCRIPTION = 'This operation needs a more recent or a stronger sign-in of its user.';

const now = () => Math.floor(Date.now() / 1000);

/** Minutes on either side of each limit, so that no busy machine can come between. */
const MINUTE = 60;

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(WAYS)('A fresh sign-in, on %s in %s:', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
  });
  afterAll(async () => server.close());

  async function callWith(claims: Json, name: string, scope = 'pay:write', roles = ['agent:contributor']) {
    const token = await issuer.token({ tenant: 'acme', scope, roles, claims });
    return server.observe(() => server.send({ era, token, ...toolCall(name) }));
  }

  it.each<[string, () => Json, string]>([
    ['a moment ago', () => ({ auth_time: now() }), 'pay'],
    ['ten minutes ago', () => ({ auth_time: now() - 10 * MINUTE }), 'pay'],
    ['strongly, half an hour ago', () => ({ auth_time: now() - 30 * MINUTE, acr: 'phr' }), 'sign'],
    ['at some time, where nobody asks', () => ({}), 'look'],
    ['at an unreadable time, where nobody asks', () => ({ auth_time: 'yesterday', acr: 7 }), 'look'],
  ])('runs for who signed in %s', async (_what, claims, name) => {
    const { answer, ran, records } = await callWith(claims(), name);
    expect({ status: answer.status, ran }).toEqual({ status: 200, ran: [name] });
    expect(records).toMatchObject([{ kind: 'attempt', decision: 'permit', outcome: 'completed' }]);
  });

  it.each<[string, () => Json]>([
    ['an hour ago', () => ({ auth_time: now() - 60 * MINUTE })],
    ['in the future', () => ({ auth_time: now() + 10 * MINUTE })],
    ['at a time nobody knows', () => ({})],
    ['at a time that is no number', () => ({ auth_time: String(now()) })],
    ['before time began', () => ({ auth_time: -1 })],
  ])('challenges who signed in %s', async (_what, claims) => {
    const { answer, ran, records } = await callWith(claims(), 'pay');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${METADATA}", scope="pay:write", error="insufficient_user_authentication", ` +
        `error_description="${DESCRIPTION}", max_age="900"`,
    );
    const data = {
      reason: 'insufficient_user_authentication',
      scopes: ['pay:write'],
      resource_metadata: METADATA,
      max_age: 900,
    };
    expect(answer.error).toMatchObject({ code: -32010, data });
    expect(ran).toEqual([]);
    expect(records).toMatchObject([
      { kind: 'refusal', decision: 'refuse', reason: 'insufficient_user_authentication', subject: 'alice' },
    ]);
    expect(records[0]?.checks).toContainEqual(expect.objectContaining({ name: 'freshness', passed: false }));
  });

  it.each<[string, () => Json]>([
    ['weakly', () => ({ auth_time: now(), acr: 'pwd' })],
    ['somehow', () => ({ auth_time: now() })],
    ['by a list of ways', () => ({ auth_time: now(), acr: ['phr'] })],
    ['strongly, but long ago', () => ({ auth_time: now() - 120 * MINUTE, acr: 'phr' })],
  ])('challenges who signed in %s, naming what is good enough', async (_what, claims) => {
    const { answer, ran } = await callWith(claims(), 'sign');
    expect({ status: answer.status, ran }).toEqual({ status: 401, ran: [] });
    expect(answer.headers['www-authenticate']).toContain('acr_values="phrh phr", max_age="3600"');
    expect(answer.error?.data).toMatchObject({ acr_values: ['phrh', 'phr'], max_age: 3600 });
  });

  it('is asked for with the scopes that are lacking, so that one new token is enough', async () => {
    const { answer, ran } = await callWith({}, 'pay', 'mail:read');
    expect({ status: answer.status, ran }).toEqual({ status: 401, ran: [] });
    expect(answer.error?.data).toMatchObject({ scopes: ['pay:write'], max_age: 900 });
    const again = await callWith({ auth_time: now() }, 'pay', 'mail:read');
    expect({ status: again.answer.status, ran: again.ran }).toEqual({ status: 403, ran: [] });
  });

  it('is not asked of who may not know of the entry', async () => {
    const { answer, ran } = await callWith({}, 'sign', 'pay:write', ['agent:read-only']);
    expect(answer.error?.data).toMatchObject({ reason: 'unknown' });
    expect(ran).toEqual([]);
  });

  it('is no reason to hide an entry from a list', async () => {
    const token = await issuer.token({ tenant: 'acme', scope: 'mail:read' });
    const answer = await server.send({ era, token, method: 'tools/list' });
    const tools = answer.result?.['tools'];
    expect(Array.isArray(tools) && tools.map(({ name }: Json) => name)).toEqual(['look', 'pay']);
  });
});

/** What a caller over stdio gets whose sign-in is not fresh enough to pay. */
const CHALLENGED = {
  code: -32010,
  data: {
    reason: 'insufficient_user_authentication',
    scopes: ['pay:write'],
    resource_metadata: METADATA,
    max_age: 900,
  },
};

describe.each(ERAS)('A fresh sign-in, over stdio in %s:', (era) => {
  it.each<[string, () => Json, string]>([
    ['a moment ago', () => ({ auth_time: now() }), 'pay'],
    ['strongly, half an hour ago', () => ({ auth_time: now() - 30 * MINUTE, acr: 'phr' }), 'sign'],
  ])('runs for who signed in %s', async (_what, claims, name) => {
    const { ran, answer } = await overStdio(era, claims(), name);
    expect({ ran, error: answer.error }).toEqual({ ran: [name], error: undefined });
  });

  it.each<[string, () => Json]>([
    ['an hour ago', () => ({ auth_time: now() - 60 * MINUTE })],
    ['at a time nobody knows', () => ({})],
  ])('challenges who signed in %s', async (_what, claims) => {
    const { ran, answer, records } = await overStdio(era, claims(), 'pay');
    expect(answer.error).toMatchObject(CHALLENGED);
    expect(ran).toEqual([]);
    expect(records).toMatchObject([
      { kind: 'refusal', via: 'stdio', reason: 'insufficient_user_authentication', subject: 'alice' },
    ]);
  });

  it('challenges who signed in weakly, naming what is good enough', async () => {
    const { ran, answer } = await overStdio(era, { auth_time: now(), acr: 'pwd' }, 'sign');
    expect(answer.error?.data).toMatchObject({ acr_values: ['phrh', 'phr'], max_age: 3600 });
    expect(ran).toEqual([]);
  });

  it('is what a local process never has', async () => {
    const scopes = ['pay:write'];
    const nightly = processPrincipal({ subject: 'nightly', tenant: 'acme', scopes });
    const client = await connect(era, { sallyport: { identity: [nightly] } });
    const look = await client.observe(() => client.request({ era, ...toolCall('look') }));
    const pay = await client.observe(() => client.request({ era, ...toolCall('pay') }));
    await client.close();
    expect({ look: look.ran, pay: pay.ran }).toEqual({ look: ['look'], pay: [] });
    expect(pay.answer.error).toMatchObject(CHALLENGED);
    expect(pay.records).toMatchObject([{ kind: 'refusal', via: 'stdio', subject: 'nightly' }]);
  });
});

async function connect(era: Era, options: Parameters<typeof StdioClient.start>[0]): Promise<StdioClient> {
  const client = await StdioClient.start({ providers: [Tools], ...options });
  if (era === '2025-11-25') await client.initialize();
  return client;
}

/** One call over stdio, by somebody whose token says this of the sign-in. */
async function overStdio(era: Era, claims: Json, name: string) {
  const roles = ['agent:contributor'];
  const token = await issuer.token({ tenant: 'acme', scope: 'pay:write', roles, claims });
  const client = await connect(era, { issuer, token });
  try {
    return await client.observe(() => client.request({ era, ...toolCall(name) }));
  } finally {
    await client.close();
  }
}

/** A strategy of the application, which says when and how its user signed in: `house-<seconds>-<acr>`. */
const houseStrategy = new CustomStrategy((request, done) => {
  const [, authenticatedAt, acr] = (request.headers.authorization ?? '').split('-');
  done(null, { authenticatedAt: Number(authenticatedAt), acr });
});

describe('What else a caller may have signed in with:', () => {
  let server: TestServer;

  beforeAll(async () => {
    const house = passportIdentity<{ authenticatedAt: number; acr: string }>({
      name: 'house',
      strategy: houseStrategy,
      accepts: ({ headers }) => String(headers['authorization']).startsWith('Bearer house-'),
      principal: ({ authenticatedAt, acr }) => ({
        issuer: 'house',
        subject: 'hanna',
        tenant: 'acme',
        roles: ['agent:contributor'],
        scopes: ['pay:write'],
        credential: { authenticatedAt, acr },
      }),
    });
    const identity = [
      oidc({ issuer: issuer.url }),
      house,
      apiKeys({ pepper: 'p'.repeat(32), manage: { role: 'agent:admin' } }),
    ];
    server = await TestServer.start({ providers: [Tools], sallyport: { identity } });
  });
  afterAll(async () => server.close());

  it('a strategy of the application says when and how', async () => {
    const fresh = await server.observe(() =>
      server.send({ token: `house-${now()}-phr`, ...toolCall('sign') }),
    );
    expect(fresh.ran).toEqual(['sign']);
    const old = await server.observe(() =>
      server.send({ token: `house-${now() - 120 * MINUTE}-phr`, ...toolCall('sign') }),
    );
    expect({ status: old.answer.status, ran: old.ran }).toEqual({ status: 401, ran: [] });
  });

  it('an API key never signed in', async () => {
    const token = await issuer.token({
      tenant: 'acme',
      roles: ['agent:admin'],
      scope: 'keys:manage pay:write',
    });
    const body = JSON.stringify({ name: 'nightly', scopes: ['pay:write'], expiresInDays: 1 });
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
    const issued = await fetch(`${server.origin}/keys`, { method: 'POST', headers, body });
    const { key } = (await issued.json()) as { key: string };
    const looked = await server.observe(() => server.send({ token: key, ...toolCall('look') }));
    expect(looked.ran).toEqual(['look']);
    const { answer, ran } = await server.observe(() => server.send({ token: key, ...toolCall('pay') }));
    expect({ status: answer.status, ran }).toEqual({ status: 401, ran: [] });
    expect(answer.error?.data).toMatchObject({ reason: 'insufficient_user_authentication', max_age: 900 });
  });
});

it.each([
  [{}, /freshness that cannot be read: write freshness: \{ maxAge: 900 \}/],
  [{ maxAge: 0 }, /freshness that cannot be read/],
  [{ acr: ['a"b'] }, /freshness that cannot be read/],
])('A freshness of %j stops the boot', async (freshness, message) => {
  @Injectable()
  class Unreadable {
    @McpTool({ name: 'x', description: 'X.', scopes: ['a'], risk: 'read', freshness })
    x(): string {
      return 'x';
    }
  }
  await expect(TestServer.start({ issuer, providers: [Unreadable] })).rejects.toThrow(message);
});
