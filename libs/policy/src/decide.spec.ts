import type {
  CredentialFacts,
  Decision,
  Entry,
  EntryPolicy,
  Freshness,
  Principal,
  Requirement,
  Risk,
  Tenancy,
} from '@sallyport/mcp';
import fc from 'fast-check';
import { decide, type Question, type RuleOutcome } from './decide.js';
import { isVisible } from './is-visible.js';
import { compilePolicy, DEFAULT_POLICY, type Policy } from './policy.js';

const ROLES = { 'agent:admin': ['agent:contributor'], 'agent:contributor': ['agent:read-only'] };
const SCOPES = { 'crm:write': ['crm:read'] };
/** Seconds since the epoch. */
const NOW = 1_800_000_000;

const policy = compilePolicy({ ...DEFAULT_POLICY, roles: ROLES, scopes: SCOPES }, []);

function entryWith(changes: Partial<EntryPolicy> = {}): Entry {
  const base: EntryPolicy = {
    public: false,
    scopes: ['crm:read'],
    roles: ['agent:read-only'],
    risk: 'read',
    tenancy: 'required',
    when: [],
  };
  return {
    kind: 'tool',
    name: 'crm_open_record',
    policy: { ...base, ...changes },
    auditFields: [],
    source: 'Spec',
    digest: '0',
  };
}

function principalWith(changes: Partial<Principal> = {}): Principal {
  return {
    kind: 'user',
    issuer: 'https://idp.example',
    subject: 'priya',
    client: 'agent',
    actors: [],
    tenant: 'acme',
    scopes: ['crm:read'],
    roles: ['agent:read-only'],
    credential: { kind: 'jwt' },
    claims: {},
    ...changes,
  };
}

function signedIn(facts: Partial<CredentialFacts>): Principal {
  return principalWith({ credential: { kind: 'jwt', ...facts } });
}

function outcome(decision: Decision): string {
  return decision.effect === 'refuse' ? decision.reason : decision.effect;
}

function ask(
  principal: Principal | undefined,
  entry: Entry | undefined,
  more: Partial<Question> = {},
  using: Policy = policy,
): Decision {
  return decide(using, principal, { entry, now: NOW * 1000, ...more });
}

const PERMITS: RuleOutcome = { permits: true, detail: 'permits' };
const REFUSES: RuleOutcome = { permits: false, detail: 'refuses' };
const EITHER: Requirement = { anyOf: ['email:read', 'crm:read'] };
const BOUND: Tenancy = { argument: ['customer.tenant'] };
const FRESH: Freshness = { maxAge: 900 };

