import { Injectable, Scope, type Type } from '@nestjs/common';
import { apiKeys, Caller, McpTool, oidc, RoleDirectory, type Principal } from 'sallyport';
import { TestIssuer } from './support/issuer.js';
import { toolCall, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';

/** The organization's table of roles, by subject. */
@Injectable()
class StaffRoles extends RoleDirectory {
  readonly asked: Principal[] = [];
  answer: (principal: Principal) => unknown = () => [];

  async rolesOf(principal: Principal): Promise<readonly string[]> {
    this.asked.push(principal);
    return (await this.answer(principal)) as string[];
  }
}

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'look', description: 'Looks.', role: 'agent:read-only', risk: 'read' })
  look(@Caller() { roles }: Principal) {
    this.runs.note('look');
    return { roles };
  }

  @McpTool({ name: 'rule', description: 'Rules.', role: 'agent:admin', risk: 'read' })
  rule() {
    this.runs.note('rule');
    return 'ruled';
  }

  @McpTool({ name: 'clock', description: 'Says the time.', public: true, risk: 'read' })
  clock() {
    this.runs.note('clock');
    return 'noon';
  }
}

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(WAYS)('Roles from a directory, on %s in %s:', (platform, era) => {
  let server: TestServer;
  let staff: StaffRoles;

  beforeAll(async () => {
    const sallyport = { roleDirectory: StaffRoles, decisionTimeoutMs: 150 };
    server = await TestServer.start({ issuer, platform, providers: [Tools, StaffRoles], sallyport });
    staff = server.app.get(StaffRoles);
  });
  beforeEach(() => {
    staff.asked.length = 0;
  });
  afterAll(async () => server.close());

  async function ask(message: { method: string; params?: Json }, roles: string[]) {
    const token = await issuer.token({ tenant: 'acme', roles });
    return server.observe(() => server.send({ era, token, ...message }));
  }

  async function listed(roles: string[]) {
    const { answer } = await ask({ method: 'tools/list' }, roles);
    const tools = answer.result?.['tools'];
    return Array.isArray(tools) ? tools.map(({ name }: Json) => name) : [];
  }

  it('win over those of the token, for call, list, handler and record', async () => {
    staff.answer = () => ['agent:contributor'];
    const { answer, ran, records } = await ask(toolCall('look'), ['agent:admin']);
    expect(ran).toEqual(['look']);
    expect(answer.result?.['structuredContent'] ?? JSON.parse(textOf(answer.result))).toEqual({
      roles: ['agent:contributor'],
    });
    expect(records).toMatchObject([{ decision: 'permit', roles: ['agent:contributor'] }]);
    const refused = await ask(toolCall('rule'), ['agent:admin']);
    expect(refused.answer.error?.data).toMatchObject({ reason: 'unknown' });
    expect(refused.ran).toEqual([]);
    expect(refused.records).toMatchObject([{ reason: 'role', roles: ['agent:contributor'] }]);
    expect(await listed(['agent:admin'])).toEqual(['clock', 'look']);
  });

  it('give what no token says', async () => {
    staff.answer = ({ subject }) => (subject === 'alice' ? ['agent:admin'] : []);
    expect((await ask(toolCall('rule'), [])).ran).toEqual(['rule']);
    expect(await listed([])).toEqual(['clock', 'look', 'rule']);
  });

  it('are gone with the next call once they are taken away', async () => {
    staff.answer = () => ['agent:admin'];
    const token = await issuer.token({ tenant: 'acme' });
    const call = () => server.observe(() => server.send({ era, token, ...toolCall('rule') }));
    expect((await call()).ran).toEqual(['rule']);
    staff.answer = () => [];
    expect((await call()).ran).toEqual([]);
  });

  it('are asked for once with each operation, of the principal of the credential', async () => {
    staff.answer = () => ['agent:admin'];
    await ask(toolCall('rule'), ['of-the-token']);
    expect(staff.asked).toMatchObject([{ subject: 'alice', issuer: issuer.url, tenant: 'acme' }]);
    await ask({ method: 'tools/list' }, []);
    expect(staff.asked).toHaveLength(2);
  });

  it('are not asked for without a credential, or for one that is not good', async () => {
    const anonymous = await server.observe(() => server.send({ era, ...toolCall('clock') }));
    expect(anonymous.ran).toEqual(['clock']);
    const token = await issuer.token({ lives: -3600 });
    expect((await server.send({ era, token, ...toolCall('look') })).status).toBe(401);
    expect(staff.asked).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    ['rejects', () => Promise.reject(new Error('connection refused: secret-of-the-database'))],
    [
      'throws',
      () => {
        throw new Error('secret-of-the-database');
      },
    ],
    ['never answers', () => new Promise(() => undefined)],
    ['answers nothing', () => undefined],
    ['answers with one name', () => 'agent:admin'],
    ['answers with more than names', () => ['agent:admin', { name: 'agent:admin' }]],
  ])('that %s refuse calls and lists with 503', async (_what, answer) => {
    staff.answer = answer;
    const call = await ask(toolCall('look'), ['agent:admin']);
    expect(call.answer.status).toBe(503);
    expect(call.answer.headers['retry-after']).toBe('5');
    expect(call.answer.error?.data).toEqual({ reason: 'unavailable' });
    expect(call.ran).toEqual([]);
    expect(call.records).toMatchObject([
      { kind: 'refusal', decision: 'refuse', reason: 'roles_unavailable', subject: 'alice' },
    ]);
    const list = await ask({ method: 'tools/list' }, ['agent:admin']);
    expect(list.answer.status).toBe(503);
    expect(list.answer.text + call.answer.text).not.toContain('secret-of-the-database');
  });
});

