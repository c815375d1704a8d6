import { Body, Controller, Injectable, Post, VersioningType, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Args, McpTool } from 'sallyport';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { answerOf, bodyOf, headersOf, send, sendBytes, toolCall, type Json } from './support/messages.js';
import { exchangeRaw, openSocket, rawMessage, rawRequest } from './support/raw-http.js';
import { applicationModule, PLATFORMS, Runs, TestServer, type Platform } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'echo',
    description: 'Says it again.',
    scopes: ['crm:read'],
    risk: 'read',
    input: z.object({ value: z.unknown() }),
  })
  echo(@Args() { value }: { value: unknown }) {
    this.runs.note('echo');
    return { value };
  }
}

/** What the application does besides. */
@Controller('orders')
class OrdersController {
  @Post()
  create(@Body() body: unknown) {
    return { received: body };
  }
}

const LIMITS = { maxBodyBytes: 4096, maxDepth: 16, maxElements: 100 };

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
});
afterAll(async () => issuer.stop());

function start(platform: Platform, more: Partial<Parameters<typeof TestServer.start>[0]> = {}) {
  return TestServer.start({
    issuer,
    platform,
    providers: [Tools],
    controllers: [OrdersController],
    ...more,
    sallyport: { limits: LIMITS, ...more.sallyport },
  });
}

function echo(value: unknown) {
  return { token, ...toolCall('echo', { value }) };
}

function textOf(value: unknown): string {
  return JSON.stringify(bodyOf(echo(value)));
}

/** A body that means one thing to one parser and another to the next. */
const AMBIGUOUS: readonly [string, (text: string) => string][] = [
  ['a duplicate key', (text) => text.replace('"method"', '"method":"tools/list","method"')],
  ['a duplicate key that is escaped', (text) => text.replace('"name"', '"name":"x","n\\u0061me"')],
  ['the key __proto__', (text) => text.replace('"value"', '"__proto__":{"admin":true},"value"')],
  ['arrays nested too deeply', (text) => text.replace('"here"', '['.repeat(20) + ']'.repeat(20))],
  ['too many elements', (text) => text.replace('"here"', JSON.stringify(Array(200).fill(0)))],
  ['text after the message', (text) => `${text} {}`],
  ['a batch', (text) => `[${text}]`],
  ['a batch of two', (text) => `[${text},${text}]`],
  ['a string', () => '"tools/call"'],
  ['half of a surrogate pair', (text) => text.replace('"here"', String.raw`"\ud800"`)],
  ['nothing', () => ''],
];

describe.each(PLATFORMS)('A body, on %s,', (platform) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await start(platform);
  });
  afterAll(async () => server.close());

  async function expectUnread(body: string | Uint8Array<ArrayBuffer>, headers: Json = {}, status = 400) {
    const all = { ...headersOf(echo('here')), ...(headers as Record<string, string>) };
    const { answer, ran, records } = await server.observe(() => sendBytes(server.url, body, all));
    expect({ status: answer.status, ran, records }).toEqual({ status, ran: [], records: [] });
    expect(answer.error).toEqual(expect.objectContaining({ code: expect.any(Number) }));
    expect(answer.text).not.toContain(token);
  }

  it('that is a message within the limits runs', async () => {
    const { answer, ran } = await server.observe(() => server.send(echo('here')));
    expect(answer.result).toMatchObject({ structuredContent: { value: 'here' } });
    expect(ran).toEqual(['echo']);
  });

  it.each(AMBIGUOUS)('with %s is refused before it is read', async (_what, change) => {
    await expectUnread(change(textOf('here')));
  });

  it('that is not UTF-8 is refused', async () => {
    const bytes = Buffer.from(textOf('here'));
    bytes[bytes.indexOf('here')] = 0xff;
    await expectUnread(new Uint8Array(bytes));
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json5',
    'multipart/form-data',
    '',
  ])('of the media type "%s" is refused', async (type) =>
    expectUnread(textOf('here'), { 'Content-Type': type }, 415),
  );

  it.each(['gzip', 'br', 'identity'])('in the encoding %s is refused', async (encoding) => {
    await expectUnread(textOf('here'), { 'Content-Encoding': encoding }, 415);
  });

  it('of a charset that is not UTF-8 is read as UTF-8 all the same', async () => {
    const headers = { ...headersOf(echo('here')), 'Content-Type': 'application/json; charset=utf-16' };
    const answer = await sendBytes(server.url, textOf('here'), headers);
    expect(answer.result).toMatchObject({ structuredContent: { value: 'here' } });
  });

  it('larger than the limit is refused by its Content-Length, before it is sent', async () => {
    const head = rawRequest('POST /mcp HTTP/1.1', [
      ['Host', '127.0.0.1'],
      ...Object.entries(headersOf(echo('here'))),
      ['Content-Length', '4097'],
    ]);
    const { answer, ran, records } = await server.observe(() => exchangeRaw(server.port, head));
    expect(answer).toMatchObject({ status: 413, text: expect.stringContaining('larger than 4096 bytes') });
    expect({ ran, records }).toEqual({ ran: [], records: [] });
  });

  it('larger than the limit is refused when it comes in chunks of no announced length', async () => {
    const head = rawRequest('POST /mcp HTTP/1.1', [
      ['Host', '127.0.0.1'],
      ...Object.entries(headersOf(echo('here'))),
      ['Transfer-Encoding', 'chunked'],
    ]);
    const chunk = Buffer.from(`800\r\n${' '.repeat(0x800)}\r\n`);
    const bytes = Buffer.concat([head, chunk, chunk, chunk]);
    const { answer, ran, records } = await server.observe(() => exchangeRaw(server.port, bytes));
    expect(answer).toMatchObject({ status: 413, text: expect.stringContaining('larger than 4096 bytes') });
    expect({ ran, records }).toEqual({ ran: [], records: [] });
  });

  it('within the limit runs when it comes in chunks', async () => {
    const body = Buffer.from(textOf('here'));
    const head = rawRequest('POST /mcp HTTP/1.1', [
      ['Host', '127.0.0.1'],
      ...Object.entries(headersOf(echo('here'))),
      ['Transfer-Encoding', 'chunked'],
      ['Connection', 'close'],
    ]);
    const chunks = [body.subarray(0, 50), body.subarray(50)].map((part) =>
      Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
    );
    const answer = await exchangeRaw(server.port, Buffer.concat([head, ...chunks, Buffer.from('0\r\n\r\n')]));
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"value":"here"') });
  });

  it('that never comes to its end leaves nothing behind', async () => {
    const socket = await openSocket(server.port);
    socket.write(rawMessage(echo('here')).subarray(0, -10));
    socket.destroy();
    const { ran, records } = await server.observe(() => server.send(echo('after')));
    expect({ ran, kinds: records.map(({ kind }) => kind) }).toEqual({ ran: ['echo'], kinds: ['attempt'] });
  });
});

