import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import {
  Authenticator,
  Authorizer,
  Catalog,
  SERVED_METHODS,
  type Decision,
  type Entry,
  type McpCall,
  type Principal,
} from '@sallyport/mcp';
import {
  AuditReader,
  EntryRegistry,
  handlerContextOf,
  MCP_CONTEXT,
  McpCompletion,
  McpResource,
  type SallyportOptions,
} from 'sallyport';
import { from, switchMap } from 'rxjs';
import { OfficeModule } from '../src/office/office.module.js';
import { OFFICE_MIGRATIONS } from '../src/office/migrations/office.migrations.js';
import { OFFICE_ROLES, OFFICE_SCOPE_HIERARCHY, OFFICE_SCOPES } from '../src/office/office.policy.js';
import { EventStream } from './support/event-stream.js';
import { everyMethod, sampleOf } from './support/every-method.js';
import { TestIssuer, type TokenRequest } from './support/issuer.js';
import { bodyOf, ERAS, type Era, type Json } from './support/messages.js';
import { newDatabaseFile, TestServer, type TestServerOptions } from './support/server.js';
import { StdioClient } from './support/stdio.js';

/**
 * Requests that the SDK knows and that are not served, each by a decision of somebody: whoever adds one to the table of
 * ways in takes it out here, and a request that a new SDK brings fails the test until it stands in one of the two.
 */
const DECIDED_AGAINST = {
  'logging/setLevel': 'no logs are sent to clients',
  'tasks/get': 'tasks are not served',
  'tasks/list': 'tasks are not served',
  'tasks/result': 'tasks are not served',
  'tasks/cancel': 'tasks are not served',
  'sampling/createMessage': 'goes from server to client',
  'elicitation/create': 'goes from server to client',
  'roots/list': 'goes from server to client',
};

const CALLERS: Record<string, TokenRequest | undefined> = {
  nobody: undefined,
  'somebody of another tenant': {
    sub: 'gus',
    tenant: 'globex',
    roles: ['agent:admin'],
    scope: OFFICE_SCOPES.join(' '),
  },
  'somebody without a tenant': { sub: 'tess', roles: ['agent:admin'], scope: OFFICE_SCOPES.join(' ') },
  'somebody without a role': { sub: 'nora', tenant: 'acme', scope: OFFICE_SCOPES.join(' ') },
  'somebody without a scope': { sub: 'lena', tenant: 'acme', roles: ['agent:admin'], scope: 'other' },
  'somebody with everything': {
    sub: 'marco',
    tenant: 'acme',
    roles: ['agent:admin'],
    scope: OFFICE_SCOPES.join(' '),
    claims: { auth_time: Math.floor(Date.now() / 1000) },
  },
};

/** What the office has not: completions, a resource for members alone, a bound argument, and entries that come later. */
@Injectable()
class More implements OnApplicationBootstrap {
  constructor(private readonly registry: EntryRegistry) {}

  async onApplicationBootstrap() {
    const access = { role: 'agent:admin', scopes: ['crm:read'] } as const;
    const described = { description: 'Came later.' };
    await this.registry.register(
      { kind: 'tool', options: { name: 'late_tool', ...described, ...access, risk: 'read' } },
      (_, running) => seen(running.call, () => 'late'),
    );
    await this.registry.register(
      { kind: 'resource', options: { name: 'late_page', uri: 'late://{page}', ...described, ...access } },
      (_, running) => seen(running.call, () => 'late'),
    );
    await this.registry.register(
      { kind: 'prompt', options: { name: 'late_prompt', ...described, ...access } },
      (_, running) => seen(running.call, () => 'late'),
    );
  }

  @McpResource({
    name: 'archive',
    uri: 'archive://{tenant}/{year}',
    description: 'Of a tenant that the URI names.',
    tenancy: { argument: 'tenant' },
    role: 'agent:read-only',
  })
  archive() {
    return 'an archive';
  }

  @McpCompletion({ resource: 'archive', argument: 'year' })
  years() {
    return ['2026'];
  }

