import { Injectable } from '@nestjs/common';
import fc from 'fast-check';
import { Caller, McpTool, type Principal } from 'sallyport';
import { TestIssuer } from './support/issuer.js';
import { bodyOf, headersOf, sendBytes, toolCall, withEnvelope, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';
import { StdioClient } from './support/stdio.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' })
  open(@Caller() caller: Principal) {
    this.runs.note(`open as ${caller.subject}`);
    return 'opened';
  }

  @McpTool({ name: 'purge', description: 'Purges.', role: 'agent:admin', risk: 'write' })
  purge() {
    this.runs.note('purge');
    return 'purged';
  }
}

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
});
afterAll(async () => issuer.stop());

/** Messages that one reader may take for a call and another for something else. */
const ODD: readonly [string, (body: Json) => Json][] = [
  ['without an id', ({ id: _id, ...body }) => body],
  ['with the id null', (body) => ({ ...body, id: null })],
  ['with an object for an id', (body) => ({ ...body, id: { a: 1 } })],
  ['with a result', (body) => ({ ...body, result: {} })],
  ['with an error', (body) => ({ ...body, error: { code: 1, message: 'x' } })],
  ['with another version of JSON-RPC', (body) => ({ ...body, jsonrpc: '1.0' })],
  ['without a version', ({ jsonrpc: _version, ...body }) => body],
  ['with a list of methods', (body) => ({ ...body, method: ['tools/call'] })],
  ['with blanks in its method', (body) => ({ ...body, method: ' tools/call' })],
  ['with a method in another case', (body) => ({ ...body, method: 'TOOLS/CALL' })],
  ['with params in a list', (body) => ({ ...body, params: [body['params']] })],
  ['without params', ({ params: _params, ...body }) => body],
  ['with a list of names', (body) => ({ ...body, params: { ...(body['params'] as Json), name: ['open'] } })],
  ['with a name that is a number', (body) => ({ ...body, params: { ...(body['params'] as Json), name: 7 } })],
  [
    'with a name in another case',
    (body) => ({ ...body, params: { ...(body['params'] as Json), name: 'Open' } }),
  ],
];

describe.each(WAYS)('An odd message, on %s in %s,', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
  });
  afterAll(async () => server.close());

  it.each(ODD)('%s runs nothing', async (_what, change) => {
    const request = { era, token, ...toolCall('open') };
    const { answer, ran, records } = await server.observe(() =>
      sendBytes(server.url, JSON.stringify(change(bodyOf(request))), headersOf(request)),
    );
    expect(ran).toEqual([]);
    expect(answer.status).toBeLessThan(500);
    expect(records.every(({ kind, outcome }) => kind !== 'attempt' || outcome === 'not_run')).toBe(true);
  });

  it('of one era under the headers of the other is decided on all the same', async () => {
    const other = era === '2026-07-28' ? '2025-11-25' : '2026-07-28';
    for (const name of ['open', 'purge']) {
      const body = JSON.stringify(bodyOf({ era, ...toolCall(name) }));
      const headers = headersOf({ era: other, token, ...toolCall(name) });
      const { ran, records } = await server.observe(() => sendBytes(server.url, body, headers));
      expect(ran).toHaveLength(records.filter(({ outcome }) => outcome === 'completed').length);
      expect(ran).not.toContain('purge');
    }
  });

  it('of any make never runs what was not permitted, and runs nothing that is not recorded', async () => {
    await fc.assert(
      fc.asyncProperty(oddBody, fc.boolean(), async (body, withToken) => {
        const request = { era, ...(withToken && { token }), ...toolCall('open') };
        const { answer, ran, records } = await server.observe(() =>
          sendBytes(server.url, JSON.stringify(body), headersOf(request)),
        );
        const completed = records.filter(
          ({ kind, outcome }) => kind === 'attempt' && outcome === 'completed',
        );
        expect(ran).toEqual(completed.map(() => 'open as alice'));
        expect(withToken ? 0 : ran.length).toBe(0);
        expect(answer.status).toBeLessThan(500);
        expect(records.filter(({ outcome }) => outcome === 'ambiguous')).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

const text = fc.constantFrom(
  'open',
  'purge',
  'tools/call',
  'tools/list',
  'initialize',
  'ping',
  'notifications/x',
  '',
);
const anything = fc.oneof(text, fc.jsonValue({ maxDepth: 2 }));
const params = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      { name: text, arguments: fc.oneof(fc.constant({}), anything) },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: anything },
);
/** Close enough to a message to get far. */
const oddBody = fc
  .record(
    {
      jsonrpc: fc.oneof({ weight: 8, arbitrary: fc.constant('2.0') }, { weight: 1, arbitrary: anything }),
      id: fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: anything }),
      method: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom('tools/call', 'tools/list') },
        { weight: 2, arbitrary: anything },
      ),
      params: fc
        .tuple(params, fc.boolean())
        .map(([value, enveloped]): unknown =>
          enveloped && typeof value === 'object' && value !== null && !Array.isArray(value)
            ? withEnvelope(value as Json)
            : value,
        ),
      result: anything,
    },
    { requiredKeys: ['method'] },
  )
  .filter((body) => !JSON.stringify(body).includes('__proto__'));

it.each(ODD)('An odd line on stdio, %s, runs nothing, and the next one is read', async (_what, change) => {
  const client = await StdioClient.start({ issuer, providers: [Tools], token });
  const { ran, records } = await client.observe(async () => {
    client.write(`${JSON.stringify(change(bodyOf({ id: 'odd', ...toolCall('open') })))}\n`);
    return client.request({ id: 'next', method: 'tools/list' });
  });
  expect(ran).toEqual([]);
  expect(records.every(({ kind, outcome }) => kind !== 'attempt' || outcome === 'not_run')).toBe(true);
  await client.close();
});