describe('decide', () => {
  const cases: [string, Principal | undefined, Entry | undefined, string][] = [
    ['permits what role, tenant and scopes allow', principalWith(), entryWith(), 'permit'],
    ['honours scope hierarchies', principalWith({ scopes: ['crm:write'] }), entryWith(), 'permit'],
    [
      'does not read a hierarchy upwards',
      principalWith(),
      entryWith({ scopes: ['crm:write'] }),
      'insufficient_scope',
    ],
    [
      'honours role inheritance over two steps',
      principalWith({ roles: ['agent:admin'] }),
      entryWith(),
      'permit',
    ],
    ['does not inherit upwards', principalWith(), entryWith({ roles: ['agent:admin'] }), 'role'],
    [
      'asks for all scopes',
      principalWith(),
      entryWith({ scopes: ['crm:read', 'email:read'] }),
      'insufficient_scope',
    ],
    ['is content with any of several scopes', principalWith(), entryWith({ scopes: [EITHER] }), 'permit'],
    [
      'honours the hierarchy for any of several scopes',
      principalWith({ scopes: ['crm:write'] }),
      entryWith({ scopes: [EITHER] }),
      'permit',
    ],
    [
      'is not content with none of several scopes',
      principalWith({ scopes: ['email:send'] }),
      entryWith({ scopes: [EITHER] }),
      'insufficient_scope',
    ],
    [
      'asks for all of several groups',
      principalWith(),
      entryWith({ scopes: [EITHER, 'email:send'] }),
      'insufficient_scope',
    ],
    [
      'is content with any role of a group',
      principalWith(),
      entryWith({ roles: [{ anyOf: ['agent:admin', 'agent:read-only'] }] }),
      'permit',
    ],
    [
      'asks for a role of each group',
      principalWith(),
      entryWith({ roles: ['agent:read-only', 'auditor'] }),
      'role',
    ],
    ['refuses a principal without a tenant', principalWith({ tenant: undefined }), entryWith(), 'tenant'],
    ['takes an empty tenant for none', principalWith({ tenant: '' }), entryWith(), 'tenant'],
    [
      'asks for no tenant where the entry says none',
      principalWith({ tenant: undefined }),
      entryWith({ tenancy: 'none' }),
      'permit',
    ],
    [
      'asks for a tenant where an argument names one',
      principalWith({ tenant: undefined }),
      entryWith({ tenancy: BOUND }),
      'tenant',
    ],
    ['leaves open what depends on arguments', principalWith(), entryWith({ tenancy: BOUND }), 'permit'],
    ['leaves rules open without arguments', principalWith(), entryWith({ when: ['Own'] }), 'permit'],
    ['hides before it challenges', principalWith({ roles: [], scopes: [] }), entryWith(), 'role'],
    ['refuses what does not exist', principalWith(), undefined, 'unknown_entry'],
    ['asks an anonymous caller to sign in', undefined, entryWith(), 'authentication_required'],
    ['asks the same for what does not exist', undefined, undefined, 'authentication_required'],
    [
      'lets anyone call what is public',
      undefined,
      entryWith({ public: true, scopes: [], roles: [], tenancy: 'none' }),
      'permit',
    ],
    ['holds what reaches outside', principalWith(), entryWith({ risk: 'external' }), 'hold'],
    ['holds what destroys', principalWith(), entryWith({ risk: 'destructive' }), 'hold'],
    [
      'challenges before it holds',
      principalWith({ scopes: [] }),
      entryWith({ risk: 'destructive' }),
      'insufficient_scope',
    ],
    ['does not know roles of the prototype', principalWith({ roles: ['constructor'] }), entryWith(), 'role'],
  ];
  it.each(cases)('%s', (_, principal, entry, expected) => {
    expect(outcome(ask(principal, entry))).toBe(expected);
  });

  it.each<[string, Partial<CredentialFacts>, Freshness, string]>([
    ['that is recent enough', { authenticatedAt: NOW - 900 }, FRESH, 'permit'],
    ['that is as old as clocks may be apart', { authenticatedAt: NOW - 930 }, FRESH, 'permit'],
    ['that is too old', { authenticatedAt: NOW - 931 }, FRESH, 'insufficient_user_authentication'],
    ['of a moment from now', { authenticatedAt: NOW + 30 }, FRESH, 'permit'],
    ['from the future', { authenticatedAt: NOW + 31 }, FRESH, 'insufficient_user_authentication'],
    ['of no moment at all', { authenticatedAt: Number.NaN }, FRESH, 'insufficient_user_authentication'],
    ['that nobody dated', {}, FRESH, 'insufficient_user_authentication'],
    ['of the right class', { acr: 'phr' }, { acr: ['phrh', 'phr'] }, 'permit'],
    ['of another class', { acr: 'pwd' }, { acr: ['phr'] }, 'insufficient_user_authentication'],
    ['of no class', {}, { acr: ['phr'] }, 'insufficient_user_authentication'],
    [
      'of the right class that is too old',
      { acr: 'phr', authenticatedAt: 1 },
      { acr: ['phr'], maxAge: 60 },
      'insufficient_user_authentication',
    ],
  ])('judges a sign-in %s', (_, facts, freshness, expected) => {
    const decision = ask(signedIn(facts), entryWith({ freshness }));
    expect(outcome(decision)).toBe(expected);
    expect(decision).toMatchObject(expected === 'permit' ? {} : { freshness, scopes: ['crm:read'] });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['names the tenant of the caller', { customer: { tenant: 'acme' } }, 'permit'],
    ['names another', { customer: { tenant: 'globex' } }, 'tenant'],
    ['names one in another spelling', { customer: { tenant: 'Acme' } }, 'tenant'],
    ['is missing', { customer: {} }, 'tenant'],
    ['is missing with its parent', {}, 'tenant'],
    ['is no text', { customer: { tenant: 1 } }, 'tenant'],
    ['is null', { customer: { tenant: null } }, 'tenant'],
    ['is a text where an object was meant', { customer: 'acme' }, 'tenant'],
    ['names the tenant in every item', { customer: [{ tenant: 'acme' }, { tenant: 'acme' }] }, 'permit'],
    ['names another in one item', { customer: [{ tenant: 'acme' }, { tenant: 'globex' }] }, 'tenant'],
    ['is missing in one item', { customer: [{ tenant: 'acme' }, {}] }, 'tenant'],
    ['is an empty list', { customer: [] }, 'tenant'],
    ['is a list of tenants with another', { customer: { tenant: ['acme', 'globex'] } }, 'tenant'],
    ['is a list with an empty list in it', { customer: [{ tenant: 'acme' }, { tenant: [] }] }, 'tenant'],
    ['stands beside a dotted name', { 'customer.tenant': 'acme' }, 'tenant'],
  ])('takes a bound argument that %s for what it is', (_, values, expected) => {
    const decision = ask(principalWith(), entryWith({ tenancy: BOUND }), { arguments: values });
    expect(outcome(decision)).toBe(expected);
    expect(JSON.stringify(decision.checks)).not.toContain('globex');
  });

  it('does not find a bound argument in a prototype', () => {
    const principal = principalWith({ tenant: 'Object' });
    const tenancy: Tenancy = { argument: ['constructor.name'] };
    expect(outcome(ask(principal, entryWith({ tenancy }), { arguments: {} }))).toBe('tenant');
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ['another argument, before the tenant is named', { city: 'B' }, 'city', 'tenant'],
    ['another argument, for the tenant of the caller', { city: 'B', tenant: 'acme' }, 'city', 'permit'],
    ['another argument, for another tenant', { city: 'B', tenant: 'globex' }, 'city', 'tenant'],
    ['the tenant itself, from its beginning', { tenant: 'ac' }, 'tenant', 'permit'],
    ['the tenant itself, from nothing', { tenant: '' }, 'tenant', 'permit'],
    ['another tenant', { tenant: 'g' }, 'tenant', 'tenant'],
    ['another argument, for the beginning of a tenant', { city: 'B', tenant: 'ac' }, 'city', 'tenant'],
    ['what is no text', { tenant: ['ac'] }, 'tenant', 'tenant'],
  ])('lets a client complete %s, or not', (_, values, completing, expected) => {
    const entry = entryWith({ tenancy: { argument: ['tenant'] } });
    expect(outcome(ask(principalWith(), entry, { arguments: values, completing }))).toBe(expected);
  });

  it.each<[string, [string, RuleOutcome][], string]>([
    ['that permits', [['Own', PERMITS]], 'permit'],
    ['that refuses', [['Own', REFUSES]], 'rule'],
    ['that was not asked', [], 'rule'],
    ['in whose place another was asked', [['Other', PERMITS]], 'rule'],
  ])('follows a rule %s', (_, outcomes, expected) => {
    const more = { arguments: {}, rules: new Map(outcomes) };
    expect(outcome(ask(principalWith(), entryWith({ when: ['Own'] }), more))).toBe(expected);
  });

  it('asks for the consent of every rule', () => {
    const rules = new Map([
      ['Own', PERMITS],
      ['Open', REFUSES],
    ]);
    const entry = entryWith({ when: ['Own', 'Open'] });
    expect(outcome(ask(principalWith(), entry, { arguments: {}, rules }))).toBe('rule');
  });

  it('challenges for what is lacking, rather than refuse for a rule that was not asked because of it', () => {
    const entry = entryWith({ when: ['Own'] });
    expect(outcome(ask(principalWith({ scopes: [] }), entry, { arguments: {} }))).toBe('insufficient_scope');
  });

  it('asks for a new sign-in before it asks for consent, and names the scopes with it', () => {
    const decision = ask(principalWith({ scopes: [] }), entryWith({ freshness: FRESH }));
    expect(decision).toMatchObject({ reason: 'insufficient_user_authentication', scopes: ['crm:read'] });
  });

  it.each<[string, Requirement[], string[], string[]]>([
    [
      'every scope, not the missing ones alone',
      ['crm:read', 'email:read'],
      ['crm:read'],
      ['crm:read', 'email:read'],
    ],
    ['the first of alternatives', [{ anyOf: ['email:read', 'email:send'] }], [], ['email:read']],
    [
      'of alternatives what is granted already',
      [{ anyOf: ['email:read', 'email:send'] }, 'crm:read'],
      ['email:send'],
      ['email:send', 'crm:read'],
    ],
    [
      'of alternatives what a granted scope includes',
      [{ anyOf: ['email:read', 'crm:read'] }, 'email:send'],
      ['crm:write'],
      ['crm:read', 'email:send'],
    ],
    ['each scope once', ['email:read', { anyOf: ['email:read', 'email:send'] }], [], ['email:read']],
  ])('names in a challenge %s', (_, scopes, granted, named) => {
    expect(ask(principalWith({ scopes: granted }), entryWith({ scopes }))).toMatchObject({ scopes: named });
  });

  it('explains itself: every check, in order, with its answer', () => {
    const entry = entryWith({ when: ['Own'] });
    const decision = ask(principalWith({ scopes: [] }), entry);
    expect(decision.checks.map(({ name, passed }) => [name, passed])).toEqual([
      ['entry', true],
      ['authentication', true],
      ['tenant', true],
      ['role', true],
      ['rule', true],
      ['freshness', true],
      ['scopes', false],
      ['risk', true],
    ]);
  });

  it('says the same of a hidden and a missing entry to an anonymous caller', () => {
    expect(ask(undefined, entryWith())).toEqual(ask(undefined, undefined));
  });

  it('holds whatever is riskier than what is held', () => {
    const strange = compilePolicy({ ...DEFAULT_POLICY, roles: ROLES, holds: ['external'] }, []);
    expect(outcome(ask(principalWith(), entryWith({ risk: 'destructive' }), {}, strange))).toBe('hold');
    expect(outcome(ask(principalWith(), entryWith({ risk: 'write' }), {}, strange))).toBe('permit');
  });
});

