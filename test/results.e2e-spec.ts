import { HttpException, Injectable, InternalServerErrorException, NotFoundException } from '@nestjs/common';
import { Args, McpPrompt, McpResource, McpTool } from 'sallyport';
import { QueryFailedError } from 'typeorm';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { toolCall, type Json } from './support/messages.js';
import { TestServer, WAYS } from './support/server.js';

const OPEN = { description: 'x', scopes: ['crm:read'] } as const;
const SECRET = 'hunter2';

const circle: Json = {};
circle['self'] = circle;

/** What a handler may return, and what it may not. */
const RETURNS: Record<string, () => unknown> = {
  text: () => 'hello',
  nothing: () => undefined,
  object: () => ({ a: 1, at: new Date(0), gone: undefined }),
  list: () => [1, 2],
  number: () => 7,
  content: () => ({ content: [{ type: 'text', text: 'as it is' }], _meta: { a: 1 } }),
  failure: () => ({ content: [{ type: 'text', text: 'did not work' }], isError: true }),
  circle: () => circle,
  bigint: () => ({ big: 7n }),
};

const THROWS: Record<string, () => never> = {
  error: () => {
    throw new Error(`${SECRET} at /srv/app/secret.ts`);
  },
  sql: () => {
    throw new QueryFailedError(`SELECT ${SECRET}`, [SECRET], new Error(SECRET));
  },
  string: () => {
    // oxlint-disable-next-line typescript/only-throw-error
    throw SECRET;
  },
  internal: () => {
    throw new InternalServerErrorException(SECRET);
  },
  teapot: () => {
    throw new HttpException('No tea with that.', 418);
  },
  missing: () => {
    throw new NotFoundException('There is no record 7.');
  },
};

@Injectable()
class Tools {
  @McpTool({ ...OPEN, name: 'give', risk: 'read', input: z.object({ what: z.string() }) })
  give(@Args('what') what: string) {
    return (RETURNS[what] ?? THROWS[what])?.();
  }

  @McpTool({
    ...OPEN,
    name: 'typed',
    risk: 'read',
    input: z.object({ value: z.unknown() }),
    output: z.object({ id: z.string(), count: z.number().default(0) }),
  })
  typed(@Args('value') value: unknown) {
    return value;
  }

  @McpResource({ ...OPEN, name: 'page', uri: 'docs://{what}' })
  page(@Args('what') what: string): unknown {
    if (what === 'bytes') return new Uint8Array([1, 2, 3]);
    if (what === 'contents') return { contents: [{ uri: 'docs://x', text: 'own' }] };
    return (RETURNS[what] ?? THROWS[what])?.();
  }

  @McpResource({ ...OPEN, name: 'fixed', uri: 'fixed://page', mimeType: 'text/markdown' })
  fixed(@Args() args: unknown) {
    return `# ${JSON.stringify(args)}`;
  }

  @McpPrompt({ ...OPEN, name: 'prompt', input: z.object({ what: z.string() }) })
  prompt(@Args('what') what: string): unknown {
    if (what === 'messages')
      return { messages: [{ role: 'assistant', content: { type: 'text', text: 'hi' } }] };
    if (what === 'several') return [{ role: 'user', content: { type: 'text', text: 'a' } }];
    return (RETURNS[what] ?? THROWS[what])?.();
  }
}

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
});
afterAll(async () => issuer.stop());

const read = (what: string) => ({ method: 'resources/read', params: { uri: `docs://${what}` } });
const prompt = (what: string) => ({ method: 'prompts/get', params: { name: 'prompt', arguments: { what } } });

