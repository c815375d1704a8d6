import { Injectable, Scope } from '@nestjs/common';
import {
  Args,
  McpPrompt,
  McpResource,
  McpTool,
  currentCall,
  type PolicyRule,
  type Principal,
  type RuleQuestion,
} from 'sallyport';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { comparable, ERAS, toolCall, type Json } from './support/messages.js';
import { LogLines, Runs, TestServer, WAYS } from './support/server.js';
import { StdioClient } from './support/stdio.js';

/** What the rules of one test say, and what they were asked. */
@Injectable()
class Facts {
  readonly owners = new Map<unknown, string>();
  readonly asked: unknown[] = [];
  /** The calls that the code of a rule was a part of. */
  readonly within: unknown[] = [];
  isOpen = true;
}

/** Loads what it needs, as an application's rule would. */
@Injectable()
class OnlyOwnRecords implements PolicyRule {
  constructor(private readonly facts: Facts) {}

  async permits({ principal, arguments: values }: RuleQuestion) {
    this.facts.asked.push(values);
    const call = currentCall();
    this.facts.within.push([call?.method, call?.principal?.tenant]);
    if (values['recordId'] === 'broken') throw new Error('the database said secret-of-the-database');
    if (values['recordId'] === 'stuck') return new Promise<never>(() => undefined);
    if (values['recordId'] === 'odd') return 1 as never;
    const owner = this.facts.owners.get(values['recordId']);
    return owner === principal.subject || 'it belongs to somebody else';
  }
}

@Injectable()
class OfficeHours implements PolicyRule {
  constructor(private readonly facts: Facts) {}

  permits(): boolean {
    return this.facts.isOpen;
  }

  permitsListing({ tenant }: Principal): boolean {
    return this.facts.isOpen && tenant === 'acme';
  }
}

/** Says nothing of lists; what it rules takes no arguments. */
@Injectable()
class NotOnStrike implements PolicyRule {
  constructor(private readonly facts: Facts) {}

  permits(): boolean {
    return this.facts.isOpen;
  }
}

const record = z.object({ recordId: z.string().trim() });

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'open',
    description: 'Opens.',
    input: record,
    scopes: ['crm:read'],
    risk: 'read',
    when: OnlyOwnRecords,
  })
  open(@Args() { recordId }: z.output<typeof record>) {
    return this.#ran(`open ${recordId}`);
  }

  @McpTool({
    name: 'erase',
    description: 'Erases.',
    input: record,
    scopes: ['crm:read'],
    risk: 'destructive',
    when: [OnlyOwnRecords, OfficeHours],
  })
  erase() {
    return this.#ran('erase');
  }

  @McpTool({ name: 'ring', description: 'Rings.', scopes: ['crm:read'], risk: 'read', when: OfficeHours })
  ring() {
    return this.#ran('ring');
  }

  @McpPrompt({ name: 'strike', description: 'Works.', scopes: ['crm:read'], when: NotOnStrike })
  work() {
    return this.#ran('strike');
  }

  @McpResource({
    name: 'record',
    uri: 'crm://{recordId}',
    description: 'One record.',
    scopes: ['crm:read'],
    when: OnlyOwnRecords,
  })
  read() {
    return this.#ran('record');
  }

  #ran(name: string): string {
    this.runs.note(name);
    return name;
  }
}