type Inclusions = Record<string, string[]>;

interface Asked {
  readonly principal: Principal | undefined;
  readonly entry: Entry | undefined;
  readonly values: Record<string, unknown> | undefined;
  readonly permitting: readonly string[];
}

/** A second opinion, written for obviousness: walk the inclusions one by one, compare strings. */
function reference({ principal, entry, values, permitting }: Asked): string {
  if (entry?.policy.public) return 'permit';
  if (principal === undefined) return 'authentication_required';
  if (entry === undefined) return 'unknown_entry';
  const { tenancy, roles, scopes, when, freshness, risk } = entry.policy;
  if (tenancy !== 'none' && !principal.tenant) return 'tenant';
  if (typeof tenancy === 'object' && values !== undefined) {
    if (tenancy.argument.some((name) => values[name] !== principal.tenant)) return 'tenant';
  }
  if (!roles.every((each) => satisfied(ROLES, principal.roles, each))) return 'role';
  const { authenticatedAt, acr } = principal.credential;
  const mayBe = scopes.every((each) => satisfied(SCOPES, principal.scopes, each));
  const age = authenticatedAt === undefined ? Number.POSITIVE_INFINITY : NOW - authenticatedAt;
  const fresh =
    freshness === undefined ||
    ((freshness.maxAge === undefined || (age <= freshness.maxAge + 30 && age >= -30)) &&
      (freshness.acr === undefined || (acr !== undefined && freshness.acr.includes(acr))));
  if (values !== undefined && fresh && mayBe && when.some((rule) => !permitting.includes(rule)))
    return 'rule';
  if (!fresh) return 'insufficient_user_authentication';
  if (!mayBe) return 'insufficient_scope';
  return risk === 'external' || risk === 'destructive' ? 'hold' : 'permit';
}