  @McpCompletion({ resource: 'docs_page', argument: 'slug' })
  slugs() {
    return ['intro'];
  }

  @McpResource({ name: 'handbook', uri: 'handbook://all', description: 'Ours.', role: 'agent:read-only' })
  handbook() {
    return 'a handbook';
  }

  @McpResource({
    name: 'minutes',
    uri: 'minutes://{year}',
    description: 'Ours.',
    role: 'agent:admin',
    scopes: ['crm:read'],
  })
  minutes() {
    return 'minutes';
  }
}

/** The interceptor below sees what is registered, too: this says what it returned. */
function seen<T>(call: McpCall, work: () => T): T {
  if (!Witness.ran.some(({ entry }) => entry === call.entry?.name))
    throw new Error('It ran without the interceptors of the application.');
  return work();
}

/** Which handlers ran, and whether the attempt of their call was committed by then. */
class Witness implements NestInterceptor {
  static readonly ran: { entry: string; isRecorded: boolean }[] = [];
  static reader: AuditReader | undefined;

  intercept(context: ExecutionContext, next: CallHandler) {
    if (context.getType<string>() !== MCP_CONTEXT) return next.handle();
    const { call } = handlerContextOf(context);
    return from(this.#look(call)).pipe(switchMap(() => next.handle()));
  }

  async #look({ id, entry }: McpCall): Promise<void> {
    const records = (await Witness.reader?.list({ limit: 50 })) ?? [];
    const isRecorded = records.some((record) => record.kind === 'attempt' && record.call === id);
    Witness.ran.push({ entry: entry?.name ?? '?', isRecorded });
  }
}

const OFFICE: Partial<SallyportOptions> = {
  roles: OFFICE_ROLES,
  scopes: OFFICE_SCOPE_HIERARCHY,
  sessions: { maxPerPrincipal: 100 },
};

function office(issuer: TestIssuer, platform?: TestServerOptions['platform']): TestServerOptions {
  return {
    issuer,
    ...(platform === undefined ? {} : { platform }),
    imports: [OfficeModule],
    providers: [More, { provide: APP_INTERCEPTOR, useClass: Witness }],
    database: {
      type: 'better-sqlite3',
      database: newDatabaseFile(),
      autoLoadEntities: true,
      migrationsRun: true,
      migrations: [...OFFICE_MIGRATIONS],
    },
    sallyport: OFFICE,
  };
}

/** One transport in one era: how a message gets in, and what comes back. */
interface Door {
  readonly era: Era;
  /** Whether the server may speak to this caller at any time (2025). */
  readonly hasSession: (token: string | undefined) => boolean;
  readonly get: <T>(token: abstract new (...args: never[]) => T) => T;
  readonly ask: (request: { method: string; params: Json }, token: string | undefined) => Promise<Json>;
  readonly close: () => Promise<void>;
}

/** What came of it, in the words of a decision. */
type Outcome = 'admitted' | 'held' | 'challenged' | 'sign in' | 'unknown' | 'not served' | `odd: ${string}`;

const OUTCOMES: Record<string, Outcome> = {
  approval_required: 'held',
  insufficient_scope: 'challenged',
  insufficient_user_authentication: 'challenged',
  authentication_required: 'sign in',
  unknown: 'unknown',
  invalid_arguments: 'admitted',
  failed: 'admitted',
  method_not_found: 'not served',
};

function outcomeOf(answer: Json): Outcome {
  if (answer['error'] === undefined) return 'admitted';
  const { code, data } = answer['error'] as { code: number; data?: { reason?: string } };
  if (data?.reason === undefined) return code === -32601 ? 'not served' : `odd: ${code}`;
  return OUTCOMES[data.reason] ?? `odd: ${data.reason}`;
}

function outcomeFor(decision: Decision): Outcome {
  if (decision.effect === 'permit') return 'admitted';
  if (decision.effect === 'hold') return 'held';
  return OUTCOMES[decision.reason] ?? 'unknown';
}

