import { Injectable } from '@nestjs/common';
import { McpPrompt, McpResource, McpTool } from 'sallyport';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { toolCall, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';

const mail = { description: 'x', scopes: ['mail'], role: 'agent:read-only' } as const;

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ ...mail, name: 'read', risk: 'read' })
  read() {
    return this.#ran('read');
  }

  @McpTool({ ...mail, name: 'draft', risk: 'write' })
  draft() {
    return this.#ran('draft');
  }

  @McpTool({ ...mail, name: 'send', risk: 'external', input: z.object({ to: z.email() }) })
  send() {
    return this.#ran('send');
  }

  @McpTool({ ...mail, name: 'delete', risk: 'destructive' })
  delete() {
    return this.#ran('delete');
  }

  @McpResource({ ...mail, name: 'relay', uri: 'mail://relay', risk: 'external' })
  relay() {
    return this.#ran('relay');
  }

  @McpPrompt({ ...mail, name: 'burn', risk: 'destructive' })
  burn() {
    return this.#ran('burn');
  }

  #ran(name: string): string {
    this.runs.note(name);
    return name;
  }
}

const HELD: readonly [string, { method: string; params: Json }, string][] = [
  ['an external tool', toolCall('send', { to: 'a@b.example' }), 'external'],
  ['a destructive tool', toolCall('delete'), 'destructive'],
  ['an external resource', { method: 'resources/read', params: { uri: 'mail://relay' } }, 'external'],
  ['a destructive prompt', { method: 'prompts/get', params: { name: 'burn' } }, 'destructive'],
];

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(WAYS)('Risk, on %s in %s:', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
  });
  afterAll(async () => server.close());

  function tokenOf(scope = 'mail') {
    return issuer.token({ tenant: 'acme', scope, roles: ['agent:admin'] });
  }

  it.each(HELD)('holds %s for a person, and runs nothing', async (_what, message, risk) => {
    const token = await tokenOf();
    const { answer, ran, records } = await server.observe(() => server.send({ era, token, ...message }));
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toBeUndefined();
    expect(answer.error).toMatchObject({ code: -32012, data: { reason: 'approval_required' } });
    expect(ran).toEqual([]);
    expect(records).toMatchObject([{ kind: 'refusal', decision: 'hold', reason: 'approval_required', risk }]);
  });

  it.each([
    ['the same call again', {}],
    [
      'an answer to a question nobody asked',
      { inputResponses: { approve: { action: 'accept', content: {} } } },
    ],
    ['a request state of its own making', { requestState: 'approved', inputResponses: {} }],
    ['a claim in _meta', { _meta: { approved: true, approval: 'yes' } }],
  ])('is not moved by %s', async (_what, more) => {
    const token = await tokenOf();
    const { ran } = await server.observe(async () => {
      const message = { era, token, method: 'tools/call', params: { name: 'delete', ...more } };
      return [await server.send(message), await server.send(message)];
    });
    expect(ran).toEqual([]);
  });

  it('asks for consent before it asks for approval', async () => {
    const token = await tokenOf('other');
    const { answer, records } = await server.observe(() =>
      server.send({ era, token, ...toolCall('delete') }),
    );
    expect(answer.error).toMatchObject({ data: { reason: 'insufficient_scope' } });
    expect(records).toMatchObject([{ reason: 'insufficient_scope', decision: 'refuse' }]);
  });

  it('asks nobody to approve arguments that do not match', async () => {
    const token = await tokenOf();
    const { answer, ran, records } = await server.observe(() =>
      server.send({ era, token, ...toolCall('send', { to: 'nobody' }) }),
    );
    expect(answer.result).toMatchObject({ isError: true });
    expect(ran).toEqual([]);
    expect(records).toMatchObject([{ decision: 'refuse', reason: 'invalid_arguments' }]);
  });

  it.each(['read', 'draft'])('runs %s at once', async (name) => {
    const token = await tokenOf();
    expect((await server.observe(() => server.send({ era, token, ...toolCall(name) }))).ran).toEqual([name]);
  });

  it('tells clients by annotations that cannot contradict the policy', async () => {
    const answer = await server.send({ era, token: await tokenOf(), method: 'tools/list' });
    const tools = answer.result?.['tools'] as { name: string; annotations: unknown }[];
    expect(Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations]))).toEqual({
      delete: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
      draft: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
      read: { readOnlyHint: true, destructiveHint: false, openWorldHint: false },
      send: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    });
  });
});