function satisfied(inclusions: Inclusions, held: readonly string[], requirement: Requirement): boolean {
  const names = typeof requirement === 'string' ? [requirement] : requirement.anyOf;
  return names.some((wanted) => held.some((name) => grants(inclusions, name, wanted)));
}

function grants(inclusions: Inclusions, held: string, wanted: string): boolean {
  if (held === wanted) return true;
  if (!Object.hasOwn(inclusions, held)) return false;
  return (inclusions[held] ?? []).some((next) => grants(inclusions, next, wanted));
}

const scope = fc.constantFrom('crm:read', 'crm:write', 'email:read', 'email:send');
const role = fc.constantFrom('agent:admin', 'agent:contributor', 'agent:read-only', 'other');
const risk = fc.constantFrom<Risk>('read', 'write', 'external', 'destructive');
const rule = fc.constantFrom('Own', 'Open', 'Paid');
const age = fc.constantFrom(-40, -20, 0, 60, 95, 300, 600, 700);
const acr = fc.constantFrom('pwd', 'mfa', 'phr');

function requirement(name: fc.Arbitrary<string>): fc.Arbitrary<Requirement> {
  const several = fc.tuple(name, name).map((anyOf): Requirement => ({ anyOf }));
  return fc.oneof(name, several);
}

const freshness = fc.oneof(
  fc.record({ maxAge: fc.constantFrom(60, 600) }),
  fc.record({ acr: fc.uniqueArray(acr, { minLength: 1 }) }),
  fc.record({ maxAge: fc.constantFrom(60, 600), acr: fc.uniqueArray(acr, { minLength: 1 }) }),
);

