import { Logger } from '@nestjs/common';
import type { Entry, McpCall, PolicyRule, Principal, RuleQuestion } from '@sallyport/mcp';
import fc from 'fast-check';
import { PolicyAuthorizer } from './policy.authorizer.js';
import { compilePolicy, DEFAULT_POLICY } from './policy.js';

const NOW = 1_800_000_000_000;

const priya: Principal = {
  kind: 'user',
  issuer: 'https://idp.example',
  subject: 'priya',
  actors: [],
  tenant: 'acme',
  scopes: ['crm:read'],
  roles: ['member'],
  credential: { kind: 'jwt' },
  claims: {},
};

class Own {}
class Paid {}

function entryWith(changes: Partial<Entry['policy']> = {}, more: Partial<Entry> = {}): Entry {
  return {
    kind: 'tool',
    name: 'open',
    policy: {
      public: false,
      scopes: ['crm:read'],
      roles: ['member'],
      risk: 'read',
      tenancy: 'required',
      when: ['Own'],
      ...changes,
    },
    rules: [Own, Paid],
    // Any schema says that it takes arguments.
    input: { '~standard': {} } as never,
    auditFields: [],
    source: 'Spec',
    digest: '0',
    ...more,
  };
}

function callOf(entry: Entry, more: Partial<McpCall> = {}): McpCall {
  return {
    id: 'call-1',
    receivedAt: new Date(NOW),
    server: { name: 's', version: '1', resource: 'https://mcp.example/mcp' },
    via: 'http',
    protocol: '2026-07-28',
    principal: priya,
    address: undefined,
    traceparent: undefined,
    method: 'tools/call',
    target: entry.name,
    entry,
    arguments: undefined,
    ...more,
  };
}

interface Answers {
  readonly permits?: (question: RuleQuestion) => unknown;
  readonly permitsListing?: () => unknown;
}

/** An authorizer with one rule for both names, and what the rule was asked. */
function authorizerWith({ permits = () => true, permitsListing }: Answers, timeoutMs = 2000) {
  const asked: unknown[] = [];
  const rule = {
    permits: (question: RuleQuestion) => {
      asked.push(question.arguments);
      return permits(question);
    },
    ...(permitsListing !== undefined && {
      permitsListing: () => {
        asked.push('listing');
        return permitsListing();
      },
    }),
  } as unknown as PolicyRule;
  const policy = compilePolicy({ ...DEFAULT_POLICY, roles: { member: [] } }, []);
  const rules = { find: () => rule };
  return { authorizer: new PolicyAuthorizer(policy, { rules, timeoutMs, clock: () => NOW }), asked };
}

async function outcome(answers: Answers, call: McpCall, timeoutMs?: number) {
  const { authorizer, asked } = authorizerWith(answers, timeoutMs);
  const decision = await authorizer.authorize(call);
  const checks = decision.checks.filter(({ name }) => name === 'rule').map(({ detail }) => detail);
  return { is: decision.effect === 'refuse' ? decision.reason : decision.effect, checks, asked };
}

const WITH = { arguments: { recordId: 'r-1' } };

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['error']));

describe('A rule', () => {
  it('permits with exactly true, and sees the arguments that would run', async () => {
    const ruled = await outcome({}, callOf(entryWith(), WITH));
    expect(ruled).toEqual({ is: 'permit', checks: ['Own: permits'], asked: [{ recordId: 'r-1' }] });
  });

  it.each<[string, () => unknown, string]>([
    ['answers false', () => false, 'Own: refuses'],
    ['gives a reason', () => 'the record is somebody else’s', 'Own: refuses, the record is somebody else’s'],
    ['gives a long reason', () => 'x'.repeat(300), `Own: refuses, ${'x'.repeat(200)}`],
    ['answers with the text true', () => 'true', 'Own: refuses, true'],
    ['answers with a number', () => 1, 'Own: refuses'],
    ['answers nothing', () => undefined, 'Own: refuses'],
    ['answers with an object', () => ({ permits: true }), 'Own: refuses'],
    ['answers with a list', () => [true], 'Own: refuses'],
    ['promises false', async () => false, 'Own: refuses'],
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      'Own: threw',
    ],
    ['rejects', () => Promise.reject(new Error('boom')), 'Own: threw'],
  ])('that %s refuses', async (_what, permits, detail) => {
    expect(await outcome({ permits }, callOf(entryWith(), WITH))).toMatchObject({
      is: 'rule',
      checks: [detail],
    });
  });

  it('that never answers refuses when the time is up', async () => {
    const permits = () => new Promise(() => undefined);
    const ruled = await outcome({ permits }, callOf(entryWith(), WITH), 10);
    expect(ruled).toMatchObject({ is: 'rule', checks: ['Own: gave no answer in time'] });
  });

  it('that nobody provides refuses', async () => {
    const policy = compilePolicy({ ...DEFAULT_POLICY, roles: { member: [] } }, []);
    const decision = await new PolicyAuthorizer(policy).authorize(callOf(entryWith(), WITH));
    expect(decision).toMatchObject({ effect: 'refuse', reason: 'rule' });
  });

  it('whose class the entry does not hold refuses', async () => {
    const entry = entryWith({}, { rules: [] });
    expect(await outcome({}, callOf(entry, WITH))).toMatchObject({ is: 'rule', asked: [] });
  });

  it.each<[string, Partial<Principal>, string]>([
    ['a role', { roles: [] }, 'role'],
    ['a tenant', { tenant: undefined }, 'tenant'],
    ['consent', { scopes: [] }, 'insufficient_scope'],
  ])('is not asked about a caller that lacks %s', async (_what, changes, is) => {
    const call = callOf(entryWith(), { ...WITH, principal: { ...priya, ...changes } });
    expect(await outcome({ permits: () => false }, call)).toMatchObject({ is, asked: [] });
  });

  it('is asked before a person is', async () => {
    const call = callOf(entryWith({ risk: 'destructive' }), WITH);
    expect((await outcome({ permits: () => false }, call)).is).toBe('rule');
    expect((await outcome({}, call)).is).toBe('hold');
  });

  it('of several has to permit with all others', async () => {
    const permits = ({ entry }: RuleQuestion) => entry.policy.when.length === 1;
    const call = callOf(entryWith({ when: ['Own', 'Paid'] }), WITH);
    expect((await outcome({ permits }, call)).is).toBe('rule');
    expect((await outcome({}, call)).is).toBe('permit');
  });
});

