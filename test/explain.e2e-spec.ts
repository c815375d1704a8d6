import { Injectable } from '@nestjs/common';
import { RevocationService, type RevocationTarget } from '@sallyport/policy';
import {
  Args,
  explainCall,
  explanationText,
  madeUpPrincipal,
  McpPrompt,
  McpResource,
  McpTool,
  RoleDirectory,
  type EntryKind,
  type PolicyRule,
  type PrincipalFacts,
  type RuleQuestion,
} from 'sallyport';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { toolCall, type Json } from './support/messages.js';
import { Runs, TestServer } from './support/server.js';

@Injectable()
class OwnRecords implements PolicyRule {
  constructor(private readonly runs: Runs) {}

  permits({ principal, arguments: { recordId } }: RuleQuestion) {
    this.runs.note('rule');
    return recordId === `of-${principal.subject}` || 'the record belongs to somebody else';
  }
}

const one = z.object({ recordId: z.string() });

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'open',
    description: 'Opens.',
    scopes: ['crm:read'],
    role: 'agent:read-only',
    risk: 'read',
  })
  open() {
    return this.#ran('open');
  }

  @McpTool({
    name: 'close',
    description: 'Closes.',
    input: one,
    role: 'agent:contributor',
    risk: 'write',
    when: OwnRecords,
  })
  close() {
    return this.#ran('close');
  }

  @McpTool({
    name: 'move',
    description: 'Moves.',
    input: z.object({ to: z.object({ tenant: z.string() }) }),
    scopes: ['crm:read'],
    risk: 'write',
    tenancy: { argument: 'to.tenant' },
  })
  move() {
    return this.#ran('move');
  }

  @McpTool({
    name: 'purge',
    description: 'Purges.',
    scopes: ['crm:read'],
    risk: 'write',
    freshness: { maxAge: 60 },
  })
  purge() {
    return this.#ran('purge');
  }

  @McpTool({ name: 'send', description: 'Sends.', scopes: ['crm:read'], risk: 'external' })
  send() {
    return this.#ran('send');
  }

  @McpResource({ name: 'page', description: 'A page.', uri: 'docs://{slug}', role: 'agent:read-only' })
  page(@Args('slug') slug: string) {
    return this.#ran(slug);
  }

  @McpPrompt({ name: 'triage', description: 'Triage.', public: true })
  triage() {
    return this.#ran('triage');
  }

  #ran(name: string): string {
    this.runs.note(name);
    return name;
  }
}

const BY_TEST = { by: 'test', via: 'cli', address: undefined, actor: undefined } as const;

let issuer: TestIssuer;
let server: TestServer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  server = await TestServer.start({ issuer, providers: [Tools, OwnRecords] });
});
afterAll(async () => {
  await server.close();
  await issuer.stop();
});

type Facts = PrincipalFacts & { readonly roles?: string[]; readonly scopes?: string[] };
const reader: Facts = { tenant: 'acme', roles: ['agent:read-only'], scopes: ['crm:read'] };

/** The same question to both: what would become of this call, and what became of it. */
async function both(facts: Facts | undefined, kind: EntryKind, target: string, args?: Json) {
  const as = facts && madeUpPrincipal({ issuer: issuer.url, subject: 'alice', client: 'agent-1', ...facts });
  const explained = await server.observe(() =>
    explainCall(server.app, { as, kind, target, arguments: args }),
  );
  const token =
    facts &&
    (await issuer.token({ tenant: facts.tenant, roles: facts.roles, scope: facts.scopes?.join(' ') }));
  const message = {
    tool: toolCall(target, args),
    resource: { method: 'resources/read', params: { uri: target } },
    prompt: { method: 'prompts/get', params: { name: target } },
  }[kind];
  const called = await server.observe(() => server.send({ token, ...message }));
  return { explained, called };
}