const anyPolicy = fc.record(
  {
    scopes: fc.uniqueArray(requirement(scope), { maxLength: 4 }),
    roles: fc.uniqueArray(requirement(role), { maxLength: 3 }),
    risk,
    tenancy: fc.constantFrom<Tenancy>('required', 'none', { argument: ['tenant'] }),
    when: fc.uniqueArray(rule, { maxLength: 2 }),
    freshness,
  },
  { requiredKeys: ['scopes', 'roles', 'risk', 'tenancy', 'when'] },
);
const anyEntry = anyPolicy.map((changes) => entryWith(changes));
const anyCredential = fc
  .record({
    age: fc.option(age, { nil: undefined }),
    acr: fc.option(acr, { nil: undefined }),
  })
  .map((made) => ({
    kind: 'jwt',
    ...(made.age !== undefined && { authenticatedAt: NOW - made.age }),
    ...(made.acr !== undefined && { acr: made.acr }),
  }));
const anyPrincipal = fc
  .record({
    scopes: fc.array(scope),
    roles: fc.array(role),
    tenant: fc.option(fc.constantFrom('acme', 'globex', ''), { nil: undefined }),
    credential: anyCredential,
  })
  .map((changes) => principalWith(changes));
const anyArguments = fc.option(fc.constantFrom({}, { tenant: 'acme' }, { tenant: 'globex' }), {
  nil: undefined,
});
const anyAsked: fc.Arbitrary<Asked> = fc.record({
  principal: fc.option(anyPrincipal, { nil: undefined }),
  entry: fc.option(anyEntry, { nil: undefined }),
  values: anyArguments,
  permitting: fc.uniqueArray(rule),
});