/** Every way in to one entry. */
function waysIn(entry: Entry, input: Json, names: readonly string[], door: Door, token?: string): WayIn[] {
  const { kind, name } = entry;
  const uri = (entry.uri ?? '').replaceAll(VARIABLE, '2026');
  const args = sampleOf(input) as Json;
  if (kind === 'tool') return [{ method: 'tools/call', params: { name, arguments: args }, args }];
  if (kind === 'prompt')
    return [
      { method: 'prompts/get', params: { name, arguments: args }, args },
      ...completionsOf({ type: 'ref/prompt', name }, names),
    ];
  const variables = Object.fromEntries(names.map((variable) => [variable, '2026']));
  const following =
    door.era === '2026-07-28'
      ? [{ method: 'subscriptions/listen', params: { notifications: { resourceSubscriptions: [uri] } } }]
      : [];
  const inSession = door.hasSession(token) ? [{ method: 'resources/subscribe', params: { uri } }] : [];
  const reading = [{ method: 'resources/read', params: { uri } }, ...following, ...inSession];
  return [
    ...reading.map((way) => ({ ...way, args: variables })),
    ...completionsOf({ type: 'ref/resource', uri: entry.uri }, names),
  ];
}

const VARIABLE = /\{[^}]*\}/g;

interface WayIn {
  readonly method: string;
  readonly params: Json;
  /** What is known of the arguments. */
  readonly args: Json;
  readonly completing?: string;
}

/** Of each argument and of one that there is not, with nothing else known and with a tenant known. */
function completionsOf(ref: Json, names: readonly string[]): WayIn[] {
  return [...names, 'any'].flatMap((argument) =>
    [{}, { tenant: 'acme' }].map((known) => {
      const given = { ...known, [argument]: 'a' };
      const args = Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));
      const params = { ref, argument: { name: argument, value: 'a' }, context: { arguments: known } };
      return { method: 'completion/complete', params, args, completing: argument };
    }),
  );
}

const LISTS = {
  'tools/list': 'tools',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
  'prompts/list': 'prompts',
} as const;

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});

afterAll(() => issuer.stop());

/** Over HTTP without a session, or, for 2025, with one for each caller. */
async function httpDoor(platform: 'Express' | 'Fastify', era: Era, hasSession: boolean): Promise<Door> {
  const server = await TestServer.start(office(issuer, platform));
  Witness.reader = server.audit;
  const sessions = new Map<string, string>();
  const sessionOf = async (token: string) => {
    const known = sessions.get(token);
    if (known !== undefined) return known;
    const params = { protocolVersion: era, capabilities: {}, clientInfo: { name: 'a', version: '1' } };
    const id = (await server.send({ era, token, method: 'initialize', params })).headers['mcp-session-id'];
    if (id === undefined) throw new Error('No session was opened.');
    sessions.set(token, id);
    return id;
  };
  return {
    era,
    // A session is bound to a principal: nobody has none.
    hasSession: (token) => hasSession && token !== undefined,
    get: (token) => server.app.get(token as never, { strict: false }),
    ask: async (request, token) => {
      if (request.method === 'subscriptions/listen' && era === '2026-07-28') {
        const stream = await EventStream.post(server.url, { era, token, ...request });
        const first = await stream.next();
        await stream.leave();
        return first;
      }
      const withSession = hasSession && token !== undefined && request.method !== 'initialize';
      const headers: Record<string, string> = withSession ? { 'Mcp-Session-Id': await sessionOf(token) } : {};
      const { result, error } = await server.send({ era, token, headers, ...request });
      return { result, error };
    },
    close: () => server.close(),
  };
}

