import { Injectable } from '@nestjs/common';
import { Args, Caller, McpPrompt, McpResource, McpTool, type Principal } from 'sallyport';
import { z } from 'zod';
import { legacyClient, modernClient } from './support/clients.js';
import { TestIssuer } from './support/issuer.js';
import { comparable, toolCall, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'docs_search',
    description: 'Searches.',
    public: true,
    risk: 'read',
    input: z.object({ words: z.string().default('all') }),
  })
  search(@Args() { words }: { words: string }, @Caller() caller: Principal | undefined) {
    this.runs.note('docs_search');
    return { words, caller: caller?.subject ?? 'nobody' };
  }

  @McpResource({ name: 'doc', uri: 'docs://{slug}', description: 'One page.', public: true })
  page(@Args('slug') slug: string) {
    this.runs.note('doc');
    return `page ${slug}`;
  }

  @McpPrompt({ name: 'welcome', description: 'Welcomes.', public: true })
  welcome() {
    this.runs.note('welcome');
    return 'Welcome.';
  }
}

@Injectable()
class GuardedTools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'crm_open',
    description: 'Opens.',
    scopes: ['crm:read'],
    role: 'agent:read-only',
    risk: 'read',
  })
  open() {
    this.runs.note('crm_open');
    return 'opened';
  }

  @McpResource({ name: 'record', uri: 'crm://record', description: 'A record.', scopes: ['crm:read'] })
  record() {
    this.runs.note('record');
    return 'record';
  }
}

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

const signInScopes = ['crm:read', 'mail:read'];
const CHALLENGE =
  'Bearer resource_metadata="http://127.0.0.1/.well-known/oauth-protected-resource/mcp", scope="crm:read mail:read"';

describe.each(WAYS)('Public entries, on %s in %s:', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    const providers = [Tools, GuardedTools];
    server = await TestServer.start({ issuer, platform, providers, sallyport: { signInScopes } });
  });
  afterAll(async () => server.close());

  function call(message: { method: string; params?: Json }) {
    return server.observe(() => server.send({ era, ...message }));
  }

  it('let a real client without a credential connect, list and call', async () => {
    const connect = era === '2026-07-28' ? modernClient : legacyClient;
    const client = await connect(server.url);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['docs_search']);
    expect((await client.listResources()).resources).toEqual([]);
    expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([{ name: 'doc' }]);
    expect((await client.listPrompts()).prompts).toMatchObject([{ name: 'welcome' }]);
    const result = await client.callTool({ name: 'docs_search', arguments: { words: 'keys' } });
    expect(result).toMatchObject({ structuredContent: { words: 'keys', caller: 'nobody' } });
    await client.close();
  });

  it('are recorded with nobody as their caller', async () => {
    const { ran, records } = await call(toolCall('docs_search'));
    expect(ran).toEqual(['docs_search']);
    expect(records).toMatchObject([
      { kind: 'attempt', subject: null, tenant: null, entry: 'docs_search', outcome: 'completed' },
    ]);
  });

  it('know a caller that has a credential', async () => {
    const token = await issuer.token({ sub: 'bob' });
    const answer = await server.send({ era, token, ...toolCall('docs_search') });
    expect(answer.result).toMatchObject({ structuredContent: { caller: 'bob' } });
  });

  it('are not given to a caller whose credential is bad', async () => {
    const token = await issuer.token({ lives: -3600 });
    const { answer, ran, records } = await server.observe(() =>
      server.send({ era, token, ...toolCall('docs_search') }),
    );
    expect({ status: answer.status, ran }).toEqual({ status: 401, ran: [] });
    expect(records).toMatchObject([{ kind: 'authentication', reason: 'expired' }]);
  });

  it.each([
    ['a tool', toolCall('crm_open'), toolCall('crm_opem')],
    [
      'a tool, asked for with arguments that do not match',
      toolCall('crm_open', { x: 1 }),
      toolCall('crm_opem', { x: 1 }),
    ],
    [
      'a resource',
      { method: 'resources/read', params: { uri: 'crm://record' } },
      { method: 'resources/read', params: { uri: 'crm://recorb' } },
    ],
  ])(
    'are all that a caller without a credential can tell from nothing: %s',
    async (_what, hidden, unknown) => {
      const refused = await call(hidden);
      const missing = await call(unknown);
      expect(comparable(refused.answer)).toEqual(comparable(missing.answer));
      expect(refused.answer.status).toBe(401);
      expect(refused.answer.headers['www-authenticate']).toBe(CHALLENGE);
      expect(refused.answer.error).toMatchObject({ code: -32010, data: { scopes: signInScopes } });
      for (const { ran, records } of [refused, missing]) {
        expect(ran).toEqual([]);
        expect(records).toMatchObject([{ kind: 'refusal', reason: 'authentication_required' }]);
      }
    },
  );

  it.each(['resources/subscribe', 'logging/setLevel', 'tasks/list', 'sampling/createMessage', 'x'])(
    'open no other method: %s',
    async (method) => {
      const { answer, ran } = await call({ method, params: { name: 'docs_search', uri: 'docs://a' } });
      expect(ran).toEqual([]);
      expect(answer.error).toMatchObject({ code: -32601 });
    },
  );
});

describe.each(WAYS)('Without a credential, on %s in %s,', (platform, era) => {
  const everything = [
    { method: era === '2026-07-28' ? 'server/discover' : 'ping' },
    { method: 'tools/list' },
    { method: 'prompts/list' },
    toolCall('docs_search'),
    { method: 'completion/complete' },
  ];

  async function expectChallenges(server: TestServer, messages: readonly { method: string }[]) {
    const { answer, ran } = await server.observe(() =>
      Promise.all(messages.map((message) => server.send({ era, ...message }))),
    );
    for (const { status, headers } of answer) {
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toBe(CHALLENGE);
    }
    expect(ran).toEqual([]);
    await server.close();
  }

  it('nobody connects to a server without public entries', async () => {
    const providers = [GuardedTools];
    const server = await TestServer.start({ issuer, platform, providers, sallyport: { signInScopes } });
    await expectChallenges(server, everything);
  });

  it("nobody connects or lists where anonymous is 'refuse'", async () => {
    const sallyport = { signInScopes, anonymous: 'refuse' } as const;
    const server = await TestServer.start({ issuer, platform, providers: [Tools], sallyport });
    await expectChallenges(
      server,
      everything.filter(({ method }) => method !== 'tools/call'),
    );
  });

  it("nobody calls a public entry where anonymous is 'refuse': everybody is asked to sign in first", async () => {
    const sallyport = { signInScopes, anonymous: 'refuse' } as const;
    const server = await TestServer.start({ issuer, platform, providers: [Tools], sallyport });
    await expectChallenges(server, [
      toolCall('docs_search'),
      { method: 'resources/read', params: { uri: 'docs://a' } },
      { method: 'prompts/get', params: { name: 'welcome' } },
    ] as { method: string }[]);
  });
});