/** What each rule of the entry answers, when the permitting ones are these; with arguments only, as the gate asks. */
function answersOf({ entry, values, permitting }: Asked): ReadonlyMap<string, RuleOutcome> {
  const asked = values === undefined ? [] : (entry?.policy.when ?? []);
  return new Map(asked.map((name) => [name, permitting.includes(name) ? PERMITS : REFUSES]));
}

function decided(asked: Asked): Decision {
  const rules = answersOf(asked);
  const decision = ask(asked.principal, asked.entry, { arguments: asked.values });
  // As the authorizer does: rules are asked when nothing else refuses.
  if (decision.effect === 'refuse' && decision.reason !== 'rule') return decision;
  return ask(asked.principal, asked.entry, { arguments: asked.values, rules });
}

/** How much a decision gives away: nothing, a challenge, a hold, a run. */
function rank(decision: Decision): number {
  switch (outcome(decision)) {
    case 'permit':
      return 3;
    case 'hold':
      return 2;
    case 'insufficient_scope':
    case 'insufficient_user_authentication':
      return 1;
    default:
      return 0;
  }
}

function changed(asked: Asked, changes: Partial<EntryPolicy>): Asked {
  if (asked.entry === undefined) return asked;
  return { ...asked, entry: entryWith({ ...asked.entry.policy, ...changes }) };
}

function held(asked: Asked, changes: (principal: Principal) => Partial<Principal>): Asked {
  const { principal } = asked;
  return principal === undefined ? asked : { ...asked, principal: { ...principal, ...changes(principal) } };
}

/** How much a call may do: nothing, wait for a person, run. */
function power(decision: Decision): number {
  return ['refuse', 'hold', 'permit'].indexOf(decision.effect);
}

/**
 * The strictness of the entry or the poverty of the caller grew: no call may do more, and no list may know more. (A call that
 * a rule refuses may be challenged instead, since rules that look at arguments run for nobody who has not consented.)
 */
function neverMore(asked: Asked, stricter: Asked): void {
  expect(power(decided(stricter))).toBeLessThanOrEqual(power(decided(asked)));
  const [listed, known] = [stricter, asked].map((each) => rank(decided({ ...each, values: undefined })));
  expect(listed).toBeLessThanOrEqual(known ?? 0);
}

function without<T>(list: readonly T[], at: number): T[] {
  return list.filter((_, index) => index !== at % (list.length + 1));
}