const RULES = [OnlyOwnRecords, OfficeHours, NotOnStrike];
const readRecord = (id: string) => ({ method: 'resources/read', params: { uri: `crm://${id}` } });
const STRIKE = { method: 'prompts/get', params: { name: 'strike' } };

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(WAYS)('A rule, on %s in %s:', (platform, era) => {
  let server: TestServer;
  let facts: Facts;

  beforeAll(async () => {
    const sallyport = { decisionTimeoutMs: 150 };
    const providers = [Tools, Facts, ...RULES];
    server = await TestServer.start({ issuer, platform, providers, sallyport });
    facts = server.app.get(Facts);
    facts.owners.set('r-1', 'alice').set('r-2', 'bob');
  });
  beforeEach(() => {
    facts.isOpen = true;
    facts.asked.length = 0;
    facts.within.length = 0;
  });
  afterAll(async () => server.close());

  async function callWith(message: { method: string; params: Json }, scope = 'crm:read', tenant = 'acme') {
    const token = await issuer.token({ tenant, scope });
    return server.observe(() => server.send({ era, token, ...message }));
  }

  /** What a name gets that nothing has, by the same method. */
  async function unknown(method: string) {
    const params = method === 'resources/read' ? { uri: 'nothing://r' } : { name: 'nothing' };
    return comparable((await callWith({ method, params })).answer);
  }

  async function listed(list: 'tools' | 'prompts', tenant = 'acme') {
    const { answer } = await callWith({ method: `${list}/list`, params: {} }, 'crm:read', tenant);
    const entries = answer.result?.[list];
    return Array.isArray(entries) ? entries.map(({ name }: Json) => name) : [];
  }

  it('lets a call run that it permits, having seen the arguments that run', async () => {
    const { ran, records } = await callWith(toolCall('open', { recordId: ' r-1 ' }));
    expect(ran).toEqual(['open r-1']);
    expect(facts.asked).toEqual([{ recordId: 'r-1' }]);
    expect(records[0]?.checks).toContainEqual({
      name: 'rule',
      passed: true,
      detail: 'OnlyOwnRecords: permits',
    });
  });

  it('knows the call it is asked about, as a part of it', async () => {
    await callWith(readRecord('r-1'));
    expect(facts.within).toEqual([['resources/read', 'acme']]);
  });

  it.each([
    ['a tool', toolCall('open', { recordId: 'r-2' }), 'refuses, it belongs to somebody else'],
    ['a resource', readRecord('r-2'), 'refuses, it belongs to somebody else'],
    ['what does not exist', toolCall('open', { recordId: 'r-3' }), 'refuses, it belongs to somebody else'],
    ['a rule that throws', toolCall('open', { recordId: 'broken' }), 'threw'],
    ['a rule that never answers', toolCall('open', { recordId: 'stuck' }), 'gave no answer in time'],
    ['a rule that answers oddly', toolCall('open', { recordId: 'odd' }), 'refuses'],
  ])('makes %s look like a name that nothing has', async (_what, message, detail) => {
    const { answer, ran, records } = await callWith(message);
    expect(ran).toEqual([]);
    expect(comparable(answer)).toEqual(await unknown(message.method));
    expect(records).toMatchObject([{ kind: 'refusal', decision: 'refuse', reason: 'rule' }]);
    expect(records[0]?.checks).toContainEqual({
      name: 'rule',
      passed: false,
      detail: `OnlyOwnRecords: ${detail}`,
    });
    expect(JSON.stringify([answer, records])).not.toContain('secret-of-the-database');
  });

  it('is not asked about a caller that has not consented, who is challenged', async () => {
    const { answer, ran } = await callWith(toolCall('open', { recordId: 'r-1' }), 'mail:read');
    expect({ status: answer.status, ran, asked: facts.asked }).toEqual({ status: 403, ran: [], asked: [] });
  });

  it('is not asked about arguments that are not valid', async () => {
    const { ran } = await callWith(toolCall('open', { recordId: 7 }));
    expect({ ran, asked: facts.asked }).toEqual({ ran: [], asked: [] });
  });

  it('refuses before a person is asked, and has to agree with every other', async () => {
    const other = await callWith(toolCall('erase', { recordId: 'r-2' }));
    expect(comparable(other.answer)).toEqual(await unknown('tools/call'));
    const own = await callWith(toolCall('erase', { recordId: 'r-1' }));
    expect(own.answer.error?.data).toMatchObject({ reason: 'approval_required' });
    facts.isOpen = false;
    const closed = await callWith(toolCall('erase', { recordId: 'r-1' }));
    expect(comparable(closed.answer)).toEqual(await unknown('tools/call'));
    expect([other, own, closed].flatMap(({ ran }) => ran)).toEqual([]);
  });

  it('hides from lists what it hides from calls', async () => {
    expect(await listed('tools')).toEqual(['erase', 'open', 'ring']);
    expect(await listed('prompts')).toEqual(['strike']);
    facts.isOpen = false;
    expect(await listed('tools')).toEqual(['open']);
    expect(await listed('prompts')).toEqual([]);
    for (const message of [toolCall('ring'), STRIKE]) {
      const { answer, ran } = await callWith(message);
      expect(comparable(answer)).toEqual(await unknown(message.method));
      expect(ran).toEqual([]);
    }
  });

  it('hides what it says of lists before a challenge tells of it', async () => {
    const { answer, ran } = await callWith(toolCall('ring'), 'mail:read', 'globex');
    expect(comparable(answer)).toEqual(await unknown('tools/call'));
    expect({ ran, listed: await listed('tools', 'globex') }).toEqual({ ran: [], listed: ['open'] });
    expect((await callWith(toolCall('ring'), 'mail:read')).answer.status).toBe(403);
  });
});

