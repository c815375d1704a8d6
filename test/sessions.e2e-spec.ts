import { once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { RevocationService } from '@sallyport/policy';
import {
  CurrentCall,
  EntryRegistry,
  McpResource,
  McpTool,
  ResourceUpdates,
  type RunningCall,
  type SallyportOptions,
} from 'sallyport';
import { legacyClient, modernClient } from './support/clients.js';
import { EventStream } from './support/event-stream.js';
import { Deferred, eventually } from './support/eventually.js';
import { TestIssuer, type TokenRequest } from './support/issuer.js';
import { answerOf, comparable, headersOf, toolCall, type Answer, type Json } from './support/messages.js';
import { openSocket, rawRequest } from './support/raw-http.js';
import { PLATFORMS, Runs, TestServer } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' })
  open() {
    this.runs.note('open');
    return 'opened';
  }

  @McpTool({ name: 'wait', description: 'Waits.', scopes: ['crm:read'], risk: 'read' })
  async wait(@CurrentCall() { signal, call }: RunningCall) {
    const release = new Deferred();
    waiting.push(release);
    signal.addEventListener('abort', () => release.resolve(), { once: true });
    await release.promise;
    this.runs.note(signal.aborted ? 'aborted' : 'waited');
    return `waited for ${call.principal?.credential.id}`;
  }

  @McpTool({ name: 'reign', description: 'Reigns.', role: 'agent:admin', risk: 'read' })
  reign() {
    this.runs.note('reign');
    return 'reigned';
  }

  @McpResource({ name: 'page', uri: 'crm://{id}', description: 'A page.', scopes: ['crm:read'] })
  page() {
    this.runs.note('page');
    return 'a page';
  }

  @McpResource({ name: 'board', uri: 'board://minutes', description: 'Minutes.', role: 'agent:admin' })
  board() {
    this.runs.note('board');
    return 'minutes';
  }
}

/** What ends the calls of `wait`, in their order. */
let waiting: Deferred[] = [];

const era = '2025-11-25';
const BY_TEST = { by: 'test', via: 'cli', address: undefined, actor: undefined } as const;
const ALICE: TokenRequest = { sub: 'alice', tenant: 'acme', scope: 'crm:read', roles: ['agent:read-only'] };
const HELLO = {
  method: 'initialize',
  params: { protocolVersion: era, capabilities: {}, clientInfo: { name: 'a-test', version: '1.0.0' } },
};

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token(ALICE);
});

afterAll(() => issuer.stop());