/** Over stdio: a process of its own for each caller. */
async function stdioDoor(era: Era): Promise<Door> {
  const clients = new Map<string, StdioClient>();
  let serial = 0;
  const clientOf = async (token: string | undefined) => {
    const known = clients.get(token ?? '');
    if (known !== undefined) return known;
    const client = await StdioClient.start({ ...office(issuer), token });
    clients.set(token ?? '', client);
    if (era === '2025-11-25') await client.initialize();
    return client;
  };
  await clientOf(undefined);
  const first = () => clients.values().next().value!.context;
  return {
    era,
    hasSession: () => era === '2025-11-25',
    get: (token) => first().get(token as never, { strict: false }),
    ask: async (request, token) => {
      const client = await clientOf(token);
      Witness.reader = client.context.get(AuditReader);
      serial += 1;
      const id = `ask-${serial}`;
      if (request.method !== 'subscriptions/listen') return client.request({ era, id, ...request });
      const before = client.messages.length;
      client.write(`${JSON.stringify(bodyOf({ era, id, ...request }))}\n`);
      // Lines are taken one after the other: what belongs to this request is there when the next one is answered.
      await client.request({ era, id: `${id} behind`, method: 'tools/list' });
      const [first = {}] = client.messages.splice(before);
      return first;
    },
    close: async () => {
      for (const client of clients.values()) await client.close();
    },
  };
}

const DOORS: readonly [string, () => Promise<Door>][] = [
  ...(['Express', 'Fastify'] as const).flatMap((platform) =>
    ERAS.map((era): [string, () => Promise<Door>] => [
      `${platform} in ${era}`,
      () => httpDoor(platform, era, false),
    ]),
  ),
  ['Fastify in a session of 2025-11-25', () => httpDoor('Fastify', '2025-11-25', true)],
  ['Express in a session of 2025-11-25', () => httpDoor('Express', '2025-11-25', true)],
  ...ERAS.map((era): [string, () => Promise<Door>] => [`stdio in ${era}`, () => stdioDoor(era)]),
];

it('knows every request of the SDK, as a way in or as one that was decided against', () => {
  const known = [...Object.keys(SERVED_METHODS), ...Object.keys(DECIDED_AGAINST)];
  expect(everyMethod().length).toBeGreaterThan(20);
  expect(everyMethod().filter((method) => !known.includes(method))).toEqual([]);
  expect(Object.keys(SERVED_METHODS).filter((method) => !everyMethod().includes(method))).toEqual([]);
  expect(Object.keys(DECIDED_AGAINST).filter((method) => method in SERVED_METHODS)).toEqual([]);
});

