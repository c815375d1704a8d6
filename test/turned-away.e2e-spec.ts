import { Injectable } from '@nestjs/common';
import { Revocations } from '@sallyport/mcp';
import { RevocationService } from '@sallyport/policy';
import { McpTool, RoleDirectory, type SallyportOptions } from 'sallyport';
import { TestIssuer } from './support/issuer.js';
import { ERAS, toolCall } from './support/messages.js';
import { PLATFORMS, ROLES, Runs, TestServer, type Platform } from './support/server.js';

/** Whoever is turned away before anything is decided: at which door, and why, stands in the record. */

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'quick', description: 'Answers.', scopes: ['crm:read'], risk: 'read' })
  quick() {
    this.runs.note('quick');
    return 'the answer';
  }
}

const DESKS: Partial<SallyportOptions> = {
  roles: { ...ROLES, 'agent:auditor': [] },
  audit: { read: { role: 'agent:auditor' } },
  revocations: { manage: { role: 'agent:auditor' } },
};

let issuer: TestIssuer;
let server: TestServer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(() => issuer.stop());
afterEach(() => server.close());

async function start(platform: Platform = 'Fastify', sallyport: Partial<SallyportOptions> = DESKS) {
  server = await TestServer.start({ issuer, providers: [Tools], platform, sallyport });
}

const vera = () =>
  issuer.token({ sub: 'vera', tenant: 'acme', roles: ['agent:auditor'], scope: 'audit:read crm:read' });

async function revokeVera(): Promise<void> {
  const author = { via: 'cli', address: undefined, actor: undefined, by: 'somebody' } as const;
  await server.app.get(RevocationService).revoke({ kind: 'user', value: 'vera' }, author);
}

async function visit(path: string, token?: string): Promise<number> {
  const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
  if (path === '/audit') return (await fetch(`${server.origin}${path}`, { headers })).status;
  headers.set('content-type', 'application/json');
  return (await fetch(`${server.origin}${path}`, { method: 'POST', headers, body: '{}' })).status;
}

/** What was recorded meanwhile, and what was answered. */
async function recorded<T>(work: () => Promise<T>) {
  const { answer, records } = await server.observe(work);
  return { answer, records, reasons: records.map(({ kind, reason, subject }) => [kind, reason, subject]) };
}

/** The store of what is revoked can be asked no more. */
function breakRevocations(): void {
  Object.assign(server.app.get(Revocations), { current: () => Promise.reject(new Error('down')) });
}

describe.each(PLATFORMS)('At a desk, on %s,', (platform) => {
  it.each(['/audit', '/revocations/list'])('whoever is turned away from %s is recorded', async (path) => {
    await start(platform);
    const token = await vera();
    expect(await recorded(() => visit(path))).toMatchObject({
      answer: 401,
      reasons: [['authentication', 'no_credential', null]],
    });
    await revokeVera();
    expect(await recorded(() => visit(path, token))).toMatchObject({
      answer: 401,
      reasons: [['authentication', 'revoked', 'vera']],
    });
    breakRevocations();
    expect(await recorded(() => visit(path, token))).toMatchObject({
      answer: 503,
      reasons: [['authentication', 'revocations_unavailable', 'vera']],
    });
  });
});

it('A revoked caller is named in the record, however much garbage comes from the same address', async () => {
  await start();
  const token = await vera();
  await revokeVera();
  for (let bad = 0; bad < 40; bad += 1) await server.send({ token: 'garbage', ...toolCall('quick') });
  const { records, answer } = await recorded(async () => [
    (await server.send({ token, ...toolCall('quick') })).status,
    (await server.send({ token, ...toolCall('quick') })).status,
    await visit('/audit', token),
  ]);
  expect(answer).toEqual([429, 429, 429]);
  expect(records.filter(({ subject }) => subject === 'vera')).toMatchObject([
    { kind: 'refusal', reason: 'revoked', entry: 'quick', address: '127.0.0.1' },
  ]);
  expect(server.runs.names).toEqual([]);
});

describe.each(ERAS)('With the protocol of %s, while nobody can say what is revoked,', (era) => {
  it('whoever is refused is recorded: calls, lists and handshakes', async () => {
    await start();
    const token = await vera();
    breakRevocations();
    const { answer, records } = await recorded(async () => [
      (await server.send({ era, token, ...toolCall('quick') })).status,
      (await server.send({ era, token, method: 'tools/list', params: {} })).status,
      (await server.send({ era, token, method: 'ping', params: {} })).status,
    ]);
    expect(answer).toEqual([503, 503, 503]);
    expect(records).toMatchObject([
      { kind: 'refusal', reason: 'revocations_unavailable', subject: 'vera', entry: 'quick' },
      { kind: 'authentication', reason: 'revocations_unavailable', subject: 'vera' },
      { kind: 'authentication', reason: 'revocations_unavailable', subject: 'vera' },
    ]);
    expect(server.runs.names).toEqual([]);
  });
});

@Injectable()
class BrokenDirectory extends RoleDirectory {
  rolesOf(): Promise<readonly string[]> {
    return Promise.reject(new Error('down'));
  }
}

it('A list for which no directory of roles could be asked is recorded', async () => {
  const sallyport = { roleDirectory: BrokenDirectory };
  server = await TestServer.start({ issuer, providers: [Tools, BrokenDirectory], sallyport });
  const token = await vera();
  const { answer, records } = await recorded(() => server.send({ token, method: 'tools/list', params: {} }));
  expect(answer.status).toBe(503);
  expect(records).toMatchObject([{ kind: 'authentication', reason: 'roles_unavailable', subject: 'vera' }]);
});
