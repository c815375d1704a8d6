import { Injectable } from '@nestjs/common';
import { McpCompletion, McpPolicy, McpPrompt, McpResource, McpTool } from 'sallyport';
import { TestIssuer } from './support/issuer.js';
import { comparable, toolCall, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';

@McpPolicy({ role: 'agent:contributor', scopes: ['payroll:access'] })
abstract class Guarded {
  constructor(protected readonly runs: Runs) {}

  protected ran(name: string): string {
    this.runs.note(name);
    return name;
  }

  @McpPrompt({ name: 'inherited', description: 'Of the parent.', role: 'agent:read-only' })
  inherited() {
    return this.ran('inherited');
  }
}

@McpPolicy({ role: ['auditor', 'agent:admin'] })
@Injectable()
class PayrollTools extends Guarded {
  @McpTool({ name: 'payroll_read', description: 'Reads.', scopes: ['payroll:read'], risk: 'read' })
  read() {
    return this.ran('payroll_read');
  }

  @McpResource({ name: 'slip', uri: 'payroll://{id}', description: 'A slip.', role: 'agent:read-only' })
  slip() {
    return this.ran('slip');
  }
}

@McpPolicy({ risk: 'external' })
@Injectable()
class OutgoingTools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'post', description: 'Posts.', role: 'agent:read-only', risk: 'write' })
  post() {
    this.runs.note('post');
    return 'posted';
  }
}

const ENTRIES: readonly [string, { method: string; params: Json }, string][] = [
  ['a tool', toolCall('payroll_read'), 'payroll_read'],
  ['a resource', { method: 'resources/read', params: { uri: 'payroll://7' } }, 'slip'],
  ['a method of the class it extends', { method: 'prompts/get', params: { name: 'inherited' } }, 'inherited'],
];

const ALL = 'payroll:access payroll:read';

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(WAYS)('The policy of a class, on %s in %s:', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({
      issuer,
      platform,
      providers: [PayrollTools, OutgoingTools],
      sallyport: {
        roles: {
          'agent:admin': ['agent:contributor'],
          'agent:contributor': ['agent:read-only'],
          auditor: [],
        },
      },
    });
  });
  afterAll(async () => server.close());

  async function callAs(roles: string[], scope: string, message: { method: string; params: Json }) {
    const token = await issuer.token({ tenant: 'acme', roles, scope });
    return server.observe(() => server.send({ era, token, ...message }));
  }

  it.each(ENTRIES)('lets %s run for who meets method, class and parent', async (_what, message, name) => {
    expect((await callAs(['agent:admin'], ALL, message)).ran).toEqual([name]);
    expect((await callAs(['auditor', 'agent:contributor'], ALL, message)).ran).toEqual([name]);
  });

  it.each(ENTRIES)('hides %s from who lacks a role of the class or of its parent', async (...given) => {
    const [, message] = given;
    const unknown = await server.send({
      era,
      token: await issuer.token({ tenant: 'acme', roles: ['agent:admin'], scope: ALL }),
      ...unknownLike(message),
    });
    for (const roles of [['agent:contributor'], ['auditor'], ['agent:read-only', 'auditor'], []]) {
      const { answer, ran, records } = await callAs(roles, ALL, message);
      expect(comparable(answer)).toEqual(comparable(unknown));
      expect(ran).toEqual([]);
      expect(records).toMatchObject([{ kind: 'refusal', decision: 'refuse', reason: 'role' }]);
    }
  });

  it.each(ENTRIES)('asks for the scope of the parent with %s', async (_what, message) => {
    const { answer, ran } = await callAs(['agent:admin'], 'payroll:read', message);
    expect({ status: answer.status, ran }).toEqual({ status: 403, ran: [] });
    expect(answer.error?.data?.['scopes']).toContain('payroll:access');
  });

  it('raises the risk of a method, so that a person is asked', async () => {
    const { answer, ran, records } = await callAs(['agent:read-only'], ALL, toolCall('post'));
    expect(answer.error?.data).toMatchObject({ reason: 'approval_required' });
    expect(ran).toEqual([]);
    expect(records).toMatchObject([{ decision: 'hold', reason: 'approval_required' }]);
  });

  it('is followed by lists', async () => {
    const names = async (roles: string[]) => {
      const { answer } = await callAs(roles, ALL, { method: 'tools/list', params: {} });
      const tools = answer.result?.['tools'];
      return Array.isArray(tools) ? tools.map(({ name }: Json) => name) : [];
    };
    expect(await names(['agent:contributor'])).toEqual(['post']);
    expect(await names(['agent:admin'])).toEqual(['payroll_read', 'post']);
  });
});

function unknownLike({ method, params }: { method: string; params: Json }) {
  return {
    method,
    params: { ...params, ...('uri' in params ? { uri: 'nothing://7' } : { name: 'nothing' }) },
  };
}

@McpPolicy({ role: 'agent:admin' })
@Injectable()
class WithPublic {
  @McpTool({ name: 'open', description: 'Opens.', public: true, risk: 'read' })
  open(): string {
    return 'open';
  }
}

@McpPolicy({ role: 'agent:amdin' })
@Injectable()
class Misspelt {
  @McpTool({ name: 'open', description: 'Opens.', role: 'agent:admin', risk: 'read' })
  open(): string {
    return 'open';
  }
}

@McpPolicy({ role: 'agent:admin', scope: ['a'] } as never)
@Injectable()
class Unknown {
  @McpTool({ name: 'open', description: 'Opens.', role: 'agent:admin', risk: 'read' })
  open(): string {
    return 'open';
  }

  @McpTool({ name: 'close', description: 'Closes.', role: 'agent:admin', risk: 'read' })
  close(): string {
    return 'close';
  }
}

@McpPolicy({ role: 'agent:admin' })
@Injectable()
class Completers {
  @McpCompletion({ resource: 'file', argument: 'name' })
  names(): string[] {
    return ['secret'];
  }
}

@Injectable()
class Files {
  @McpResource({ name: 'file', uri: 'file://{name}', description: 'A file.', role: 'agent:read-only' })
  read(): string {
    return 'text';
  }
}

it('The policy of a class that would hold for no completion stops the boot', async () => {
  await expect(TestServer.start({ providers: [Completers, Files], issuer })).rejects.toThrow(
    'Completers.names is in a class with @McpPolicy, which holds for entries alone',
  );
});

it.each([
  ['a public method', WithPublic, /is public, and @McpPolicy of WithPublic asks something/],
  ['a role that is not configured', Misspelt, /asks for the role "agent:amdin", which is not configured/],
  ['an unknown option', Unknown, /^(?:(?!unknown option)[^])*unknown option "scope"(?!.*unknown option)/],
])('The policy of a class with %s stops the boot', async (_what, type, message) => {
  await expect(TestServer.start({ providers: [type], issuer })).rejects.toThrow(message);
});
