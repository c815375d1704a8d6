import { Injectable } from '@nestjs/common';
import { currentCall, Gate } from '@sallyport/mcp';
import { RevocationService } from '@sallyport/policy';
import {
  EntryRegistry,
  McpPrompt,
  McpResource,
  McpTool,
  ResourceUpdates,
  RoleDirectory,
  type PolicyRule,
  type Principal,
  type SallyportOptions,
} from 'sallyport';
import { loseTable } from './support/broken-audit.js';
import { modernClient } from './support/clients.js';
import { EventStream } from './support/event-stream.js';
import { Deferred, eventually } from './support/eventually.js';
import { TestIssuer, type TokenRequest } from './support/issuer.js';
import { bodyOf, toolCall, type Json } from './support/messages.js';
import { exchangeRaw, rawMessage } from './support/raw-http.js';
import { PLATFORMS, Runs, TestServer } from './support/server.js';
import { StdioClient } from './support/stdio.js';

@Injectable()
class Pages {
  constructor(private readonly runs: Runs) {}

  @McpResource({ name: 'page', uri: 'crm://{id}', description: 'A page.', scopes: ['crm:read'] })
  page() {
    this.runs.note('page');
    return 'a page';
  }

  @McpResource({
    name: 'ledger',
    uri: 'ledger://{tenant}/all',
    description: 'Ledger.',
    scopes: ['crm:read'],
    tenancy: { argument: 'tenant' },
  })
  ledger() {
    this.runs.note('ledger');
    return 'a ledger';
  }

  @McpResource({ name: 'board', uri: 'board://minutes', description: 'Minutes.', role: 'agent:admin' })
  board() {
    this.runs.note('board');
    return 'minutes';
  }

  @McpResource({ name: 'wage', uri: 'wages://all', description: 'Wages.', scopes: ['wages:read'] })
  wages() {
    this.runs.note('wages');
    return 'wages';
  }

  @McpResource({ name: 'news', uri: 'news://today', description: 'News.', public: true })
  news() {
    this.runs.note('news');
    return 'news';
  }

  @McpTool({ name: 'act', description: 'Acts.', scopes: ['crm:read'], risk: 'read' })
  act() {
    return 'acted';
  }

  @McpPrompt({ name: 'ask', description: 'Asks.', scopes: ['crm:read'] })
  ask() {
    return 'asked';
  }
}

/** Who holds which role, by subject; without an entry it is what nobody holds. */
@Injectable()
class Roles extends RoleDirectory {
  readonly held = new Map<string, string[]>();
  tenants: Tenants[] = [];

  async rolesOf({ subject, tenant }: Principal) {
    this.tenants.push([tenant, currentCall()?.principal?.tenant]);
    return this.held.get(subject) ?? [];
  }
}

/** Of whom it was asked, and of whose call that was a part. */
type Tenants = [asked: string | undefined, call: string | undefined];

@Injectable()
class WhoAsks implements PolicyRule {
  tenants: Tenants[] = [];

  permits() {
    return true;
  }

  permitsListing({ tenant }: Principal) {
    this.tenants.push([tenant, currentCall()?.principal?.tenant]);
    return true;
  }
}

/** Whose tool adds another. */
@Injectable()
class Plugs {
  constructor(private readonly entries: EntryRegistry) {}

  @McpTool({ name: 'plug', description: 'Plugs.', scopes: ['crm:read'], risk: 'read' })
  async plug() {
    const access = { scopes: ['crm:read'], risk: 'read', when: WhoAsks } as const;
    await this.entries.register(
      { kind: 'tool', options: { name: 'plugged', description: 'Is new.', ...access } },
      () => 'plugged',
    );
    return 'plugged';
  }
}

const BY_TEST = { by: 'test', via: 'cli', address: undefined, actor: undefined } as const;
const ALICE: TokenRequest = { sub: 'alice', tenant: 'acme', scope: 'crm:read', roles: ['agent:read-only'] };
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token(ALICE);
});

afterAll(() => issuer.stop());

function filter(notifications: Json): { method: string; params: Json } {
  return { method: 'subscriptions/listen', params: { notifications } };
}