it('Roles from a directory are those of who administers, too', async () => {
  const identity = [
    oidc({ issuer: issuer.url }),
    apiKeys({ pepper: 'p'.repeat(32), manage: { role: 'agent:admin' } }),
  ];
  const sallyport = { roleDirectory: StaffRoles, identity };
  const server = await TestServer.start({ providers: [Tools, StaffRoles], sallyport });
  try {
    const staff = server.app.get(StaffRoles);
    const token = await issuer.token({ tenant: 'acme', roles: ['agent:admin'], scope: 'keys:manage' });
    const issue = async (answer: StaffRoles['answer']) => {
      staff.answer = answer;
      const body = JSON.stringify({ name: 'nightly', expiresInDays: 1 });
      const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
      return (await fetch(`${server.origin}/keys`, { method: 'POST', headers, body })).status;
    };
    expect(await issue(() => ['agent:admin'])).toBe(201);
    expect(await issue(() => ['agent:contributor'])).toBe(404);
    expect(await issue(() => undefined)).toBe(503);
  } finally {
    await server.close();
  }
});

function textOf(result: Json | undefined): string {
  const content = result?.['content'];
  return Array.isArray(content) ? String(content[0]?.text) : '';
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest extends StaffRoles {}

@Injectable()
class NoDirectory {}

it.each<[string, unknown, Type<unknown>[], RegExp]>([
  ['nobody provides', StaffRoles, [], /roleDirectory is StaffRoles, which is no provider/],
  ['is made for each request', PerRequest, [PerRequest], /cannot be of request or transient scope/],
  ['is no directory', NoDirectory, [NoDirectory], /write class NoDirectory extends RoleDirectory/],
  ['is no class', {}, [], /roleDirectory is no class: write roleDirectory: StaffRoles/],
])('A directory that %s stops the boot', async (_what, roleDirectory, provided, message) => {
  const providers = [Tools, ...provided];
  const sallyport = { roleDirectory } as never;
  await expect(TestServer.start({ issuer, providers, sallyport })).rejects.toThrow(message);
});

it('A time for decisions that is none stops the boot', async () => {
  const sallyport = { decisionTimeoutMs: 0 };
  await expect(TestServer.start({ issuer, providers: [Tools], sallyport })).rejects.toThrow(
    'write decisionTimeoutMs: 2000',
  );
});