describe('decide, whatever comes', () => {
  it('agrees with the reference', () => {
    fc.assert(
      fc.property(anyAsked, (asked) => {
        expect(outcome(decided(asked))).toBe(reference(asked));
      }),
      { numRuns: 2000 },
    );
  });

  it('never gives more when more is required', () => {
    fc.assert(
      fc.property(anyAsked, requirement(scope), requirement(role), rule, (asked, more, duty, extra) => {
        const { scopes, roles, when } = asked.entry?.policy ?? entryWith().policy;
        neverMore(asked, changed(asked, { scopes: [...scopes, more] }));
        neverMore(asked, changed(asked, { roles: [...roles, duty] }));
        neverMore(asked, changed(asked, { when: [...new Set([...when, extra])] }));
        neverMore(changed(asked, { tenancy: 'none' }), asked);
        neverMore(
          changed(asked, { tenancy: 'required' }),
          changed(asked, { tenancy: { argument: ['tenant'] } }),
        );
      }),
    );
  });

  it('never gives more when alternatives are taken away', () => {
    fc.assert(
      fc.property(anyAsked, scope, role, scope, role, (asked, a, b, other, duty) => {
        const wide = changed(asked, { scopes: [{ anyOf: [a, other] }], roles: [{ anyOf: [b, duty] }] });
        neverMore(wide, changed(asked, { scopes: [a], roles: [b] }));
      }),
    );
  });

  it('never gives more when a grant is taken away', () => {
    fc.assert(
      fc.property(anyAsked, fc.nat(), (asked, at) => {
        neverMore(
          asked,
          held(asked, ({ scopes }) => ({ scopes: without(scopes, at) })),
        );
        neverMore(
          asked,
          held(asked, ({ roles }) => ({ roles: without(roles, at) })),
        );
        neverMore(
          asked,
          held(asked, () => ({ tenant: undefined })),
        );
        neverMore(
          asked,
          held(asked, () => ({ credential: { kind: 'jwt' } })),
        );
      }),
    );
  });

  it('never gives more for an older sign-in, or where a younger one is asked for', () => {
    fc.assert(
      fc.property(anyAsked, fc.nat({ max: 1000 }), fc.nat({ max: 1000 }), (asked, since, longer) => {
        const at = (time: number) =>
          held(asked, ({ credential }) => ({ credential: { ...credential, authenticatedAt: time } }));
        neverMore(at(NOW - since), at(NOW - since - longer));
        neverMore(
          changed(asked, { freshness: { maxAge: 1 + since + longer } }),
          changed(asked, { freshness: { maxAge: 1 + since } }),
        );
      }),
    );
  });

  it('never gives more when a rule refuses, and never by a rule alone', () => {
    fc.assert(
      fc.property(anyAsked, fc.nat(), (asked, at) => {
        neverMore(asked, { ...asked, permitting: without(asked.permitting, at) });
        neverMore(changed(asked, { when: [] }), asked);
      }),
    );
  });

  it('never permits with arguments what rules were not asked about', () => {
    fc.assert(
      fc.property(anyAsked, (asked) => {
        const unasked = ask(asked.principal, asked.entry, { arguments: {} });
        const ruled = (asked.entry?.policy.when.length ?? 0) > 0;
        expect(ruled && unasked.effect !== 'refuse').toBe(false);
      }),
    );
  });

  it('never gives more with arguments than without, and never tells of what it hides without', () => {
    fc.assert(
      fc.property(anyAsked, (asked) => {
        expect(rank(decided(asked))).toBeLessThanOrEqual(rank(decided({ ...asked, values: undefined })));
      }),
    );
  });

  it('does not care for order', () => {
    const turned = compilePolicy(
      {
        ...DEFAULT_POLICY,
        roles: Object.fromEntries(Object.entries(ROLES).toReversed()),
        scopes: Object.fromEntries(Object.entries(SCOPES).toReversed()),
      },
      [],
    );
    fc.assert(
      fc.property(anyAsked, (asked) => {
        const { scopes, roles, when } = asked.entry?.policy ?? entryWith().policy;
        const reversed = held(
          changed(asked, {
            scopes: scopes.map(backwards).toReversed(),
            roles: roles.map(backwards).toReversed(),
            when: when.toReversed(),
          }),
          (principal) => ({
            scopes: principal.scopes.toReversed(),
            roles: principal.roles.toReversed(),
          }),
        );
        expect(outcome(decided(reversed))).toBe(outcome(decided(asked)));
        const { principal, entry } = asked;
        expect(outcome(ask(principal, entry, {}, turned))).toBe(outcome(ask(principal, entry)));
      }),
    );
  });

  it('lists exactly what a call would not hide', () => {
    fc.assert(
      fc.property(anyAsked, (asked) => {
        const decision = decided({ ...asked, values: undefined });
        expect(isVisible(decision, 'consentable')).toBe(rank(decision) > 0);
        expect(isVisible(decision, 'granted')).toBe(rank(decision) > 1);
      }),
    );
  });

  it('names scopes in a challenge that would meet it', () => {
    fc.assert(
      fc.property(anyAsked, (asked) => {
        const decision = decided(asked);
        if (decision.effect !== 'refuse' || decision.reason !== 'insufficient_scope') return;
        const consented = held(asked, () => ({ scopes: decision.scopes }));
        expect(outcome(decided(consented))).not.toBe('insufficient_scope');
      }),
    );
  });
});

function backwards(each: Requirement): Requirement {
  if (typeof each === 'string') return each;
  const [first, ...rest] = each.anyOf.toReversed();
  return first === undefined ? each : { anyOf: [first, ...rest] };
}