const resources = (...uris: string[]) => filter({ resourceSubscriptions: uris });

describe.each(PLATFORMS)('subscriptions on %s', (platform) => {
  let server: TestServer;
  let updates: ResourceUpdates;
  let registry: EntryRegistry;
  const streams: EventStream[] = [];

  const start = async (sallyport: Partial<SallyportOptions> = {}) => {
    server = await TestServer.start({
      issuer,
      platform,
      providers: [Pages, Plugs, WhoAsks, Roles],
      sallyport,
    });
    updates = server.app.get(ResourceUpdates);
    registry = server.app.get(EntryRegistry);
  };

  const listen = async (request: { method: string; params: Json }, as: string | undefined = token) => {
    const stream = await EventStream.post(server.url, {
      token: as,
      id: `listen-${streams.length}`,
      ...request,
    });
    streams.push(stream);
    return stream;
  };

  const acknowledged = async (stream: EventStream) => {
    const { method, params } = await stream.next();
    expect(method).toBe('notifications/subscriptions/acknowledged');
    return (params as Json)['notifications'] as Json;
  };

  /** Notifications come in order: when the last one is there, so is what was wrongly sent before it. */
  const told = async (stream: EventStream, last: string) => {
    const uris: unknown[] = [];
    for (;;) {
      const { params } = await stream.next();
      uris.push((params as Json)['uri']);
      if (uris.at(-1) === last) return uris;
    }
  };

  const outcomes = async (method = 'subscriptions/listen') =>
    (await server.records())
      .filter((record) => record.kind === 'attempt' && record.method === method)
      .map(({ entry, outcome }) => [entry, outcome]);

  afterEach(async () => {
    for (const stream of streams.splice(0)) await stream.leave();
    await server.close();
  });

  it('are told of updates of what they follow, and of nothing else', async () => {
    await start();
    const stream = await listen(resources('crm://1', 'crm://2'));
    expect(await acknowledged(stream)).toEqual({ resourceSubscriptions: ['crm://1', 'crm://2'] });
    await updates.changed('crm://3');
    await updates.changed('crm://2');
    await updates.changed('crm://1');
    expect(await told(stream, 'crm://1')).toEqual(['crm://2', 'crm://1']);
    expect(server.runs.names).toEqual([]);
  });

  it('are an attempt for each resource, whose outcome comes with the end', async () => {
    await start();
    const stream = await listen(resources('crm://1', 'news://today'));
    await acknowledged(stream);
    expect(await outcomes()).toEqual([
      ['page', 'ambiguous'],
      ['news', 'ambiguous'],
    ]);
    await stream.leave();
    await eventually(outcomes, (all) => all.every(([, outcome]) => outcome === 'completed'));
    const opened = (await server.records()).find((record) => record.kind === 'list');
    expect(opened).toMatchObject({ method: 'subscriptions/listen', shown: 2, subject: 'alice' });
  });

  it('follow what a caller may read, and leave out alike what is hidden from it and what does not exist', async () => {
    await start();
    const asked = [
      'ledger://acme/all',
      'ledger://globex/all',
      'board://minutes',
      'no://such',
      'crm://..',
      'crm://%2e',
    ];
    const stream = await listen(resources(...asked));
    expect(await acknowledged(stream)).toEqual({ resourceSubscriptions: ['ledger://acme/all'] });
    for (const uri of asked.toReversed()) await updates.changed(uri);
    expect(await told(stream, 'ledger://acme/all')).toEqual(['ledger://acme/all']);
    const refusals = (await server.records()).filter((record) => record.kind === 'refusal');
    expect(refusals.map(({ reason }) => reason)).toEqual([
      'tenant',
      'role',
      'unknown_entry',
      'unknown_entry',
      'unknown_entry',
    ]);
  });

  it('end with their acknowledgement when nothing is left of them', async () => {
    await start();
    const stream = await listen(resources('board://minutes', 'no://such'));
    expect(await acknowledged(stream)).toEqual({});
    expect(await stream.next()).toMatchObject({ result: { resultType: 'complete' } });
    await stream.ended;
  });

  it('are challenged for consent, whatever else they ask for, and nothing is followed', async () => {
    await start();
    const stream = await listen(resources('crm://1', 'wages://all', 'no://such'));
    expect(stream.status).toBe(403);
    expect(await stream.next()).toMatchObject({
      error: { data: { reason: 'insufficient_scope', scopes: ['wages:read'] } },
    });
    expect(await outcomes()).toEqual([]);
  });

  it('ask whoever has no credential to sign in, for what exists and for what does not', async () => {
    await start();
    const answers = [await listen(resources('crm://1'), ''), await listen(resources('no://such'), '')];
    for (const { status, response } of answers) {
      expect([status, response.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringContaining('Bearer'),
      ]);
    }
    const anonymous = await EventStream.post(server.url, { id: 'public', ...resources('news://today') });
    streams.push(anonymous);
    expect(await acknowledged(anonymous)).toEqual({ resourceSubscriptions: ['news://today'] });
  });

  it('are told of changes of a list when these are about an entry that they may know', async () => {
    await start();
    const [alice, admin] = [
      await listen(filter({ toolsListChanged: true })),
      await listen(
        filter({ toolsListChanged: true }),
        await issuer.token({ ...ALICE, sub: 'marco', roles: ['agent:admin'] }),
      ),
    ];
    expect(await acknowledged(alice)).toEqual({ toolsListChanged: true });
    await acknowledged(admin);
    const secret = await registry.register(
      { kind: 'tool', options: { name: 'secret', description: 'S.', role: 'agent:admin', risk: 'read' } },
      () => 'secret',
    );
    expect(await admin.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
    await secret.remove();
    expect(await admin.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
    const prompt = await registry.register(
      { kind: 'prompt', options: { name: 'p', description: 'P.', scopes: ['crm:read'] } },
      () => 'p',
    );
    const known = await registry.register(
      { kind: 'tool', options: { name: 'known', description: 'K.', scopes: ['crm:read'], risk: 'read' } },
      () => 'known',
    );
    expect(await alice.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect(alice.messages).toEqual([]);
    await known.remove();
    await prompt.remove();
    expect(await alice.next()).toMatchObject({ params: { _meta: { [SUBSCRIPTION]: 'listen-0' } } });
  });

  it.each([
    ['the user', { kind: 'user', value: 'alice' }],
    ['the client', { kind: 'client', value: 'agent-1' }],
    ['the entry', { kind: 'entry', value: 'page' }],
  ] as const)('end when %s is revoked', async (_, target) => {
    await start();
    const stream = await listen(resources('crm://1'));
    await acknowledged(stream);
    await server.app.get(RevocationService, { strict: false }).revoke(target, BY_TEST);
    expect(await stream.next()).toMatchObject({ result: { resultType: 'complete' } });
    await stream.ended;
    await updates.changed('crm://1');
    expect(stream.messages).toEqual([]);
    await eventually(outcomes, ([page]) => page?.[1] === 'aborted');
  });

  it('end when the user is revoked, also when nothing is followed but lists', async () => {
    await start();
    const stream = await listen(filter({ toolsListChanged: true }));
    await acknowledged(stream);
    const revocations = server.app.get(RevocationService, { strict: false });
    await revocations.revoke({ kind: 'user', value: 'somebody else' }, BY_TEST);
    await revocations.revoke({ kind: 'user', value: 'alice' }, BY_TEST);
    expect(await stream.next()).toMatchObject({ result: { resultType: 'complete' } });
    await stream.ended;
  });

  it('ask rules and the directory of roles within a call of whoever listens, not of whoever changed the list', async () => {
    await start({ roleDirectory: Roles });
    const asked = server.app.get(WhoAsks);
    const roles = server.app.get(Roles);
    for (const name of ['alice', 'gina']) roles.held.set(name, ['agent:read-only']);
    const globex = await issuer.token({ ...ALICE, sub: 'gina', tenant: 'globex' });
    const stream = await listen(filter({ toolsListChanged: true }), globex);
    await acknowledged(stream);
    [asked.tenants, roles.tenants] = [[], []];
    const { result } = await server.send({ token, ...toolCall('plug') });
    expect(result).toMatchObject({ content: [{ text: 'plugged' }] });
    expect(await stream.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect(asked.tenants).toEqual([['globex', 'globex']]);
    expect(roles.tenants.at(-1)).toEqual(['globex', 'globex']);
  });

  it('end when the token expires', async () => {
    await start();
    const stream = await listen(resources('crm://1'), await issuer.token({ ...ALICE, lives: 3 }));
    await acknowledged(stream);
    expect(await stream.next()).toMatchObject({ result: { resultType: 'complete' } });
    await stream.ended;
    await eventually(outcomes, ([page]) => page?.[1] === 'aborted');
  });

  it('end when the entry is removed', async () => {
    await start();
    const registration = await registry.register(
      {
        kind: 'resource',
        options: { name: 'gone', uri: 'gone://soon', description: 'G.', scopes: ['crm:read'] },
      },
      () => 'here',
    );
    const stream = await listen(resources('gone://soon'));
    expect(await acknowledged(stream)).toEqual({ resourceSubscriptions: ['gone://soon'] });
    await registration.remove();
    expect(await stream.next()).toMatchObject({ result: { resultType: 'complete' } });
    await eventually(outcomes, ([gone]) => gone?.[1] === 'aborted');
  });

  it('end after their time', async () => {
    await start({ subscriptions: { maxSeconds: 1 } });
    const stream = await listen(resources('crm://1'));
    await acknowledged(stream);
    expect(await stream.next()).toMatchObject({ result: { resultType: 'complete' } });
    await eventually(outcomes, ([page]) => page?.[1] === 'completed');
  });

  it('end with the server', async () => {
    await start();
    const stream = await listen(resources('crm://1'));
    await acknowledged(stream);
    await server.app.close();
    expect(await stream.next()).toMatchObject({ result: { resultType: 'complete' } });
    await stream.ended;
    await start();
  });

  it('are opened no more while the server stops: who comes back at once does not hold up its end', async () => {
    await start({ drainSeconds: 20 });
    const { port } = server;
    const [open, running] = [await listen(resources('crm://1')), new Deferred()];
    await acknowledged(open);
    await registry.register(
      { kind: 'tool', options: { name: 'busy', description: 'B.', scopes: ['crm:read'], risk: 'read' } },
      async () => {
        server.runs.note('busy');
        await running.promise;
      },
    );
    const busy = server.send({ token, method: 'tools/call', params: { name: 'busy' } });
    await eventually(
      async () => server.runs.names,
      (names) => names.includes('busy'),
    );
    const closed = server.app.close();
    await open.ended;
    const again = await exchangeRaw(port, rawMessage({ token, ...resources('crm://1') }));
    running.resolve();
    expect([again.status, again.text]).toEqual([429, expect.stringContaining('too_many_requests')]);
    expect((await busy).status).toBe(200);
    await closed;
    await start();
  });

  it('end on the next update when the directory has taken the role away, and tell nothing', async () => {
    const directory = new Roles();
    server = await TestServer.start({
      issuer,
      platform,
      providers: [Pages, { provide: Roles, useValue: directory }],
      sallyport: { roleDirectory: Roles },
    });
    updates = server.app.get(ResourceUpdates);
    directory.held.set('alice', ['agent:admin']);
    const stream = await listen(resources('board://minutes'));
    await acknowledged(stream);
    await updates.changed('board://minutes');
    expect(await stream.next()).toMatchObject({ params: { uri: 'board://minutes' } });
    directory.held.delete('alice');
    await updates.changed('board://minutes');
    expect(await stream.next()).toMatchObject({ result: { resultType: 'complete' } });
    await eventually(outcomes, ([board]) => board?.[1] === 'aborted');
    expect((await server.records()).at(-1)).toBeDefined();
    expect((await server.records()).some(({ kind, reason }) => kind === 'refusal' && reason === 'role')).toBe(
      true,
    );
  });

  it('are bounded for each principal, and not for others', async () => {
    await start({ subscriptions: { maxPerPrincipal: 2 } });
    for (const uri of ['crm://1', 'crm://2']) await acknowledged(await listen(resources(uri)));
    const third = await listen(resources('crm://3'));
    expect(third.status).toBe(429);
    expect(await third.next()).toMatchObject({ error: { data: { reason: 'too_many_requests' } } });
    await acknowledged(await listen(resources('crm://1'), await issuer.token({ ...ALICE, sub: 'bea' })));
    await streams[0]?.leave();
    await eventually(outcomes, (all) => all[0]?.[1] === 'completed');
    await acknowledged(await listen(resources('crm://3')));
    expect((await outcomes())[2]).toEqual(['page', 'not_run']);
  });

  it('are bounded in the number of resources, before any is decided on', async () => {
    await start();
    const uris = Array.from({ length: 101 }, (_, index) => `crm://${index}`);
    const stream = await listen(resources(...uris));
    expect(await stream.next()).toMatchObject({ error: { code: -32602 } });
    expect((await server.records()).filter(({ method }) => method === 'subscriptions/listen')).toEqual([]);
  });

  it('merge updates that come faster than they are told', async () => {
    await start();
    const stream = await listen(resources('crm://1', 'crm://2'));
    await acknowledged(stream);
    await Promise.all(Array.from({ length: 500 }, () => updates.changed('crm://1')));
    await updates.changed('crm://2');
    const uris = await told(stream, 'crm://2');
    expect(uris.length).toBeGreaterThanOrEqual(2);
    expect(uris.length).toBeLessThan(10);
  });

  it('follow nothing when the attempt cannot be recorded', async () => {
    await start();
    await loseTable(server);
    const stream = await listen(resources('crm://1'));
    expect(stream.status).toBe(503);
  });

  it('are not served when they are switched off', async () => {
    await start({ subscriptions: false });
    const stream = await listen(resources('crm://1'));
    expect([stream.status, (await stream.next())['error']]).toMatchObject([404, { code: -32601 }]);
    const client = await modernClient(server.url, token);
    expect(client.getServerCapabilities()?.resources).toEqual({});
    await client.close();
  });

  it('are not served to a client of 2025, which has no stream here', async () => {
    await start();
    for (const method of ['subscriptions/listen', 'resources/subscribe', 'resources/unsubscribe']) {
      const params = { uri: 'crm://1', notifications: { toolsListChanged: true } };
      const answer = await server.send({ era: '2025-11-25', token, method, params });
      expect(answer.error?.code).toBe(-32601);
    }
    expect(await outcomes('resources/subscribe')).toEqual([]);
  });

  it('are what the official client gets', async () => {
    await start();
    const client = await modernClient(server.url, token);
    expect(client.getServerCapabilities()).toMatchObject({
      resources: { subscribe: true, listChanged: true },
      tools: { listChanged: true },
    });
    const seen: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      seen.push(params.uri);
    });
    const listening = await client.listen({ resourceSubscriptions: ['crm://1', 'board://minutes'] });
    await updates.changed('board://minutes');
    await updates.changed('crm://1');
    await eventually(
      async () => seen,
      (uris) => uris.length > 0,
    );
    expect(seen).toEqual(['crm://1']);
    await listening.close();
    await client.close();
    expect(server.app.get(Gate, { strict: false })).toBeDefined();
  });
});

describe('subscriptions over stdio', () => {
  let client: StdioClient;

  const start = async () => {
    client = await StdioClient.start({ issuer, token, providers: [Pages] });
  };
  const updated = (uri: string) => client.context.get(ResourceUpdates).changed(uri);
  const notifications = () =>
    client.messages
      .filter(({ method }) => method === 'notifications/resources/updated')
      .map(({ params }) => (params as Json)['uri']);

  afterEach(() => client.close());

  it('are told in 2026-07-28 of what they may read, until they cancel', async () => {
    await start();
    const request = { id: 'a', ...resources('crm://1', 'board://minutes', 'no://such') };
    client.write(`${JSON.stringify(bodyOf(request))}\n`);
    const ack = await eventually(
      async () => client.messages.find(({ method }) => method === 'notifications/subscriptions/acknowledged'),
      (found) => found !== undefined,
    );
    expect(ack?.['params']).toMatchObject({
      notifications: { resourceSubscriptions: ['crm://1'] },
      _meta: { [SUBSCRIPTION]: 'a' },
    });
    await updated('board://minutes');
    await updated('crm://1');
    await eventually(
      async () => notifications(),
      (uris) => uris.length > 0,
    );
    expect(notifications()).toEqual(['crm://1']);
    client.write(
      `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'a' } })}\n`,
    );
    await client.request({ method: 'tools/list', id: 'behind' });
    await updated('crm://1');
    await client.request({ method: 'tools/list', id: 'behind again' });
    expect(notifications()).toEqual(['crm://1']);
  });

  it('are not opened by a notification, to which nobody could ever tell that it ended', async () => {
    await start();
    await client.request({ method: 'tools/list' });
    const { id: _, ...notification } = bodyOf(resources('crm://1'));
    const { records } = await client.observe(async () => {
      client.write(`${JSON.stringify(notification)}\n`);
      await client.request({ method: 'tools/list', id: 'behind' });
    });
    expect(records).toMatchObject([{ method: 'tools/list' }]);
    expect(records).toHaveLength(1);
  });

  it('end in 2026-07-28 when the caller is revoked', async () => {
    await start();
    const ending = client.request({ id: 'a', ...resources('crm://1') });
    await eventually(
      async () => client.messages.length,
      (count) => count > 0,
    );
    const service = client.context.get(RevocationService, { strict: false });
    await service.revoke({ kind: 'user', value: 'alice' }, BY_TEST);
    expect((await ending).result).toMatchObject({ resultType: 'complete' });
    await updated('crm://1');
    expect(notifications()).toEqual([]);
  });

  it('challenge and hide in 2026-07-28 as reading does', async () => {
    await start();
    const read = await client.request({ method: 'resources/read', params: { uri: 'wages://all' } });
    const followed = await client.request(resources('wages://all'));
    expect(followed.error?.data).toEqual(read.error?.data);
    expect(await client.request(filter({ toolsListChanged: 'yes' }))).toMatchObject({
      error: { code: -32602 },
    });
  });

  it('are told in 2025-11-25 of what they subscribed to, until they unsubscribe', async () => {
    await start();
    const hello = await client.initialize();
    expect(hello.result?.['capabilities']).toMatchObject({
      resources: { subscribe: true, listChanged: true },
    });
    const era = '2025-11-25';
    const subscribe = (uri: string) =>
      client.request({ era, method: 'resources/subscribe', params: { uri } });
    expect((await subscribe('crm://1')).result).toEqual({});
    const [hidden, unknown] = [await subscribe('board://minutes'), await subscribe('no://such')];
    expect(hidden.error).toEqual(unknown.error);
    expect((await subscribe('wages://all')).error?.data).toMatchObject({ reason: 'insufficient_scope' });
    await updated('board://minutes');
    await updated('crm://1');
    await eventually(
      async () => notifications(),
      (uris) => uris.length > 0,
    );
    expect(notifications()).toEqual(['crm://1']);
    await client.request({ era, method: 'resources/unsubscribe', params: { uri: 'crm://1' } });
    await updated('crm://1');
    await client.request({ era, method: 'tools/list' });
    expect(notifications()).toEqual(['crm://1']);
    expect(client.runs.names).toEqual([]);
  });

  it('are told in 2025-11-25 of changes of lists that they may know of', async () => {
    await start();
    await client.initialize();
    const changes = () =>
      client.messages.filter(({ method }) => method === 'notifications/tools/list_changed').length;
    const registry = client.context.get(EntryRegistry);
    const options = { name: 'secret', description: 'S.', risk: 'read' } as const;
    await registry.register({ kind: 'tool', options: { ...options, role: 'agent:admin' } }, () => 's');
    await client.request({ era: '2025-11-25', method: 'tools/list' });
    expect(changes()).toBe(0);
    await registry.register(
      { kind: 'tool', options: { ...options, name: 'known', scopes: ['crm:read'] } },
      () => 'k',
    );
    await eventually(
      async () => changes(),
      (count) => count === 1,
    );
  });
});