describe.each(WAYS)('What a method returns, on %s in %s,', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
  });
  afterAll(async () => server.close());

  function call(message: { method: string; params: Json }) {
    return server.observe(() => server.send({ era, token, ...message }));
  }

  it.each<[string, { method: string; params: Json }, Json]>([
    ['a string', toolCall('give', { what: 'text' }), { content: [{ type: 'text', text: 'hello' }] }],
    ['nothing', toolCall('give', { what: 'nothing' }), { content: [] }],
    [
      'an object',
      toolCall('give', { what: 'object' }),
      { structuredContent: { a: 1, at: '1970-01-01T00:00:00.000Z' } },
    ],
    ['a list', toolCall('give', { what: 'list' }), { content: [{ text: '[1,2]' }] }],
    ['a number', toolCall('give', { what: 'number' }), { content: [{ text: '7' }] }],
    [
      'MCP content',
      toolCall('give', { what: 'content' }),
      { content: [{ text: 'as it is' }], _meta: { a: 1 } },
    ],
    [
      'an object with a declared output',
      toolCall('typed', { value: { id: 'x' } }),
      { structuredContent: { id: 'x', count: 0 } },
    ],
    [
      'text of a resource',
      read('text'),
      { contents: [{ uri: 'docs://text', mimeType: 'text/plain', text: 'hello' }] },
    ],
    ['JSON of a resource', read('list'), { contents: [{ mimeType: 'application/json', text: '[1,2]' }] }],
    ['bytes of a resource', read('bytes'), { contents: [{ uri: 'docs://bytes', blob: 'AQID' }] }],
    ['contents of a resource', read('contents'), { contents: [{ uri: 'docs://x', text: 'own' }] }],
    ['a prompt as a string', prompt('text'), { messages: [{ role: 'user', content: { text: 'hello' } }] }],
    [
      'a prompt as messages',
      prompt('messages'),
      { messages: [{ role: 'assistant', content: { text: 'hi' } }] },
    ],
    ['a prompt as a list of messages', prompt('several'), { messages: [{ content: { text: 'a' } }] }],
  ])('%s, becomes a result', async (_what, message, result) => {
    const { answer, records } = await call(message);
    expect(answer.result).toMatchObject(result);
    expect(records).toMatchObject([{ kind: 'attempt', outcome: 'completed' }]);
    expect(records[0]?.resultBytes).toBeGreaterThan(0);
  });

  it('a failure in MCP content, is recorded as one', async () => {
    const { answer, records } = await call(toolCall('give', { what: 'failure' }));
    expect(answer.result).toMatchObject({ isError: true, content: [{ text: 'did not work' }] });
    expect(records).toMatchObject([{ outcome: 'failed' }]);
  });

  it.each<[string, { method: string; params: Json }]>([
    ['a tool with a circle', toolCall('give', { what: 'circle' })],
    ['a tool with a bigint', toolCall('give', { what: 'bigint' })],
    ['a tool, not as its output is declared', toolCall('typed', { value: { id: 7, password: SECRET } })],
    [
      'a tool, MCP content that goes around its output',
      toolCall('typed', { value: { content: [], structuredContent: { password: SECRET } } }),
    ],
    ['a resource with a circle', read('circle')],
    ['a resource with nothing', read('nothing')],
    ['a prompt that is a number', prompt('number')],
  ])('%s, is not sent', async (_what, message) => {
    const { answer, records } = await call(message);
    expectFailure(answer);
    expect(records).toMatchObject([{ outcome: 'failed' }]);
  });

  it('as arguments of a resource without variables is nothing, whatever its caller adds', async () => {
    const params = { uri: 'fixed://page', arguments: { tenant: 'globex' } };
    const { answer } = await call({ method: 'resources/read', params });
    expect(answer.result).toMatchObject({ contents: [{ mimeType: 'text/markdown', text: '# {}' }] });
  });

  function expectFailure({ text, result, error }: Awaited<ReturnType<typeof call>>['answer']): void {
    expect(text).not.toMatch(new RegExp(`${SECRET}|\\.ts|at \\S+:\\d|SELECT|Error:|Tools\\.`));
    expect(text).toMatch(/Reference: [0-9a-f-]{36}/);
    if (error === undefined) expect(result).toMatchObject({ isError: true });
  }

  describe.each(['error', 'sql', 'string', 'internal'])(
    'an exception (%s) that is not for callers',
    (what) => {
      it.each([toolCall('give', { what }), read(what), prompt(what)])(
        'says nothing of itself in $method',
        async (message) => {
          const { answer, records } = await call(message);
          expectFailure(answer);
          expect(answer.text).toContain(records[0]?.call ?? 'no record');
          expect(records).toMatchObject([{ outcome: 'failed' }]);
        },
      );
    },
  );

  it.each([
    ['missing', 'There is no record 7.'],
    ['teapot', 'No tea with that.'],
  ])('an exception (%s) that is meant for callers, is read by them', async (what, sentence) => {
    for (const message of [toolCall('give', { what }), read(what), prompt(what)]) {
      const { answer, records } = await call(message);
      expect(answer.text).toContain(sentence);
      expect(records).toMatchObject([{ outcome: 'failed' }]);
    }
  });
});