describe('Before the arguments are known', () => {
  it('a rule that says nothing of lists is left open', async () => {
    const ruled = await outcome({ permits: () => false }, callOf(entryWith()));
    expect(ruled).toMatchObject({ is: 'permit', asked: [] });
  });

  it.each([
    [true, 'permit'],
    [false, 'rule'],
    ['not today', 'rule'],
  ])('a rule that says %s of lists gives %s', async (said, is) => {
    expect((await outcome({ permitsListing: () => said }, callOf(entryWith()))).is).toBe(is);
  });

  it('hides before it challenges', async () => {
    const call = callOf(entryWith(), { principal: { ...priya, scopes: [] } });
    expect((await outcome({ permitsListing: () => false }, call)).is).toBe('rule');
    expect((await outcome({ permitsListing: () => true }, call)).is).toBe('insufficient_scope');
  });

  it('an entry without arguments is ruled like a call of it', async () => {
    const call = callOf(entryWith({}, { input: undefined }));
    expect(await outcome({ permits: () => false }, call)).toMatchObject({ is: 'rule', asked: [{}] });
  });

  it('a family of resources takes arguments, whatever its schema', async () => {
    const call = callOf(entryWith({}, { input: undefined, kind: 'resource', uri: 'docs://{slug}' }));
    expect(await outcome({ permits: () => false }, call)).toMatchObject({ is: 'permit', asked: [] });
  });

  it('completions are ruled as lists are, and refused where a rule cannot be asked that', async () => {
    const completing = { kind: 'prompt', argument: 'recordId' } as const;
    const call = callOf(entryWith(), { ...WITH, method: 'completion/complete', completing });
    expect(await outcome({}, call)).toMatchObject({ is: 'rule', asked: [] });
    expect((await outcome({ permitsListing: () => true }, call)).is).toBe('permit');
    expect((await outcome({ permitsListing: () => false }, call)).is).toBe('rule');
  });
});

it('A list and a call never disagree, whatever a rule says', async () => {
  const answer = fc.constantFrom<unknown>(true, false, 'no', 1);
  const some = fc.constantFrom(['crm:read'], []);
  await fc.assert(
    fc.asyncProperty(answer, answer, fc.boolean(), fc.boolean(), some, some, async (...made) => {
      const [says, listing, hasListing, takesArguments, scopes, roles] = made;
      const { authorizer } = authorizerWith({
        permits: () => says,
        ...(hasListing && { permitsListing: () => listing }),
      });
      const entry = entryWith({}, takesArguments ? {} : { input: undefined });
      const principal = { ...priya, scopes, roles: roles.length > 0 ? ['member'] : [] };
      const listed = await authorizer.isVisible(entry, principal);
      const first = await authorizer.authorize(callOf(entry, { principal }));
      const challenged = first.effect === 'refuse' && first.reason === 'insufficient_scope';
      expect(listed).toBe(first.effect !== 'refuse' || challenged);
      const then = await authorizer.authorize(callOf(entry, { principal, arguments: {} }));
      // What is not listed does not run; and without arguments, what is listed is not hidden.
      if (!listed) expect(then.effect).toBe('refuse');
      if (listed && !takesArguments)
        expect(then.effect === 'refuse' && then.reason === 'rule').toBe(
          hasListing && says !== true && !challenged,
        );
    }),
  );
});
