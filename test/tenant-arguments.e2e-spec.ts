import { Injectable } from '@nestjs/common';
import { McpPrompt, McpResource, McpTool } from 'sallyport';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { comparable, toolCall, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';

const nested = z.object({
  customer: z.object({ tenant: z.string().optional(), name: z.string().optional() }).optional(),
});

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'flat',
    description: 'Takes a tenant.',
    input: z.object({ tenant: z.string().default('acme') }),
    scopes: ['a'],
    risk: 'read',
    tenancy: { argument: 'tenant' },
  })
  flat() {
    return this.#ran('flat');
  }

  @McpTool({
    name: 'nested',
    description: 'Takes a customer.',
    input: nested,
    scopes: ['a'],
    risk: 'read',
    tenancy: { argument: 'customer.tenant' },
  })
  nested() {
    return this.#ran('nested');
  }

  @McpTool({
    name: 'several',
    description: 'Takes lines.',
    input: z.object({ from: z.string(), lines: z.array(z.object({ tenant: z.string() })) }),
    scopes: ['a'],
    risk: 'read',
    tenancy: { argument: ['from', 'lines.tenant'] },
  })
  several() {
    return this.#ran('several');
  }

  @McpTool({
    name: 'loose',
    description: 'Takes anything.',
    input: z.looseObject({}),
    scopes: ['a'],
    risk: 'read',
    tenancy: { argument: 'tenant' },
  })
  loose() {
    return this.#ran('loose');
  }

  @McpResource({
    name: 'books',
    uri: 'books://{tenant}/all',
    description: 'Books.',
    scopes: ['a'],
    tenancy: { argument: 'tenant' },
  })
  books() {
    return this.#ran('books');
  }

  @McpPrompt({
    name: 'report',
    description: 'Reports.',
    input: z.object({ tenant: z.string() }),
    scopes: ['a'],
    tenancy: { argument: 'tenant' },
  })
  report() {
    return this.#ran('report');
  }

  #ran(name: string): string {
    this.runs.note(name);
    return name;
  }
}

type Message = { method: string; params: Json };

const books = (tenant: string): Message => ({
  method: 'resources/read',
  params: { uri: `books://${tenant}/all` },
});
const report = (tenant: string): Message => ({
  method: 'prompts/get',
  params: { name: 'report', arguments: { tenant } },
});

const OWN: readonly [string, Message, string][] = [
  ['an argument', toolCall('flat', { tenant: 'acme' }), 'flat'],
  ['an argument that is defaulted', toolCall('flat'), 'flat'],
  ['a nested argument', toolCall('nested', { customer: { tenant: 'acme' } }), 'nested'],
  ['every item of a list', toolCall('several', { from: 'acme', lines: [{ tenant: 'acme' }] }), 'several'],
  ['an argument of no schema', toolCall('loose', { tenant: 'acme' }), 'loose'],
  ['the URI of a resource', books('acme'), 'books'],
  ['the argument of a prompt', report('acme'), 'report'],
];

const OTHERS: readonly [string, Message][] = [
  ['an argument', toolCall('flat', { tenant: 'globex' })],
  ['an argument, in another spelling', toolCall('flat', { tenant: 'ACME' })],
  ['an argument, with a space', toolCall('flat', { tenant: 'acme ' })],
  ['no argument: it is empty', toolCall('flat', { tenant: '' })],
  ['a nested argument', toolCall('nested', { customer: { tenant: 'globex' } })],
  ['no nested argument: it is missing', toolCall('nested', { customer: { name: 'acme' } })],
  ['no nested argument: all of it is missing', toolCall('nested')],
  [
    'one item of a list',
    toolCall('several', { from: 'acme', lines: [{ tenant: 'acme' }, { tenant: 'globex' }] }),
  ],
  ['no item of a list', toolCall('several', { from: 'acme', lines: [] })],
  ['the first of two arguments', toolCall('several', { from: 'globex', lines: [{ tenant: 'acme' }] })],
  ['an argument of no schema that is a list', toolCall('loose', { tenant: ['acme', 'globex'] })],
  ['an argument of no schema that is a number', toolCall('loose', { tenant: 7 })],
  ['an argument of no schema that is an object', toolCall('loose', { tenant: { toString: 'acme' } })],
  ['an argument of no schema that is null', toolCall('loose', { tenant: null })],
  ['no argument of no schema', toolCall('loose', { Tenant: 'acme' })],
  ['the URI of a resource', books('globex')],
  ['the argument of a prompt', report('globex')],
];

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(WAYS)('A tenant in the arguments, on %s in %s:', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
  });
  afterAll(async () => server.close());

  async function call(message: Message, tenant: string | undefined = 'acme', scope = 'a') {
    const token = await issuer.token({ scope, claims: { tenant } });
    return server.observe(() => server.send({ era, token, ...message }));
  }

  async function unknown(method: string) {
    const params = method === 'resources/read' ? { uri: 'nothing://r' } : { name: 'nothing' };
    return comparable((await call({ method, params })).answer);
  }

  it.each(OWN)('runs when the tenant of the caller is named by %s', async (_what, message, name) => {
    const { answer, ran, records } = await call(message);
    expect({ status: answer.status, ran }).toEqual({ status: 200, ran: [name] });
    expect(records).toMatchObject([{ kind: 'attempt', decision: 'permit', outcome: 'completed' }]);
  });

  it.each(OTHERS)('looks unknown when another is named by %s', async (_what, message) => {
    const { answer, ran, records } = await call(message);
    expect(ran).toEqual([]);
    expect(comparable(answer)).toEqual(await unknown(message.method));
    expect(records).toMatchObject([
      { kind: 'refusal', decision: 'refuse', reason: 'tenant', tenant: 'acme' },
    ]);
    expect(JSON.stringify(records[0]?.checks)).not.toContain('globex');
  });

  it('asks for a tenant of the caller first', async () => {
    const token = await issuer.token({ scope: 'a' });
    const { answer, ran } = await server.observe(() =>
      server.send({ era, token, ...toolCall('flat', { tenant: 'acme' }) }),
    );
    expect(answer.error?.data).toMatchObject({ reason: 'unknown' });
    expect(ran).toEqual([]);
  });

  it('says nothing of whose arguments they are before the caller has consented', async () => {
    const own = await call(toolCall('flat', { tenant: 'acme' }), 'acme', 'mail:read');
    const other = await call(toolCall('flat', { tenant: 'globex' }), 'acme', 'mail:read');
    expect(own.answer.status).toBe(403);
    expect(comparable(other.answer)).toEqual(comparable(own.answer));
    expect([...own.ran, ...other.ran]).toEqual([]);
  });
});

it.each([
  ['is not there', 'custmer.tenant', /binds its tenancy to the argument "custmer\.tenant", which is no text/],
  ['is an object', 'customer', /binds its tenancy to the argument "customer"/],
  ['has no name', '', /unknown tenancy: write tenancy: 'required' or 'none', or/],
])('An argument that %s stops the boot', async (_what, argument, message) => {
  @Injectable()
  class Unbound {
    @McpTool({
      name: 'x',
      description: 'X.',
      scopes: ['a'],
      risk: 'read',
      input: nested,
      tenancy: { argument },
    })
    x(): string {
      return 'x';
    }
  }
  await expect(TestServer.start({ issuer, providers: [Unbound] })).rejects.toThrow(message);
});
