import { Injectable } from '@nestjs/common';
import { McpPrompt, McpResource, McpTool, type SallyportOptions } from 'sallyport';
import { legacyClient, modernClient } from './support/clients.js';
import { TestIssuer, type TokenRequest } from './support/issuer.js';
import { toolCall, type Answer, type Era, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS, type Platform } from './support/server.js';

/** One of every kind for every policy, each named for its policy. */
const POLICIES = {
  public: { public: true, risk: 'read' },
  scope: { scopes: ['crm:read'], risk: 'read' },
  scopes: { scopes: ['crm:read', 'crm:write'], risk: 'write' },
  role: { role: 'agent:contributor', risk: 'read' },
  both: { scopes: ['crm:read'], role: 'agent:contributor', risk: 'read' },
  tenantless: { scopes: ['crm:read'], tenancy: 'none', risk: 'read' },
  held: { scopes: ['crm:read'], risk: 'destructive' },
} as const;
type PolicyName = keyof typeof POLICIES;
const NAMES = Object.keys(POLICIES) as PolicyName[];

function toolset(policy: PolicyName) {
  const options = { ...POLICIES[policy], name: policy, description: `Asks for ${policy}.` };

  @Injectable()
  class Toolset {
    constructor(private readonly runs: Runs) {}

    @McpTool(options)
    tool() {
      return this.#ran('tool');
    }

    @McpResource({ ...options, uri: `${policy}://page` })
    resource() {
      return this.#ran('resource');
    }

    @McpResource({ ...options, name: `${policy}-template`, uri: `${policy}://pages/{id}` })
    template() {
      return this.#ran('template');
    }

    @McpPrompt(options)
    prompt() {
      return this.#ran('prompt');
    }

    #ran(kind: string): string {
      this.runs.note(`${kind} ${policy}`);
      return 'ran';
    }
  }
  return Toolset;
}

const KINDS: readonly {
  list: string;
  member: string;
  call: (policy: PolicyName) => { method: string; params: Json };
}[] = [
  { list: 'tools/list', member: 'tools', call: (policy) => toolCall(policy) },
  {
    list: 'resources/list',
    member: 'resources',
    call: (policy) => ({ method: 'resources/read', params: { uri: `${policy}://page` } }),
  },
  {
    list: 'resources/templates/list',
    member: 'resourceTemplates',
    call: (policy) => ({ method: 'resources/read', params: { uri: `${policy}://pages/7` } }),
  },
  {
    list: 'prompts/list',
    member: 'prompts',
    call: (policy) => ({ method: 'prompts/get', params: { name: policy } }),
  },
];

const CALLERS: readonly [string, TokenRequest | undefined][] = [
  ['nobody', undefined],
  ['a principal of no tenant', { scope: 'crm:read crm:write', roles: ['agent:admin'] }],
  ['a principal with nothing', { tenant: 'acme' }],
  ['a principal with a scope', { tenant: 'acme', scope: 'crm:read' }],
  ['a principal with a role', { tenant: 'acme', roles: ['agent:contributor'] }],
  [
    'a principal with a role that inherits, and all scopes',
    { tenant: 'acme', roles: ['agent:admin'], scope: 'crm:read crm:write' },
  ],
];

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

function start(platform: Platform, sallyport: Partial<SallyportOptions> = {}) {
  return TestServer.start({ issuer, platform, providers: NAMES.map(toolset), sallyport });
}

function shownIn(answer: Answer, member: string): string[] {
  const entries = answer.result?.[member] as { name: string }[];
  return entries.map(({ name }) => name.replace('-template', ''));
}

/** What a call says of an entry: it is there, it waits for consent, or there is no such thing. */
function said({ status, error }: Answer): 'known' | 'consentable' | 'hidden' {
  const reason = error?.data?.['reason'];
  if (reason === 'insufficient_scope') return 'consentable';
  return status === 401 || reason === 'unknown' ? 'hidden' : 'known';
}

/** For every kind and every policy: what is listed must be exactly what the call admits to. */
async function expectAgreement(
  server: TestServer,
  era: Era,
  who: TokenRequest | undefined,
  listed: readonly string[],
) {
  const token = who === undefined ? undefined : await issuer.token(who);
  for (const { list, member, call } of KINDS) {
    const shown = shownIn(await server.send({ era, token, method: list }), member);
    const answers = await Promise.all(NAMES.map((name) => server.send({ era, token, ...call(name) })));
    const known = NAMES.filter((_, index) => listed.includes(said(answers[index] as Answer)));
    expect(shown.toSorted()).toEqual([...known].toSorted());
  }
}

describe.each(WAYS)('Lists, on %s in %s:', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await start(platform);
  });
  afterAll(async () => server.close());

  it.each(CALLERS)('show %s exactly what its calls do not hide', async (_who, request) => {
    await expectAgreement(server, era, request, ['known', 'consentable']);
  });

  it.each(CALLERS)('show %s the same through a real client', async (_who, request) => {
    const token = request === undefined ? undefined : await issuer.token(request);
    const connect = era === '2026-07-28' ? modernClient : legacyClient;
    const client = await connect(server.url, token);
    const byHand = await server.send({ era, token, method: 'tools/list' });
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(shownIn(byHand, 'tools'));
    await client.close();
  });

  it('are in the same order for everybody', async () => {
    const token = await issuer.token({ tenant: 'acme', roles: ['agent:admin'], scope: 'crm:read' });
    const shown = shownIn(await server.send({ era, token, method: 'tools/list' }), 'tools');
    expect(shown).toEqual(shown.toSorted());
    expect(shown).toEqual(NAMES.toSorted());
  });

  it.each(KINDS)('may not be shared between callers: $list', async ({ list }) => {
    for (const token of [undefined, await issuer.token({ tenant: 'acme' })]) {
      const answer = await server.send({ era, token, method: list });
      const cacheScope = era === '2026-07-28' ? 'private' : undefined;
      expect(answer.result?.['cacheScope']).toBe(cacheScope);
    }
  });

  it.each(KINDS)(
    'are recorded with how many entries were shown, and run nothing: $list',
    async ({ list, member }) => {
      const token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
      const { answer, ran, records } = await server.observe(() => server.send({ era, token, method: list }));
      expect(ran).toEqual([]);
      expect(records).toMatchObject([
        {
          kind: 'list',
          method: list,
          shown: shownIn(answer, member).length,
          subject: 'alice',
          tenant: 'acme',
        },
      ]);
    },
  );

  it('do not tell what an entry asks of its callers', async () => {
    const token = await issuer.token({ tenant: 'acme', roles: ['agent:admin'], scope: 'crm:read' });
    for (const { list } of KINDS) {
      const { text } = await server.send({ era, token, method: list });
      expect(text).not.toMatch(/agent:contributor|crm:write|Toolset|digest|policy"/);
    }
  });
});

describe.each(WAYS)("Lists with listing: 'granted', on %s in %s:", (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await start(platform, { listing: 'granted' });
  });
  afterAll(async () => server.close());

  it.each(CALLERS)('show %s exactly what needs no more consent', async (_who, request) => {
    await expectAgreement(server, era, request, ['known']);
  });
});
