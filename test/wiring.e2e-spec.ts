import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  McpPrompt,
  McpResource,
  McpTool,
  oidc,
  SallyportModule,
  UnsafeWiringError,
  type SallyportOptions,
} from 'sallyport';
import { Deferred } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { PLATFORMS, Runs, TestServer, WAYS } from './support/server.js';

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

async function problemsOf(work: () => Promise<TestServer>): Promise<string[]> {
  try {
    await (await work()).close();
    return [];
  } catch (error) {
    if (error instanceof UnsafeWiringError)
      return error.problems.map(({ code, message }) => `${code}: ${message}`);
    throw error;
  }
}

describe('An option that nobody reads', () => {
  it.each<[string, object, RegExp]>([
    ['roles for role', { scopes: ['x:y'], roles: ['agent:admin'], risk: 'read' }, /unknown option "roles"/],
    ['scope for scopes', { scope: ['x:y'], role: 'agent:admin', risk: 'read' }, /unknown option "scope"/],
    [
      'a tenant for what is public',
      { public: true, risk: 'read', tenancy: 'required' },
      /public and asks for a tenant/,
    ],
  ])('stops the boot: %s', async (_, access, sentence) => {
    @Injectable()
    class Tools {
      @McpTool(Object.assign({ name: 'careless', description: 'x' }, access) as never)
      careless() {
        return 'x';
      }
    }
    const problems = await problemsOf(() => TestServer.start({ issuer, providers: [Tools] }));
    expect(problems.join()).toMatch(sentence);
  });

  it.each<[object, RegExp]>([
    [{ anonymos: 'refuse' }, /option anonymos is unknown/],
    [{ approvals: { external: { approvers: 1 } } }, /option approvals is unknown/],
    [{ limits: { maxBodyByte: 1 } }, /option limits.maxBodyByte is unknown/],
    [{ roles: { a: 'b' } }, /roles is no map/],
    [{ roles: null }, /roles is no map/],
    [{ signInScopes: 'x:y' }, /signInScopes is no list/],
    [{ drainSeconds: 1e9 }, /drainSeconds/],
  ])('stops the boot: %j', async (sallyport, sentence) => {
    const problems = await problemsOf(() =>
      TestServer.start({ issuer, sallyport: sallyport as Partial<SallyportOptions> }),
    );
    expect(problems.join()).toMatch(sentence);
  });

  it('stops the boot: a path of forRootAsync that is not that of the resource', async () => {
    @Module({
      imports: [
        TypeOrmModule.forRoot({ type: 'better-sqlite3', database: ':memory:' }),
        SallyportModule.forRootAsync({
          useFactory: () => ({
            server: { name: 'x', version: '1' },
            resource: 'http://127.0.0.1/other',
            identity: [oidc({ issuer: issuer.url })],
            audit: { dangerouslyVolatile: true },
          }),
        }),
      ],
    })
    class Application {}
    const boot = NestFactory.createApplicationContext(Application, { logger: false, abortOnError: false });
    await expect(boot).rejects.toThrow("write path: '/other' in forRootAsync");
  });
});

describe('Resource templates', () => {
  it('with two names in one segment stop the boot: matching them could take for ever', async () => {
    @Injectable()
    class Ambiguous {
      @McpResource({ name: 'two', uri: 'two://{a}-{b}', description: 'x', public: true })
      read() {
        return 'x';
      }
    }
    const problems = await problemsOf(() => TestServer.start({ issuer, providers: [Ambiguous] }));
    expect(problems.join()).toMatch(/two {names} in one segment/);
  });

  it('that overlap are told apart by how particular they are, not by their names', async () => {
    @Injectable()
    class Overlapping {
      @McpResource({ name: 'a-open', uri: 'ov://{name}', description: 'x', public: true })
      open() {
        return 'open';
      }

      @McpResource({ name: 'z-secret', uri: 'ov://secret-{id}', description: 'x', role: 'agent:admin' })
      secret() {
        return 'secret';
      }
    }
    const server = await TestServer.start({ issuer, providers: [Overlapping] });
    const read = (uri: string) => server.send({ method: 'resources/read', params: { uri } });
    expect((await read('ov://plans')).status).toBe(200);
    expect((await read('ov://secret-plans')).status).toBe(401);
    await server.close();
  });
});

@Injectable()
class Malformed {
  started = new Deferred();
  release = new Deferred();

  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'bogus', description: 'x', role: 'agent:read-only', risk: 'write' })
  tool() {
    this.runs.note('bogus');
    return { content: [{ type: 'bogus' }] };
  }

  @McpResource({ name: 'bogus', uri: 'bogus://it', description: 'x', role: 'agent:read-only' })
  resource() {
    return { contents: [{ bogus: 1 }] };
  }

  @McpPrompt({ name: 'bogus', description: 'x', role: 'agent:read-only' })
  prompt() {
    return [{ role: 'system', content: { type: 'text', text: 'x' } }];
  }

  @McpTool({ name: 'endless', description: 'x', role: 'agent:read-only', risk: 'read' })
  async endless() {
    this.started.resolve();
    await this.release.promise;
    return 'x';
  }
}

describe.each(WAYS)('A result that is not shaped as MCP has it, on %s in %s', (platform, era) => {
  it.each([
    toolCall('bogus'),
    { method: 'resources/read', params: { uri: 'bogus://it' } },
    { method: 'prompts/get', params: { name: 'bogus' } },
  ])('is recorded as failed, and answered with a reference: %j', async (message) => {
    const server = await TestServer.start({ issuer, platform, providers: [Malformed] });
    const token = await issuer.token({ tenant: 'acme', roles: ['agent:read-only'] });
    const { answer, records } = await server.observe(() => server.send({ era, token, ...message }));
    expect(records).toMatchObject([{ kind: 'attempt', outcome: 'failed' }]);
    expect(answer.text).toContain('Reference:');
    expect(answer.text).not.toContain('bogus');
    expect(server.logs.lines.join()).toContain('not shaped as MCP has it');
    await server.close();
  });
});

describe.each(PLATFORMS)('A shutdown, on %s', (platform) => {
  it('tells what still runs at its deadline to stop', async () => {
    const server = await TestServer.start({
      issuer,
      platform,
      providers: [Malformed],
      sallyport: { drainSeconds: 0 },
    });
    const tools = server.app.get(Malformed);
    const token = await issuer.token({ tenant: 'acme', roles: ['agent:read-only'] });
    const running = server.send({ token, ...toolCall('endless') });
    await tools.started.promise;
    const closed = server.close();
    tools.release.resolve();
    expect((await running).text).not.toContain('invalid_token');
    await closed;
  });
});