it.each<[string, Facts | undefined, EntryKind, string, Json?]>([
  ['a permitted tool', reader, 'tool', 'open'],
  ['a tool without a credential', undefined, 'tool', 'open'],
  ['a public prompt without a credential', undefined, 'prompt', 'triage'],
  ['a missing scope', { ...reader, scopes: [] }, 'tool', 'open'],
  ['a missing role', { ...reader, roles: [] }, 'tool', 'open'],
  ['a missing tenant', { ...reader, tenant: undefined }, 'tool', 'open'],
  ['a tool that does not exist', reader, 'tool', 'opens'],
  [
    'arguments that do not match',
    { tenant: 'acme', roles: ['agent:admin'] },
    'tool',
    'close',
    { recordId: 7 },
  ],
  [
    'a call that a rule permits',
    { tenant: 'acme', roles: ['agent:admin'] },
    'tool',
    'close',
    { recordId: 'of-alice' },
  ],
  [
    'a call that a rule refuses',
    { tenant: 'acme', roles: ['agent:admin'] },
    'tool',
    'close',
    { recordId: 'of-bob' },
  ],
  ['an argument of the own tenant', reader, 'tool', 'move', { to: { tenant: 'acme' } }],
  ['an argument of another tenant', reader, 'tool', 'move', { to: { tenant: 'globex' } }],
  ['a sign-in that nobody knows of', reader, 'tool', 'purge'],
  ['a call that waits for a person', reader, 'tool', 'send'],
  ['wrong arguments of what would wait for a person', reader, 'tool', 'send', { to: 'nobody' }],
  ['a resource by its URI', reader, 'resource', 'docs://welcome'],
  ['a resource that does not exist', reader, 'resource', 'docs://a/b'],
  ['a resource for somebody else', { ...reader, roles: [] }, 'resource', 'docs://welcome'],
])('explains %s as it is then decided, recorded and told', async (...[, facts, kind, target, args]) => {
  const { explained, called } = await both(facts, kind, target, args);
  const { answer: explanation } = explained;
  const [record] = called.records;
  expect(record).toMatchObject({
    decision: explanation.effect,
    checks: explanation.checks,
    policyVersion: explanation.policyVersion,
  });
  if (explanation.effect === 'permit') {
    expect(called.answer.status).toBe(200);
    expect(called.ran.filter((name) => name !== 'rule')).toHaveLength(1);
  } else {
    expect(record).toMatchObject({ reason: explanation.reason });
    const { answer } = called;
    expect(answer.status).toBe(explanation.told?.status);
    // A model corrects wrong arguments by itself, so that those of a tool come as a result.
    if (explanation.reason === 'invalid_arguments') expect(answer.text).toContain(explanation.told?.message);
    else
      expect(answer.error).toMatchObject({
        code: explanation.told?.code,
        message: explanation.told?.message,
      });
    expect(explanation.helps).not.toEqual([]);
    expect(called.ran.filter((name) => name !== 'rule')).toEqual([]);
  }
});

it('runs no handler and records nothing; rules are asked', async () => {
  const { explained } = await both({ tenant: 'acme', roles: ['agent:admin'] }, 'tool', 'close', {
    recordId: 'of-bob',
  });
  expect({ records: explained.records, ran: explained.ran }).toEqual({ records: [], ran: ['rule'] });
});

it('never quotes an argument', async () => {
  const secret = 'hunter2-hunter2';
  const { explained } = await both({ tenant: 'acme', roles: ['agent:admin'] }, 'tool', 'close', {
    recordId: secret,
  });
  expect(JSON.stringify(explained.answer)).not.toContain(secret);
  expect(explanationText(explained.answer)).not.toContain(secret);
});

it.each<[string, RevocationTarget]>([
  ['the caller', { kind: 'user', value: 'alice' }],
  ['the entry', { kind: 'entry', value: 'open' }],
])('knows that %s is revoked, whatever the caller is told', async (_what, target) => {
  const revocations = server.app.get(RevocationService, { strict: false });
  await revocations.revoke(target, BY_TEST);
  const { explained, called } = await both(reader, 'tool', 'open');
  await revocations.restore(target, BY_TEST);
  expect(explained.answer).toMatchObject({ effect: 'refuse', reason: 'revoked' });
  expect(explained.answer.helps).toEqual([expect.stringContaining('sallyport restore')]);
  expect(explained.answer.told).toMatchObject({ message: called.answer.error?.message });
  expect(called.ran).toEqual([]);
});

describe('with a directory of roles', () => {
  @Injectable()
  class Directory extends RoleDirectory {
    override async rolesOf() {
      return ['agent:contributor'];
    }
  }

  it('explains with the roles of the directory', async () => {
    const directed = await TestServer.start({
      issuer,
      providers: [Tools, OwnRecords, Directory],
      sallyport: { roleDirectory: Directory },
    });
    const as = madeUpPrincipal({ tenant: 'acme', roles: ['agent:admin'], scopes: ['crm:read'] });
    const explanation = await explainCall(directed.app, { as, kind: 'tool', target: 'open' });
    const none = await explainCall(directed.app, {
      as: madeUpPrincipal({ tenant: 'acme' }),
      kind: 'resource',
      target: 'docs://a',
    });
    await directed.close();
    expect([explanation.effect, none.effect]).toEqual(['permit', 'permit']);
    expect(directed.runs.names).toEqual([]);
  });
});