describe.each(ERAS)('A rule, over stdio in %s:', (era) => {
  let client: StdioClient;
  let facts: Facts;

  beforeAll(async () => {
    const token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
    const sallyport = { decisionTimeoutMs: 150 };
    client = await StdioClient.start({ issuer, token, providers: [Tools, Facts, ...RULES], sallyport });
    if (era === '2025-11-25') await client.initialize();
    facts = client.context.get(Facts);
    facts.owners.set('r-1', 'alice').set('r-2', 'bob');
  });
  beforeEach(() => {
    facts.isOpen = true;
    facts.asked.length = 0;
  });
  afterAll(async () => client.close());

  function call(message: { method: string; params?: Json }) {
    return client.observe(() => client.request({ era, ...message }));
  }

  it('lets a call run that it permits, having seen the arguments that run', async () => {
    const { ran, records } = await call(toolCall('open', { recordId: ' r-1 ' }));
    expect({ ran, asked: facts.asked }).toEqual({ ran: ['open r-1'], asked: [{ recordId: 'r-1' }] });
    expect(records).toMatchObject([{ kind: 'attempt', via: 'stdio', decision: 'permit' }]);
  });

  it.each([
    ['a tool', toolCall('open', { recordId: 'r-2' }), toolCall('nothing')],
    ['a resource', readRecord('r-2'), { method: 'resources/read', params: { uri: 'nothing://r' } }],
    ['a rule that throws', toolCall('open', { recordId: 'broken' }), toolCall('nothing')],
    ['a rule that never answers', toolCall('open', { recordId: 'stuck' }), toolCall('nothing')],
  ])('makes %s look like a name that nothing has', async (_what, message, missing) => {
    const { answer, ran, records } = await call(message);
    expect(answer).toEqual((await call(missing)).answer);
    expect(ran).toEqual([]);
    expect(records).toMatchObject([{ kind: 'refusal', via: 'stdio', decision: 'refuse', reason: 'rule' }]);
  });

  it('hides from lists what it hides from calls', async () => {
    const names = async () => {
      const { answer } = await call({ method: 'tools/list' });
      const tools = answer.result?.['tools'];
      return Array.isArray(tools) ? tools.map(({ name }: Json) => name) : [];
    };
    expect(await names()).toEqual(['erase', 'open', 'ring']);
    facts.isOpen = false;
    expect(await names()).toEqual(['open']);
    const { answer, ran } = await call(toolCall('ring'));
    expect(answer).toEqual((await call(toolCall('nothing'))).answer);
    expect(ran).toEqual([]);
  });
});

@Injectable({ scope: Scope.REQUEST })
class PerRequest implements PolicyRule {
  permits(): boolean {
    return true;
  }
}

@Injectable()
class NoRule {}

const AnotherHours = { OfficeHours: class OfficeHours extends NotOnStrike {} }.OfficeHours;

function ruledBy(...when: object[]) {
  @Injectable()
  class Ruled {
    @McpTool({ name: 'ruled', description: 'Ruled.', scopes: ['a'], risk: 'read', when } as never)
    run(): string {
      return 'ran';
    }
  }
  return Ruled;
}

it.each<[string, object[], object[], RegExp]>([
  [
    'nobody provides',
    [OfficeHours],
    [],
    /OfficeHours, which is no provider: list OfficeHours under providers/,
  ],
  [
    'is made for each request',
    [PerRequest],
    [PerRequest],
    /PerRequest, which is no provider.*leave its scope out/,
  ],
  ['has no method permits', [NoRule], [NoRule], /write class NoRule implements PolicyRule/],
  ['is no class', [() => true], [], /write when: OnlyOwnRecords/],
  ['has the name of another', [OfficeHours, AnotherHours], [], /2 different rules are named OfficeHours/],
])('A rule that %s stops the boot', async (_what, when, provided, message) => {
  const providers = [ruledBy(...when), Facts, ...provided] as never[];
  await expect(TestServer.start({ issuer, providers })).rejects.toThrow(message);
});

it('The log has what a rule threw, for those who run the server', async () => {
  const server = await TestServer.start({ issuer, providers: [Tools, Facts, ...RULES] });
  try {
    const token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
    await server.send({ token, ...toolCall('open', { recordId: 'broken' }) });
    expect(server.logs).toBeInstanceOf(LogLines);
    expect(server.logs.lines.join('\n')).toContain('The rule OnlyOwnRecords threw; it refuses.');
  } finally {
    await server.close();
  }
});