describe.each(PLATFORMS)('The endpoint, on %s,', (platform) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await start(platform);
  });
  afterAll(async () => server.close());

  it.each(['GET', 'DELETE', 'PUT', 'PATCH'])('answers 405 to %s', async (method) => {
    const headers = { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' };
    const response = await fetch(server.url, { method, headers });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  it('refuses two Authorization headers, of which each reader would take another', async () => {
    const other = await issuer.token({ sub: 'bob', tenant: 'other', scope: 'crm:read' });
    const bytes = rawMessage(echo('here'), { more: [['Authorization', `Bearer ${other}`]] });
    const { answer, ran, records } = await server.observe(() => exchangeRaw(server.port, bytes));
    expect({ status: answer.status, ran, records }).toEqual({ status: 400, ran: [], records: [] });
  });

  it.each(['evil.example', 'evil.example:3000', 'localhost.evil.example', '127.0.0.1@evil.example', ''])(
    'refuses the host name "%s" (DNS rebinding)',
    async (host) => {
      const bytes = rawMessage(echo('here'), { host });
      const { answer, ran, records } = await server.observe(() => exchangeRaw(server.port, bytes));
      expect({ ran, records }).toEqual({ ran: [], records: [] });
      expect(answer.status).toBe(403);
    },
  );

  it.each(['127.0.0.1:1', 'LOCALHOST', '[::1]:80'])('answers to the host name "%s"', async (host) => {
    expect((await exchangeRaw(server.port, rawMessage(echo('here'), { host }))).status).toBe(200);
  });

  it.each(['https://evil.example', 'null', 'http://127.0.0.1.evil.example', 'http://127.0.0.1/mcp', ''])(
    'refuses a page of the origin "%s"',
    async (Origin) => {
      const { answer, ran, records } = await server.observe(() =>
        server.send({ ...echo('here'), headers: { Origin } }),
      );
      expect({ status: answer.status, ran, records }).toEqual({ status: 403, ran: [], records: [] });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    },
  );
});

describe.each(PLATFORMS)('A browser, on %s,', (platform) => {
  const origin = 'https://app.example';
  let server: TestServer;

  beforeAll(async () => {
    server = await start(platform, { sallyport: { allowedOrigins: [origin] } });
  });
  afterAll(async () => server.close());

  function preflight(from: string, asked: string) {
    return fetch(server.url, {
      method: 'OPTIONS',
      headers: {
        Origin: from,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': asked,
      },
    });
  }

  it('of an allowed origin may send every header of the protocol', async () => {
    const response = await preflight(origin, 'authorization, mcp-param-city, x-evil');
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('vary')).toContain('Origin');
    const allowed = response.headers.get('access-control-allow-headers')?.toLowerCase() ?? '';
    for (const name of ['authorization', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-param-city'])
      expect(allowed).toContain(name);
    expect(allowed).not.toContain('x-evil');
  });

  it('may read the challenge of a refusal', async () => {
    const answer = await server.send({ ...toolCall('echo'), headers: { Origin: origin } });
    expect(answer.status).toBe(401);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(answer.headers['access-control-expose-headers']).toContain('WWW-Authenticate');
    expect(answer.headers['access-control-expose-headers']).toContain('Retry-After');
  });

  it('of another origin gets no preflight', async () => {
    const response = await preflight('https://evil.example', 'authorization');
    expect(response.status).toBe(403);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is never told that its cookies would be taken', async () => {
    const answer = await server.send({ ...echo('x'), headers: { Origin: origin } });
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });
});

/** Spellings that a router may take for the path of the endpoint, and arrival does not. */
const SPELLINGS = [
  '/MCP',
  '/Mcp',
  '/mcp/',
  '//mcp',
  '/./mcp',
  '/x/../mcp',
  '/%6dcp',
  '/%6Dcp',
  '/mcp;x=1',
  '/mcp%2f',
  '/mcp%00',
  '/mcp#x',
  'http://127.0.0.1/mcp',
  'http://evil.example/mcp',
];

describe.each(PLATFORMS)('Another spelling of the path, on %s,', (platform) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await start(platform);
  });
  afterAll(async () => server.close());

  it.each(SPELLINGS)('%s reaches no handler', async (path) => {
    const { answer, ran, records } = await server.observe(() =>
      exchangeRaw(server.port, rawMessage(echo('here'), { path })),
    );
    expect({ ran, records }).toEqual({ ran: [], records: [] });
    expect([400, 404]).toContain(answer.status);
  });

  it.each(['/mcp?x', '/mcp?access_token=abc'])('%s is the endpoint', async (path) => {
    const answer = await exchangeRaw(server.port, rawMessage(echo('here'), { path }));
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"value":"here"') });
  });

  it.each(SPELLINGS)('%s reaches no handler without the limits either', async (path) => {
    const bytes = rawMessage({ ...echo('x'.repeat(5000)) }, { path });
    const { ran } = await server.observe(() => exchangeRaw(server.port, bytes));
    expect(ran).toEqual([]);
  });
});