describe.each(PLATFORMS)('sessions of 2025 clients on %s', (platform) => {
  let server: TestServer;
  const streams: EventStream[] = [];

  const start = async (sessions: SallyportOptions['sessions'] = {}) => {
    waiting = [];
    server = await TestServer.start({ issuer, platform, providers: [Tools], sallyport: { sessions } });
  };
  const hello = async (as: string | undefined = token): Promise<string> => {
    const answer = await server.send({ era, token: as, ...HELLO });
    expect(answer.status).toBe(200);
    return answer.headers['mcp-session-id'] ?? 'none';
  };
  const within = (
    id: string,
    request: { method: string; params?: Json; id?: string; signal?: AbortSignal },
    as: string | undefined = token,
  ) => server.send({ era, token: as, ...request, headers: { 'Mcp-Session-Id': id } });
  const untilWaiting = (count: number) =>
    eventually(
      async () => waiting.length,
      (calls) => calls === count,
    );
  const credentials = (id: string, as: string | undefined = token) => ({
    ...(as === '' ? {} : { Authorization: `Bearer ${as}` }),
    'Mcp-Session-Id': id,
    'MCP-Protocol-Version': era,
  });
  const streamOf = async (id: string, as: string | undefined = token) => {
    const stream = await EventStream.get(server.url, credentials(id, as));
    streams.push(stream);
    return stream;
  };
  const end = async (id: string, as: string | undefined = token): Promise<Answer> =>
    answerOf(await fetch(server.url, { method: 'DELETE', headers: credentials(id, as) }));
  const subscribe = (id: string, uri: string) =>
    within(id, { method: 'resources/subscribe', params: { uri } });

  afterEach(async () => {
    for (const stream of streams.splice(0)) await stream.leave();
    await server.close();
  });

  it('are opened by an initialize, under an id nobody can guess', async () => {
    await start();
    const ids = [await hello(), await hello()];
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(new Set(ids).size).toBe(2);
  });

  it('decide, record and run each call as without a session', async () => {
    await start();
    const id = await hello();
    const { answer, records, ran } = await server.observe(() => within(id, toolCall('open')));
    expect(answer.result?.['content']).toMatchObject([{ text: 'opened' }]);
    expect(ran).toEqual(['open']);
    expect(records).toMatchObject([{ entry: 'open', outcome: 'completed', subject: 'alice' }]);
    const refused = await server.observe(() => within(id, toolCall('reign')));
    expect(refused.answer.error?.code).toBe(-32602);
    expect(refused.ran).toEqual([]);
    expect((await within(id, { method: 'tools/list' })).result?.['tools']).toMatchObject([
      { name: 'open' },
      { name: 'wait' },
    ]);
  });

  it('are no identity: without a credential, or with one that is not good, they open nothing', async () => {
    await start();
    const id = await hello();
    const expired = await issuer.token({ ...ALICE, lives: -60 });
    for (const as of ['', expired]) {
      const { answer, ran } = await server.observe(() =>
        server.send({
          era,
          ...toolCall('open'),
          headers: { 'Mcp-Session-Id': id, ...(as === '' ? {} : { Authorization: `Bearer ${as}` }) },
        }),
      );
      expect(answer.status).toBe(401);
      expect(ran).toEqual([]);
      const stream = await fetch(server.url, {
        headers: { ...credentials(id, as), Accept: 'text/event-stream' },
      });
      expect(stream.status).toBe(401);
    }
  });

  it.each([
    ['another subject', { sub: 'mallory' }],
    ['another client', { client: 'agent-2' }],
    ['another tenant', { tenant: 'globex' }],
    ['no tenant', { tenant: undefined }],
  ] as const)('are unknown to %s, in every method, and it is recorded', async (_, other) => {
    await start();
    const id = await hello();
    const stranger = await issuer.token({ ...ALICE, ...other });
    const ways: ((session: string) => Promise<Answer>)[] = [
      (session) => within(session, toolCall('open'), stranger),
      (session) => end(session, stranger),
      async (session) =>
        answerOf(
          await fetch(server.url, {
            headers: { ...credentials(session, stranger), Accept: 'text/event-stream' },
          }),
        ),
    ];
    for (const way of ways) {
      const foreign = await server.observe(() => way(id));
      const unknown = await server.observe(() => way('x'.repeat(43)));
      expect(foreign.answer.status).toBe(404);
      expect(comparable(foreign.answer)).toEqual(comparable(unknown.answer));
      expect(foreign.ran).toEqual([]);
      expect(foreign.records).toMatchObject([{ kind: 'authentication', reason: 'session_of_another' }]);
      expect(unknown.records).toMatchObject([{ kind: 'authentication', reason: 'unknown_session' }]);
    }
    expect((await within(id, toolCall('open'))).result).toBeDefined();
  });

  it('go on with a new token of the same principal', async () => {
    await start();
    const id = await hello();
    expect((await within(id, toolCall('open'), await issuer.token(ALICE))).result).toBeDefined();
  });

  it('have one stream, which tells of what was subscribed to and may be read', async () => {
    await start();
    const id = await hello();
    const stream = await streamOf(id);
    expect(stream.status).toBe(200);
    const second = await streamOf(id);
    expect(second.status).toBe(409);
    expect((await subscribe(id, 'crm://1')).result).toEqual({});
    const [hidden, unknown] = [await subscribe(id, 'board://minutes'), await subscribe(id, 'no://such')];
    expect(hidden.error).toEqual(unknown.error);
    const updates = server.app.get(ResourceUpdates);
    await updates.changed('board://minutes');
    await updates.changed('crm://2');
    await updates.changed('crm://1');
    expect(await stream.next()).toMatchObject({
      method: 'notifications/resources/updated',
      params: { uri: 'crm://1' },
    });
    await within(id, { method: 'resources/unsubscribe', params: { uri: 'crm://1' } });
    await updates.changed('crm://1');
    await server.app
      .get(EntryRegistry)
      .register(
        { kind: 'tool', options: { name: 'new', description: 'N.', scopes: ['crm:read'], risk: 'read' } },
        () => 'new',
      );
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
    const attempts = (await server.records()).filter(
      (record) => record.kind === 'attempt' && record.method === 'resources/subscribe',
    );
    expect(attempts).toMatchObject([{ entry: 'page', outcome: 'completed' }]);
    expect(server.runs.names).toEqual([]);
  });

  it('keep their subscriptions and streams apart', async () => {
    await start();
    const bea = await issuer.token({ ...ALICE, sub: 'bea' });
    const [one, two] = [await hello(), await hello(bea)];
    const [first, second] = [await streamOf(one), await streamOf(two, bea)];
    await subscribe(one, 'crm://1');
    await server.app.get(ResourceUpdates).changed('crm://1');
    expect(await first.next()).toMatchObject({ params: { uri: 'crm://1' } });
    await server.app
      .get(EntryRegistry)
      .register(
        { kind: 'tool', options: { name: 'new', description: 'N.', scopes: ['crm:read'], risk: 'read' } },
        () => 'new',
      );
    expect(await second.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
  });

  it('end with DELETE', async () => {
    await start();
    const id = await hello();
    const stream = await streamOf(id);
    await subscribe(id, 'crm://1');
    expect((await end(id)).status).toBe(200);
    await stream.ended;
    expect((await within(id, toolCall('open'))).status).toBe(404);
    expect((await end(id)).status).toBe(404);
  });

  it('end when the principal is revoked', async () => {
    await start();
    const id = await hello();
    const stream = await streamOf(id);
    await server.app
      .get(RevocationService, { strict: false })
      .revoke({ kind: 'user', value: 'alice' }, BY_TEST);
    await stream.ended;
    expect((await within(id, toolCall('open'))).status).toBe(401);
  });

  it.each(['last', 'stream'])(
    'end when a token is revoked that came after the hello (of the %s request)',
    async (which) => {
      await start();
      const id = await hello();
      const [newer, newest] = [await issuer.token(ALICE), await issuer.token(ALICE)];
      const stream = await streamOf(id, which === 'stream' ? newer : newest);
      expect((await within(id, toolCall('open'), newest)).status).toBe(200);
      const revoked = which === 'stream' ? newer : newest;
      const { jti } = JSON.parse(Buffer.from(revoked.split('.')[1] ?? '', 'base64url').toString()) as Json;
      const service = server.app.get(RevocationService, { strict: false });
      await service.revoke({ kind: 'token', value: String(jti) }, BY_TEST);
      await stream.ended;
      expect((await within(id, toolCall('open'))).status).toBe(404);
    },
  );

  it('give each answer to the request that asked for it: an id under way is refused to another', async () => {
    await start();
    const id = await hello();
    const weak = await issuer.token({ ...ALICE, scope: 'other' });
    const first = within(id, { ...toolCall('wait'), id: 'one' });
    await untilWaiting(1);
    const { answer, ran } = await server.observe(() => within(id, { ...toolCall('open'), id: 'one' }));
    expect([answer.status, answer.error?.code]).toEqual([400, -32600]);
    expect(ran).toEqual([]);
    expect((await within(id, { method: 'tools/list', id: 'one' }, weak)).status).toBe(400);
    waiting[0]?.resolve();
    expect((await first).result?.['content']).toMatchObject([{ text: expect.stringContaining('waited') }]);
    expect((await within(id, { ...toolCall('open'), id: 'one' })).status).toBe(200);
    const records = (await server.records()).filter(
      ({ entry, kind }) => entry === 'open' && kind === 'attempt',
    );
    expect(records.map(({ outcome }) => outcome)).toEqual(['not_run', 'completed']);
  });

  it('keep the id of a request whose client has left until its call has ended', async () => {
    await start();
    const id = await hello();
    const leaving = new AbortController();
    const left = within(id, { ...toolCall('wait'), id: 'one', signal: leaving.signal });
    await untilWaiting(1);
    leaving.abort();
    await expect(left).rejects.toThrow('abort');
    const weak = await issuer.token({ ...ALICE, scope: 'other' });
    const again = () => within(id, { method: 'tools/list', id: 'one' }, weak);
    expect((await again()).status).toBe(400);
    waiting[0]?.resolve();
    const free = await eventually(again, ({ status }) => status === 200);
    expect(free.result?.['tools']).toBeDefined();
  });

  it('end the answer of a request that is cancelled, and forget it', async () => {
    await start();
    const id = await hello();
    const cancelled = within(id, { ...toolCall('wait'), id: 'one' });
    await untilWaiting(1);
    const headers = headersOf({ era, method: 'notifications/cancelled', token });
    const params = { requestId: 'one' };
    const sent = await fetch(server.url, {
      method: 'POST',
      headers: { ...headers, 'Mcp-Session-Id': id },
      body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }),
    });
    expect(sent.status).toBe(202);
    expect((await cancelled).messages).toEqual([]);
    await eventually(
      async () =>
        (await server.records()).filter(({ entry }) => entry === 'wait').map(({ outcome }) => outcome),
      ([outcome]) => outcome === 'aborted',
    );
    expect((await within(id, { ...toolCall('open'), id: 'one' })).status).toBe(200);
  });

  it('end the stream of a client that does not read it', async () => {
    await start();
    const id = await hello();
    const socket = await openSocket(server.port);
    const headers = Object.entries({ Host: '127.0.0.1', Accept: 'text/event-stream', ...credentials(id) });
    socket.write(rawRequest('GET /mcp HTTP/1.1', headers));
    await once(socket, 'data');
    socket.pause();
    const uris = Array.from({ length: 100 }, (_, index) => `crm://${index}${'x'.repeat(8000)}`);
    for (const uri of uris) await subscribe(id, uri);
    // More than the buffers of a connection hold: the rest would wait in the memory of the server.
    const updates = server.app.get(ResourceUpdates);
    for (let round = 0; round < 30; round += 1) await Promise.all(uris.map((uri) => updates.changed(uri)));
    const again = await eventually(
      () => streamOf(id),
      ({ status }) => status === 200,
    );
    await updates.changed(uris[0]!);
    expect(await again.next()).toMatchObject({ params: { uri: uris[0] } });
    socket.destroy();
  }, 60_000);

  it('end when the token expires and no other came', async () => {
    await start();
    const short = await issuer.token({ ...ALICE, lives: 3 });
    const id = await hello(short);
    const stream = await streamOf(id, short);
    await stream.ended;
    expect((await within(id, toolCall('open'))).status).toBe(404);
  });

  it('end when nobody uses them, and an open stream is a use', async () => {
    await start({ idleSeconds: 1 });
    const [idle, used] = [await hello(), await hello()];
    const stream = await streamOf(used);
    await eventually(
      async () => (await within(idle, toolCall('open'))).status,
      (status) => status === 200 || status === 404,
    );
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect((await within(idle, toolCall('open'))).status).toBe(404);
    expect((await within(used, toolCall('open'))).status).toBe(200);
    expect(stream.status).toBe(200);
  });

  it('are bounded: the one longest unused makes room for one more of its principal', async () => {
    await start({ maxPerPrincipal: 2 });
    const ids = [await hello(), await hello()];
    await within(ids[0]!, toolCall('open'));
    const other = await hello(await issuer.token({ ...ALICE, sub: 'bea' }));
    ids.push(await hello());
    const statuses = await Promise.all(ids.map(async (id) => (await within(id, toolCall('open'))).status));
    expect(statuses).toEqual([200, 404, 200]);
    expect(other).not.toBe('none');
  });

  it('are bounded when many say hello at once, too', async () => {
    await start({ maxPerPrincipal: 10 });
    const ids = [];
    for (let count = 0; count < 10; count += 1) {
      ids.push(await hello());
      await subscribe(ids.at(-1) ?? '', 'crm://1');
    }
    ids.push(...(await Promise.all(Array.from({ length: 20 }, () => hello()))));
    const statuses = await Promise.all(ids.map(async (id) => (await within(id, { method: 'ping' })).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
  });

  it('are bounded in all: beyond, a client is served without one', async () => {
    await start({ max: 1 });
    await hello();
    expect(await hello(await issuer.token({ ...ALICE, sub: 'bea' }))).toBe('none');
  });

  it('come with the limits of arrival for GET and DELETE, too', async () => {
    await start();
    const id = await hello();
    const headers = { ...credentials(id), Accept: 'text/event-stream', Origin: 'https://evil.example' };
    for (const method of ['GET', 'DELETE']) {
      expect((await fetch(server.url, { method, headers })).status).toBe(403);
    }
    for (const method of ['PUT', 'PATCH', 'HEAD']) {
      expect((await fetch(server.url, { method, headers: credentials(id) })).status).toBe(405);
    }
    const { 'Mcp-Session-Id': _id, ...others } = credentials(id);
    expect((await fetch(server.url, { headers: { ...others, Accept: 'text/event-stream' } })).status).toBe(
      400,
    );
    expect((await within(id, toolCall('open'))).status).toBe(200);
  });

  it('take no message of 2026-07-28, which has no sessions', async () => {
    await start();
    const id = await hello();
    const answer = await server.send({ token, ...toolCall('open'), headers: { 'Mcp-Session-Id': id } });
    expect(answer.result?.['resultType']).toBe('complete');
    const strange = await server.send({
      token,
      ...toolCall('open'),
      headers: { 'Mcp-Session-Id': 'no-such' },
    });
    expect(strange.result?.['resultType']).toBe('complete');
  });

  it('are not offered to be resumed', async () => {
    await start();
    const id = await hello();
    const stream = await EventStream.get(server.url, { ...credentials(id), 'Last-Event-ID': '1' });
    streams.push(stream);
    expect(stream.status).toBe(200);
    expect(stream.messages).toEqual([]);
  });

  it('are what the official client of 2025 gets, beside the one of 2026-07-28', async () => {
    await start();
    const legacy = await legacyClient(server.url, token);
    const modern = await modernClient(server.url, token);
    expect(legacy.getServerCapabilities()).toMatchObject({
      resources: { subscribe: true, listChanged: true },
    });
    for (const client of [legacy, modern]) {
      expect((await client.callTool({ name: 'open' })).content).toMatchObject([{ text: 'opened' }]);
      await client.close();
    }
  });

  it('are not there unless they are asked for', async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
    expect(await hello()).toBe('none');
    expect((await fetch(server.url, { headers: credentials('x') })).status).toBe(405);
    expect((await end('x')).status).toBe(405);
    expect((await within('x', toolCall('open'))).status).toBe(200);
  });

  it('are ended by a server that stops, streams and all', async () => {
    await start();
    const stream = await streamOf(await hello());
    await server.app.close();
    await stream.ended;
    await start();
  });
});

it.each([
  [{ sessions: { maxPerPrincipal: 0 } }, 'sessions.maxPerPrincipal'],
  [{ sessions: { most: 1 } }, 'sessions.most'],
  [{ sessions: true }, 'sessions is no set'],
  [{ subscriptions: { max: -1 } }, 'subscriptions.max'],
  [{ subscriptions: true }, 'subscriptions is no set'],
])('refuses to boot with %j', async (sallyport, sentence) => {
  await expect(TestServer.start({ issuer, sallyport: sallyport as never })).rejects.toThrow(sentence);
  expect(headersOf({ method: 'ping' })).toBeDefined();
});
