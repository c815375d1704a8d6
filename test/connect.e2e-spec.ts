import { Agent, request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { HttpException, Injectable, type CanActivate } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { McpTool } from 'sallyport';
import { TestIssuer } from './support/issuer.js';
import { bodyOf, headersOf, toolCall } from './support/messages.js';
import { PLATFORMS, Runs, TestServer } from './support/server.js';
import { StdioClient } from './support/stdio.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'open', description: 'For anyone.', public: true, risk: 'read' })
  open() {
    this.runs.note('open');
    return 'open';
  }
}

const HELLO = {
  era: '2025-11-25',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'a-test', version: '1' } },
} as const;

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(PLATFORMS)('Connecting over HTTP, on %s', (platform) => {
  it.each([
    HELLO,
    { era: '2026-07-28', method: 'server/discover' } as const,
    { method: 'tools/list' } as const,
  ])('is refused and recorded where everybody must sign in: %j', async (message) => {
    const sallyport = { anonymous: 'refuse', instructions: 'for members alone' } as const;
    const server = await TestServer.start({ issuer, platform, providers: [Tools], sallyport });
    const { answer, records } = await server.observe(() => server.send(message));
    expect(answer).toMatchObject({ status: 401, error: { data: { reason: 'authentication_required' } } });
    expect(answer.text).not.toContain('for members alone');
    expect(records).toMatchObject([
      { kind: 'authentication', reason: 'no_credential', address: '127.0.0.1' },
    ]);
    await server.close();
  });

  it('leaves the word of an application-wide guard as it is', async () => {
    class Throttler implements CanActivate {
      canActivate(): boolean {
        throw new HttpException('Slow down.', 429);
      }
    }
    const providers = [Tools, { provide: APP_GUARD, useClass: Throttler }];
    const server = await TestServer.start({ issuer, platform, providers });
    const { answer, ran } = await server.observe(() => server.send(toolCall('open')));
    expect(answer).toMatchObject({ status: 429, error: { message: 'Slow down.' } });
    expect(ran).toEqual([]);
    await server.close();
  });

  it('does not keep a shutdown waiting for a client that holds on to its connection', async () => {
    const server = await TestServer.start({ issuer, platform, providers: [Tools] });
    const agent = new Agent({ keepAlive: true });
    const call = { era: '2025-11-25', ...toolCall('open') } as const;
    const request = httpRequest(server.url, { agent, method: 'POST', headers: headersOf(call) });
    request.end(JSON.stringify(bodyOf(call)));
    const [response] = await once(request, 'response');
    const closed = server.close();
    response.resume();
    await once(response, 'end');
    await closed;
    agent.destroy();
  });
});

describe('Connecting over stdio', () => {
  const instructions = 'for members alone';

  it.each<[string, string | undefined, string]>([
    ['with a token that is not good', 'not-a-token', 'invalid_token'],
    ['without one where everybody must sign in', undefined, 'authentication_required'],
  ])('is refused and recorded %s', async (_, token, reason) => {
    const sallyport = { anonymous: 'refuse', instructions } as const;
    const client = await StdioClient.start({ issuer, providers: [Tools], sallyport, token });
    const { answer, records } = await client.observe(() => client.initialize());
    expect(answer).toMatchObject({ error: { data: { reason } } });
    expect(JSON.stringify(answer)).not.toContain(instructions);
    expect(records).toMatchObject([{ kind: 'authentication', via: 'stdio' }]);
    await client.close();
  });

  it('is answered for a principal', async () => {
    const token = await issuer.token({ tenant: 'acme' });
    const sallyport = { anonymous: 'refuse', instructions } as const;
    const client = await StdioClient.start({ issuer, providers: [Tools], sallyport, token });
    expect(await client.initialize()).toMatchObject({ result: { instructions } });
    await client.close();
  });
});
