import { jest } from '@jest/globals';
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

const POLICY = compilePolicy({ ...DEFAULT_POLICY, roles: { member: [] } }, []);

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
  const rules = { find: () => rule };
  return { authorizer: new PolicyAuthorizer(POLICY, { rules, timeoutMs, clock: () => NOW }), asked };
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
    const decision = await new PolicyAuthorizer(POLICY).authorize(callOf(entryWith(), WITH));
    expect(decision).toMatchObject({ effect: 'refuse', reason: 'rule' });
    expect(decision.checks).toContainEqual({ name: 'rule', passed: false, detail: 'Own: is not provided' });
  });

  it.each<[string, Entry['rules']]>([
    ['whose class the entry does not hold', []],
    ['of another name than the class the entry holds', [Paid]],
    ['of an entry that holds no classes', undefined],
  ])('%s refuses', async (_what, rules) => {
    const { rules: _rules, ...entry } = entryWith();
    const call = callOf({ ...entry, ...(rules !== undefined && { rules }) }, WITH);
    expect(await outcome({}, call)).toEqual({ is: 'rule', checks: ['Own: is not provided'], asked: [] });
  });

  it('is asked by its own class', async () => {
    const found: unknown[] = [];
    const rules = { find: (type: unknown) => (found.push(type), undefined) };
    const entry = entryWith({ when: ['Paid', 'Own'] });
    await new PolicyAuthorizer(POLICY, { rules }).authorize(callOf(entry, WITH));
    expect(found).toEqual([Paid, Own]);
  });

  it('is asked about this principal, this entry and these arguments, and can change none of it', async () => {
    const questions: RuleQuestion[] = [];
    const call = callOf(entryWith(), WITH);
    await outcome({ permits: (question) => questions.push(question) }, call);
    expect(questions).toEqual([{ principal: priya, arguments: WITH.arguments, entry: call.entry }]);
    expect(questions.every(Object.isFrozen)).toBe(true);
  });

  it('that speaks of lists has its say in calls, first', async () => {
    const call = callOf(entryWith(), WITH);
    const listing = await outcome({ permitsListing: () => 'not today' }, call);
    expect(listing).toEqual({ is: 'rule', checks: ['Own: refuses, not today'], asked: ['listing'] });
    const both = await outcome({ permitsListing: () => true, permits: () => 'not this' }, call);
    expect(both).toEqual({
      is: 'rule',
      checks: ['Own: refuses, not this'],
      asked: ['listing', WITH.arguments],
    });
  });

  it('has as long as is said, or else two seconds', async () => {
    jest.useFakeTimers();
    try {
      const rules = { find: () => ({ permits: () => new Promise<never>(() => undefined) }) };
      for (const [timeoutMs, limit] of [
        [undefined, 2_000],
        [50, 50],
      ] as const) {
        const parts = { rules, ...(timeoutMs !== undefined && { timeoutMs }) };
        const asked = new PolicyAuthorizer(POLICY, parts).authorize(callOf(entryWith(), WITH));
        jest.advanceTimersByTime(limit - 1);
        expect(jest.getTimerCount()).toBe(1);
        jest.advanceTimersByTime(1);
        expect(await asked).toMatchObject({ effect: 'refuse', reason: 'rule' });
      }
    } finally {
      jest.useRealTimers();
    }
  });

  it.each<[string, Partial<Principal>, string]>([
    ['a role', { roles: [] }, 'role'],
    ['a tenant', { tenant: undefined }, 'tenant'],
    ['consent', { scopes: [] }, 'insufficient_scope'],
    [
      'a fresh sign-in',
      { credential: { kind: 'jwt', authenticatedAt: 1 } },
      'insufficient_user_authentication',
    ],
  ])('is not asked about a caller that lacks %s', async (_what, changes, is) => {
    const entry = entryWith({ freshness: { maxAge: 60 } });
    const signedIn = { ...priya, credential: { kind: 'jwt', authenticatedAt: NOW / 1000 } };
    const call = callOf(entry, { ...WITH, principal: { ...signedIn, ...changes } });
    expect(await outcome({ permits: () => false }, call)).toMatchObject({ is, asked: [] });
  });

  it('is not asked about a caller nobody knows', async () => {
    const { authorizer, asked } = authorizerWith({ permitsListing: () => true });
    for (const values of [undefined, WITH.arguments]) {
      const call = callOf(entryWith(), { arguments: values, principal: undefined });
      // At once, without waiting for anything.
      expect(authorizer.authorize(call)).toMatchObject({ reason: 'authentication_required' });
    }
    expect(authorizer.isVisible(entryWith(), undefined)).toBe(false);
    expect(asked).toEqual([]);
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
    [undefined, 'rule'],
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

  it('a single resource takes none', async () => {
    const call = callOf(entryWith({}, { input: undefined, kind: 'resource', uri: 'docs://index' }));
    expect(await outcome({ permits: () => false }, call)).toMatchObject({ is: 'rule', asked: [{}] });
  });

  it('a rule is asked about lists by principal and entry', async () => {
    const asked: unknown[][] = [];
    const rule: PolicyRule = { permits: () => true, permitsListing: (...of) => asked.push(of) > 0 };
    const authorizer = new PolicyAuthorizer(POLICY, { rules: { find: () => rule } });
    const entry = entryWith();
    expect(await authorizer.isVisible(entry, priya)).toBe(true);
    expect(asked).toEqual([[priya, entry]]);
  });

  it('no arguments are a question that nobody can change', async () => {
    const questions: RuleQuestion[] = [];
    const entry = entryWith({}, { input: undefined });
    await outcome({ permits: (question) => questions.push(question) }, callOf(entry));
    expect(questions).toEqual([{ principal: priya, arguments: {}, entry }]);
    expect(questions.flatMap((asked) => [asked, asked.arguments]).every(Object.isFrozen)).toBe(true);
  });

  it.each<[string, Partial<Principal>, string]>([
    ['a role', { roles: [] }, 'role'],
    ['a tenant', { tenant: undefined }, 'tenant'],
  ])('a rule is not asked about a caller that lacks %s', async (_what, changes, is) => {
    const call = callOf(entryWith(), { principal: { ...priya, ...changes } });
    expect(await outcome({ permitsListing: () => true }, call)).toMatchObject({ is, asked: [] });
  });

  it('completions are ruled as lists are, and refused where a rule cannot be asked that', async () => {
    const completing = { kind: 'prompt', argument: 'recordId' } as const;
    const call = callOf(entryWith(), { ...WITH, method: 'completion/complete', completing });
    expect(await outcome({}, call)).toMatchObject({ is: 'rule', asked: [] });
    expect((await outcome({ permitsListing: () => true }, call)).is).toBe('permit');
    expect((await outcome({ permitsListing: () => false }, call)).is).toBe('rule');
  });
});

