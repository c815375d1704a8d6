import { Injectable } from '@nestjs/common';
import { McpTool, oidc, type AuditCall } from 'sallyport';
import { ForgedIssuer } from './support/forged.js';
import { toolCall, type Answer } from './support/messages.js';
import { newDatabaseFile, PLATFORMS, Runs, TestServer, type Platform } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' })
  open() {
    this.runs.note('open');
    return 'opened';
  }

  @McpTool({ name: 'docs', description: 'Reads.', public: true, risk: 'read' })
  docs() {
    this.runs.note('docs');
    return 'page';
  }
}

const BURST = 5;
const realNow = Date.now.bind(Date);
let ahead = 0;
let issuer: ForgedIssuer;

beforeAll(async () => {
  Date.now = () => realNow() + ahead;
  issuer = await ForgedIssuer.start();
});
afterAll(async () => {
  await issuer.stop();
  Date.now = realNow;
});

/** One a minute is as good as none while a test runs. */
function start(file: string, platform: Platform): Promise<TestServer> {
  return TestServer.start({
    platform,
    providers: [Tools],
    database: { type: 'better-sqlite3', database: file, autoLoadEntities: true },
    sallyport: {
      identity: [oidc({ issuer: issuer.url })],
      failedAuthentications: { perMinute: 1, burst: BURST },
    },
  });
}

describe.each(PLATFORMS)('Too many failed authentications from an address, on %s,', (platform) => {
  let file: string;
  let server: TestServer;

  beforeEach(async () => {
    ahead = 0;
    file = newDatabaseFile();
    server = await start(file, platform);
  });
  afterEach(() => server.close());

  const open = (token: string | undefined) => server.send({ ...toolCall('open'), token });

  async function flood(times: number): Promise<Answer[]> {
    const answers = [];
    for (let time = 0; time < times; time += 1) answers.push(await open(`garbage-${time}-of-a-flood`));
    return answers;
  }

  async function recordsAfterClose(): Promise<AuditCall[]> {
    await server.close();
    server = await start(file, platform);
    return failures();
  }

  /** The start and the stop of the server are recorded as well. */
  async function failures(): Promise<AuditCall[]> {
    return server.audit.list({ kind: 'authentication', limit: 1000 });
  }

  it('are answered 429, and say when to come again', async () => {
    const answers = await flood(BURST + 3);
    expect(answers.map(({ status }) => status)).toEqual([...Array(BURST).fill(401), 429, 429, 429]);
    const last = answers.at(-1);
    expect(last?.error).toMatchObject({ code: -32014, data: { reason: 'too_many_requests' } });
    expect(Number(last?.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(last?.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(last?.headers['www-authenticate']).toBeUndefined();
    expect(server.runs.names).toEqual([]);
  });

  it('do not hold up a token that was good before, nor a new one, nor a caller without any', async () => {
    const known = await issuer.token();
    expect((await open(known)).status).toBe(200);
    await flood(BURST + 3);
    expect((await open(known)).status).toBe(200);
    expect((await open(await issuer.token())).status).toBe(200);
    expect((await server.send(toolCall('docs'))).status).toBe(200);
    expect((await open(undefined)).headers['www-authenticate']).toBeDefined();
    expect(server.runs.names).toEqual(['open', 'open', 'open', 'docs']);
  });

  it('do not hold up good callers in the middle of a flood', async () => {
    const known = await Promise.all(Array.from({ length: 5 }, () => issuer.token()));
    for (const token of known) await open(token);
    const garbage = Array.from({ length: 300 }, (_, index) => open(`garbage-${index}-of-a-flood`));
    const answers = await Promise.all(known.flatMap((token) => [open(token), open(token)]));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const refused = (await Promise.all(garbage)).map(({ status }) => status);
    expect(refused.filter((status) => status === 401)).toHaveLength(BURST);
    expect(refused.filter((status) => status === 429)).toHaveLength(300 - BURST);
  });

  it('leave a caller whose token has run out with an answer to sign in again by', async () => {
    const now = Math.floor(Date.now() / 1000);
    const token = await issuer.token({ exp: now + 5 });
    expect((await open(token)).status).toBe(200);
    await flood(BURST + 3);
    ahead = 40_000;
    const expired = await open(token);
    expect(expired.status).toBe(401);
    expect(expired.headers['www-authenticate']).toContain('error="invalid_token"');
    // Once: after that it is a bad token like any other.
    expect((await open(token)).status).toBe(429);
  });

  it('have no record each, and no one is lost', async () => {
    await flood(BURST + 40);
    const during = await failures();
    expect(during.map(({ reason }) => reason)).toEqual([
      ...Array(BURST).fill('unsupported_credential'),
      'too_many',
    ]);
    const records = await recordsAfterClose();
    expect(records.slice(BURST)).toMatchObject([
      { kind: 'authentication', reason: 'too_many', address: '127.0.0.1', details: { count: '1' } },
      { kind: 'authentication', reason: 'too_many', address: '127.0.0.1', details: { count: '39' } },
    ]);
  });

  it('are forgotten with time', async () => {
    await flood(BURST + 1);
    ahead = 61_000;
    expect((await flood(2)).map(({ status }) => status)).toEqual([401, 429]);
  });
});

it('A limit that is none does not boot', async () => {
  const sallyport = { identity: [oidc({ issuer: issuer.url })], failedAuthentications: { perMinute: 0 } };
  await expect(TestServer.start({ providers: [Tools], sallyport })).rejects.toThrow(
    'failedAuthentications.perMinute',
  );
});