describe.each(PLATFORMS)('The rest of the application, on %s,', (platform) => {
  async function order(origin: string, type: string, body: string) {
    const response = await fetch(`${origin}/orders`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body,
    });
    return { status: response.status, body: (await response.json()) as unknown };
  }

  it('still parses its own bodies, of its own size and media types', async () => {
    const server = await start(platform);
    const item = 'x'.repeat(5000);
    const json = await order(server.origin, 'application/json', JSON.stringify({ item }));
    expect(json).toEqual({ status: 201, body: { received: { item } } });
    const form = await order(server.origin, 'application/x-www-form-urlencoded', 'item=1');
    expect(form).toEqual({ status: 201, body: { received: { item: '1' } } });
    await server.close();
  });

  it('may have its own parsers, raw bodies and CORS without changing what arrives at the endpoint', async () => {
    const server = await start(platform, { configure: (app) => app.enableCors({ origin: '*' }) });
    const { answer, ran } = await server.observe(() => server.send(echo('here')));
    expect(answer.status).toBe(200);
    expect(ran).toEqual(['echo']);
    const refused = await server.send({ ...echo('x'), headers: { Origin: 'https://evil.example' } });
    expect(refused.status).toBe(403);
    await server.close();
  });

  it('may be versioned', async () => {
    const server = await start(platform, {
      configure: (app) => app.enableVersioning({ type: VersioningType.URI }),
    });
    expect((await server.send(echo('here'))).status).toBe(200);
    await server.close();
  });

  it('does not boot with a global prefix that would move the endpoint away from its resource', async () => {
    const booting = start(platform, { configure: (app) => app.setGlobalPrefix('api') });
    await expect(booting).rejects.toMatchObject({
      problems: [{ code: 'global_prefix', message: expect.stringContaining("exclude: ['/mcp']") }],
    });
  });

  it('may have a global prefix that leaves the endpoint where it is', async () => {
    const server = await start(platform, {
      configure: (app) => app.setGlobalPrefix('api', { exclude: ['/mcp'] }),
    });
    const { answer, ran } = await server.observe(() => server.send(echo('here')));
    expect({ status: answer.status, ran }).toEqual({ status: 200, ran: ['echo'] });
    await server.close();
  });

  it('may be booted by a testing module', async () => {
    const runs = new Runs();
    const imports = [applicationModule({ issuer, providers: [Tools], sallyport: { limits: LIMITS } }, runs)];
    const module = await Test.createTestingModule({ imports }).compile();
    const adapter = platform === 'Express' ? new ExpressAdapter() : new FastifyAdapter();
    const app: INestApplication = module.createNestApplication(adapter, { logger: false });
    await app.listen(0, '127.0.0.1');
    const url = `${await app.getUrl()}/mcp`;
    expect((await send(url, echo('here'))).result).toMatchObject({ structuredContent: { value: 'here' } });
    expect((await send(url, echo('x'.repeat(5000)))).status).toBe(413);
    const foreign = await fetch(url, { method: 'POST', headers: { Origin: 'https://evil.example' } });
    expect((await answerOf(foreign)).status).toBe(403);
    expect(runs.names).toEqual(['echo']);
    await app.close();
  });
});
