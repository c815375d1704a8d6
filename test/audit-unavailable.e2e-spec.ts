import { Injectable } from '@nestjs/common';
import { McpPrompt, McpResource, McpTool } from 'sallyport';
import { breakAudit, loseTable, SQLITE_FAULTS } from './support/broken-audit.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall, type Answer, type Json } from './support/messages.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';
import { Runs, TestServer, WAYS, type Platform } from './support/server.js';

@Injectable()
class Tools {
  /** What happens in the middle of `slow`. */
  during: () => Promise<unknown> = () => Promise.resolve();

  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' })
  open() {
    this.runs.note('open');
    return 'opened';
  }

  @McpTool({ name: 'slow', description: 'Takes its time.', scopes: ['crm:read'], risk: 'write' })
  async slow() {
    this.runs.note('slow');
    await this.during();
    return 'the secret result';
  }

  @McpResource({ name: 'page', uri: 'docs://page', description: 'A page.', scopes: ['crm:read'] })
  page() {
    this.runs.note('page');
    return 'text';
  }

  @McpPrompt({ name: 'ask', description: 'Asks.', scopes: ['crm:read'] })
  ask() {
    this.runs.note('ask');
    return 'please';
  }
}

const EVERY_WAY_IN: readonly { method: string; params?: Json }[] = [
  toolCall('open'),
  toolCall('does-not-exist'),
  { method: 'resources/read', params: { uri: 'docs://page' } },
  { method: 'prompts/get', params: { name: 'ask' } },
  { method: 'tools/list' },
  { method: 'resources/list' },
  { method: 'resources/templates/list' },
  { method: 'prompts/list' },
];

let issuer: TestIssuer;
let token: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
});

afterAll(async () => issuer.stop());

const audit = { timeoutMs: 500 };

function start(platform: Platform = 'Fastify') {
  return TestServer.start({ issuer, platform, providers: [Tools], sallyport: { audit } });
}

function expectUnavailable(answer: Answer): void {
  expect(answer.status).toBe(503);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expect(answer.error).toMatchObject({ code: -32013, data: { reason: 'unavailable' } });
  expect(answer.text).not.toMatch(/sqlite|postgres|sallyport_audit|lost_audit|ECONN/i);
}

describe.each(WAYS)('When the audit cannot record, on %s in %s', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await start(platform);
  });
  afterAll(async () => server.close());

  it.each(SQLITE_FAULTS)('runs nothing, lists nothing and says 503, because %s', async (fault) => {
    const { answer, records, ran } = await server.observe(async () => {
      const repair = await breakAudit(server, fault);
      const answers = await Promise.all(
        EVERY_WAY_IN.map((message) => server.send({ era, token, ...message })),
      );
      await repair();
      return answers;
    });
    answer.forEach(expectUnavailable);
    expect({ ran, records }).toEqual({ ran: [], records: [] });
  });

  it('does not say that a credential is bad when that cannot be recorded', async () => {
    const repair = await breakAudit(server, 'its table is gone');
    const answer = await server.send({ era, token: 'x.y.z', ...toolCall('open') });
    await repair();
    expectUnavailable(answer);
    expect(answer.headers['www-authenticate']).toBeUndefined();
  });

  it('serves the next call when it is back', async () => {
    for (const fault of SQLITE_FAULTS) await (await breakAudit(server, fault))();
    const { answer, records, ran } = await server.observe(() =>
      server.send({ era, token, ...toolCall('open') }),
    );
    expect(answer.result).toMatchObject({ content: [{ text: 'opened' }] });
    expect(ran).toEqual(['open']);
    expect(records).toMatchObject([{ kind: 'attempt', outcome: 'completed' }]);
  });

  it('withholds a result whose outcome cannot be recorded, and leaves the attempt ambiguous', async () => {
    let repair: () => Promise<void> = () => Promise.resolve();
    server.app.get(Tools).during = async () => {
      repair = await loseTable(server);
    };
    const { answer, records, ran } = await server.observe(async () => {
      const given = await server.send({ era, token, ...toolCall('slow') });
      await repair();
      return given;
    });
    expect(ran).toEqual(['slow']);
    expect(answer.text).not.toContain('the secret result');
    expect(answer.error).toMatchObject({ code: -32603, data: { reason: 'outcome_unrecorded' } });
    expect(records).toMatchObject([{ kind: 'attempt', entry: 'slow', outcome: 'ambiguous' }]);
    expect(answer.error?.data?.['reference']).toBe(records[0]?.call);
  });
});

describe('When PostgreSQL is stopped', () => {
  let postgres: RunningPostgres;
  let server: TestServer;

  beforeAll(async () => {
    postgres = await startPostgres();
    server = await TestServer.start({
      issuer,
      providers: [Tools],
      sallyport: { audit: { timeoutMs: 3000, database: await postgres.createDatabase('audit') } },
    });
  });
  afterAll(async () => {
    await server.close();
    await postgres.stop();
  });

  it('runs nothing and says 503, and serves the next call when it is back', async () => {
    const { answer, records, ran } = await server.observe(async () => {
      await postgres.halt();
      const down = await Promise.all(EVERY_WAY_IN.map((message) => server.send({ token, ...message })));
      await postgres.resume();
      return { down, up: await server.send({ token, ...toolCall('open') }) };
    });
    answer.down.forEach(expectUnavailable);
    expect(answer.up.result).toMatchObject({ content: [{ text: 'opened' }] });
    expect(ran).toEqual(['open']);
    expect(records).toMatchObject([{ kind: 'attempt', outcome: 'completed' }]);
  });

  it('withholds the result of a call during which it was stopped', async () => {
    server.app.get(Tools).during = () => postgres.halt();
    const { answer, records, ran } = await server.observe(async () => {
      const given = await server.send({ token, ...toolCall('slow') });
      await postgres.resume();
      return given;
    });
    expect(ran).toEqual(['slow']);
    expect(answer.text).not.toContain('the secret result');
    expect(answer.error).toMatchObject({ data: { reason: 'outcome_unrecorded' } });
    expect(records).toMatchObject([{ kind: 'attempt', outcome: 'ambiguous' }]);
  });
});