describe('An entry without rules', () => {
  const entry = entryWith({ when: [] });

  it.each<[string, Entry | undefined, Principal | undefined, string]>([
    ['is permitted at once', entry, priya, 'permit'],
    ['asks a caller nobody knows to sign in', entry, undefined, 'authentication_required'],
    ['that does not exist is unknown', undefined, priya, 'unknown_entry'],
  ])('%s, and no rule is asked', (_what, wanted, principal, is) => {
    const { authorizer, asked } = authorizerWith({});
    const decision = authorizer.authorize({ ...callOf(entry), entry: wanted, principal });
    expect(decision).toMatchObject(is === 'permit' ? { effect: is } : { reason: is });
    expect(asked).toEqual([]);
  });

  it.each<[string, Principal | undefined, boolean]>([
    ['is listed for who may call it', priya, true],
    ['is listed for who has yet to consent', { ...priya, scopes: [] }, true],
    ['is hidden from who lacks its role', { ...priya, roles: [] }, false],
    ['is hidden from who has not signed in', undefined, false],
  ])('%s', (_what, principal, isListed) => {
    expect(authorizerWith({}).authorizer.isVisible(entry, principal)).toBe(isListed);
  });

  it('is judged on its arguments when they are known, or are being completed', () => {
    const bound = entryWith({ when: [], tenancy: { argument: ['tenant'] } });
    const { authorizer } = authorizerWith({});
    const about = (more: Partial<McpCall>) => authorizer.authorize(callOf(bound, more));
    const completing = { kind: 'prompt', argument: 'tenant' } as const;
    expect(about({})).toMatchObject({ effect: 'permit' });
    expect(about({ arguments: { tenant: 'acme' } })).toMatchObject({ effect: 'permit' });
    expect(about({ arguments: { tenant: 'ac' } })).toMatchObject({ reason: 'tenant' });
    expect(about({ arguments: { tenant: 'ac' }, completing })).toMatchObject({ effect: 'permit' });
    expect(about({ arguments: { tenant: 'gl' }, completing })).toMatchObject({ reason: 'tenant' });
  });
});

it('An authorizer decides by the policy it has now', async () => {
  const { authorizer } = authorizerWith({});
  const entry = entryWith({ roles: ['boss'] });
  expect(await authorizer.authorize(callOf(entry, WITH))).toMatchObject({ reason: 'role' });
  const next = compilePolicy({ ...DEFAULT_POLICY, roles: { member: ['boss'] }, listing: 'granted' }, []);
  authorizer.usePolicy(next);
  expect(authorizer.policy).toBe(next);
  const decision = await authorizer.authorize(callOf(entry, WITH));
  expect(decision).toMatchObject({ effect: 'permit', policyVersion: next.version });
  expect(await authorizer.isVisible(entry, { ...priya, scopes: [] })).toBe(false);
});

it('An authorizer has the clock of the machine, unless it is given another', () => {
  const now = Math.floor(Date.now() / 1000);
  const entry = entryWith({ when: [], freshness: { maxAge: 600 } });
  const signedIn = (authenticatedAt: number) => ({ ...priya, credential: { kind: 'jwt', authenticatedAt } });
  const authorizer = new PolicyAuthorizer(POLICY);
  const asked = (at: number) => authorizer.authorize(callOf(entry, { principal: signedIn(at) }));
  expect(asked(now)).toMatchObject({ effect: 'permit' });
  expect(asked(now - 3600)).toMatchObject({ reason: 'insufficient_user_authentication' });
  expect(authorizer.isVisible(entry, signedIn(now - 3600))).toBe(true);
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