describe.each(DOORS)('every way in, over %s', (_, open) => {
  let door: Door;
  let tokens: Map<string, string | undefined>;
  let principals: Map<string, Principal | undefined>;

  beforeAll(async () => {
    door = await open();
    tokens = new Map();
    principals = new Map();
    for (const [name, claims] of Object.entries(CALLERS)) {
      const token = claims === undefined ? undefined : await issuer.token(claims);
      tokens.set(name, token);
      principals.set(name, await principalOf(token));
    }
    expect(entries().map(({ name }) => name)).toEqual(
      expect.arrayContaining(['late_tool', 'late_page', 'late_prompt', 'archive']),
    );
  });

  afterAll(() => door.close());

  async function principalOf(token: string | undefined): Promise<Principal | undefined> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const said = await door.get(Authenticator).authenticate({ headers, via: 'http' });
    return said.kind === 'principal' ? said.principal : undefined;
  }

  const entries = () => door.get(Catalog).entries;
  const inputOf = (entry: Entry): Json =>
    entry.input?.['~standard'].jsonSchema.input({ target: 'draft-2020-12' }) ?? { type: 'object' };

  /** What the policy says: first of the entry, then of the arguments. */
  async function decided(
    entry: Entry,
    principal: Principal | undefined,
    { method, args, completing }: WayIn,
  ): Promise<Outcome> {
    const authorizer = door.get(Authorizer);
    const call = { entry, principal, method, arguments: undefined } as unknown as McpCall;
    const first = await authorizer.authorize(call);
    if (first.effect === 'refuse') return outcomeFor(first);
    const asked = completing === undefined ? {} : { completing: { kind: entry.kind, argument: completing } };
    const known = completing === undefined ? await entry.input?.['~standard'].validate(args) : undefined;
    // A stream leaves out what could not be read, as it does what does not exist.
    if (known?.issues !== undefined) return method === 'subscriptions/listen' ? 'unknown' : 'admitted';
    return outcomeFor(await authorizer.authorize({ ...call, arguments: args, ...asked } as McpCall));
  }

  it.each(Object.keys(CALLERS))('lets %s in to exactly what the policy permits', async (caller) => {
    const principal = principals.get(caller);
    const differences: unknown[] = [];
    for (const entry of entries()) {
      const names = door.get(Catalog).argumentNames(entry);
      for (const way of waysIn(entry, inputOf(entry), names, door, tokens.get(caller))) {
        const { method, params } = way;
        const expected = await decided(entry, principal, way);
        const answer = await door.ask({ method, params }, tokens.get(caller));
        const got = heard(way, answer);
        if (got !== expected) differences.push({ entry: entry.name, method, params, expected, got, answer });
      }
    }
    expect(differences).toEqual([]);
  });

  /** A stream says what it follows; what the caller may not know of is left out. */
  function heard(way: WayIn, answer: Json): Outcome {
    if (way.method !== 'subscriptions/listen' || answer['error'] !== undefined) return outcomeOf(answer);
    const { notifications } = answer['params'] as { notifications: { resourceSubscriptions?: string[] } };
    return (notifications.resourceSubscriptions ?? []).length > 0 ? 'admitted' : 'unknown';
  }

  it.each(Object.keys(CALLERS))('lists for %s exactly what the policy lets it know', async (caller) => {
    const principal = principals.get(caller);
    const shown: string[] = [];
    for (const [method, member] of Object.entries(LISTS)) {
      const { result } = await door.ask({ method, params: {} }, tokens.get(caller));
      const listed = ((result as Json | undefined)?.[member] ?? []) as { name: string }[];
      shown.push(...listed.map(({ name }) => name));
    }
    const visible: string[] = [];
    for (const entry of entries()) {
      if (await door.get(Authorizer).isVisible(entry, principal)) visible.push(entry.name);
    }
    expect(shown.toSorted()).toEqual(visible.toSorted());
  });

  it('starts no handler whose attempt is not committed', () => {
    expect(Witness.ran.filter(({ isRecorded }) => !isRecorded)).toEqual([]);
    expect(new Set(Witness.ran.map(({ entry }) => entry)).size).toBeGreaterThan(8);
  });

  it('has no way in beside those of the table', async () => {
    const token = tokens.get('somebody with everything');
    const params = {
      name: 'docs_search',
      uri: 'handbook://all',
      arguments: { query: 'a' },
      ref: { type: 'ref/resource', uri: 'docs://{slug}' },
      argument: { name: 'slug', value: 'i' },
      notifications: { resourceSubscriptions: ['handbook://all'] },
    };
    const reached: string[] = [];
    const methods = new Set([...everyMethod(), ...Object.keys(SERVED_METHODS), 'nonsense', 'tools/callx']);
    methods.delete('initialize');
    for (const method of methods) {
      const asked = method === 'prompts/get' ? { name: 'triage', arguments: { ticketId: 'T-1' } } : params;
      const ran = Witness.ran.length;
      const answer = await door.ask({ method, params: asked }, token);
      if (outcomeOf(answer) !== 'not served') reached.push(method);
      else expect(Witness.ran.length).toBe(ran);
    }
    const elsewhere = new Set([
      'initialize',
      ...(door.era === '2026-07-28'
        ? ['ping', 'resources/subscribe', 'resources/unsubscribe']
        : ['server/discover', 'subscriptions/listen']),
      ...(door.hasSession(token) ? [] : ['resources/subscribe', 'resources/unsubscribe']),
    ]);
    const expected = Object.keys(SERVED_METHODS).filter((method) => !elsewhere.has(method));
    expect(reached.toSorted()).toEqual(expected.toSorted());
  });
});
