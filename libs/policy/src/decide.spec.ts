import type { Decision, Entry, EntryPolicy, Principal, Risk } from '@sallyport/mcp';
import fc from 'fast-check';
import { decide } from './decide.js';
import { isVisible } from './is-visible.js';
import { compilePolicy, DEFAULT_POLICY, type Policy } from './policy.js';

const ROLES = { 'agent:admin': ['agent:contributor'], 'agent:contributor': ['agent:read-only'] };
const SCOPES = { 'crm:write': ['crm:read'] };

const policy = compilePolicy({ ...DEFAULT_POLICY, roles: ROLES, scopes: SCOPES }, []);

function entryWith(changes: Partial<EntryPolicy> = {}): Entry {
  const base: EntryPolicy = {
    public: false,
    scopes: ['crm:read'],
    roles: ['agent:read-only'],
    risk: 'read',
    tenancy: 'required',
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

function outcome(decision: Decision): string {
  return decision.effect === 'refuse' ? decision.reason : decision.effect;
}

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
    [
      'is content with any role',
      principalWith(),
      entryWith({ roles: ['agent:admin', 'agent:read-only'] }),
      'permit',
    ],
    ['refuses a principal without a tenant', principalWith({ tenant: undefined }), entryWith(), 'tenant'],
    ['takes an empty tenant for none', principalWith({ tenant: '' }), entryWith(), 'tenant'],
    [
      'asks for no tenant where the entry says none',
      principalWith({ tenant: undefined }),
      entryWith({ tenancy: 'none' }),
      'permit',
    ],
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
    expect(outcome(decide(policy, principal, { entry }))).toBe(expected);
  });

  it('names every scope of the operation, not the missing ones alone', () => {
    const decision = decide(policy, principalWith(), {
      entry: entryWith({ scopes: ['crm:read', 'email:read'] }),
    });
    expect(decision).toMatchObject({ scopes: ['crm:read', 'email:read'] });
  });

  it('explains itself: every check, in order, with its answer', () => {
    const decision = decide(policy, principalWith({ scopes: [] }), { entry: entryWith() });
    expect(decision.checks.map(({ name, passed }) => [name, passed])).toEqual([
      ['entry', true],
      ['authentication', true],
      ['tenant', true],
      ['role', true],
      ['scopes', false],
      ['risk', true],
    ]);
  });

  it('says the same of a hidden and a missing entry to an anonymous caller', () => {
    expect(decide(policy, undefined, { entry: entryWith() })).toEqual(
      decide(policy, undefined, { entry: undefined }),
    );
  });
});

/** A second opinion, written for obviousness: walk the inclusions one by one, compare strings. */
function reference(principal: Principal | undefined, entry: Entry | undefined): string {
  if (entry?.policy.public) return 'permit';
  if (principal === undefined) return 'authentication_required';
  if (entry === undefined) return 'unknown_entry';
  const grants = (inclusions: Record<string, string[]>, held: string, wanted: string): boolean =>
    held === wanted ||
    (Object.hasOwn(inclusions, held) &&
      (inclusions[held] ?? []).some((next) => grants(inclusions, next, wanted)));
  if (entry.policy.tenancy === 'required' && !principal.tenant) return 'tenant';
  const asked = entry.policy.roles;
  if (asked.length > 0 && !asked.some((role) => principal.roles.some((held) => grants(ROLES, held, role))))
    return 'role';
  for (const scope of entry.policy.scopes) {
    if (!principal.scopes.some((held) => grants(SCOPES, held, scope))) return 'insufficient_scope';
  }
  return entry.policy.risk === 'external' || entry.policy.risk === 'destructive' ? 'hold' : 'permit';
}

const scope = fc.constantFrom('crm:read', 'crm:write', 'email:read', 'email:send');
const role = fc.constantFrom('agent:admin', 'agent:contributor', 'agent:read-only', 'other');
const risk = fc.constantFrom<Risk>('read', 'write', 'external', 'destructive');

const anyEntry = fc
  .record({
    scopes: fc.uniqueArray(scope),
    roles: fc.uniqueArray(role),
    risk,
    tenancy: fc.constantFrom('required' as const, 'none' as const),
  })
  .map((changes) => entryWith(changes));
const anyPrincipal = fc
  .record({
    scopes: fc.array(scope),
    roles: fc.array(role),
    tenant: fc.option(fc.constantFrom('acme', 'globex', ''), { nil: undefined }),
  })
  .map((changes) => principalWith(changes));

/** How much a decision gives away: nothing, a challenge, a hold, a run. */
function rank(decision: Decision): number {
  const order = ['tenant', 'role', 'insufficient_scope', 'hold', 'permit'];
  return order.indexOf(outcome(decision));
}

function ask(principal: Principal, entry: Entry, using: Policy = policy): Decision {
  return decide(using, principal, { entry });
}

describe('decide, whatever comes', () => {
  it('agrees with the reference', () => {
    fc.assert(
      fc.property(
        fc.option(anyPrincipal, { nil: undefined }),
        fc.option(anyEntry, { nil: undefined }),
        (principal, entry) => {
          expect(outcome(decide(policy, principal, { entry }))).toBe(reference(principal, entry));
        },
      ),
    );
  });

  it('never gives more when one more scope is required', () => {
    fc.assert(
      fc.property(anyPrincipal, anyEntry, scope, (principal, entry, extra) => {
        const stricter = entryWith({ ...entry.policy, scopes: [...entry.policy.scopes, extra] });
        expect(rank(ask(principal, stricter))).toBeLessThanOrEqual(rank(ask(principal, entry)));
      }),
    );
  });

  it('never gives more when one grant is taken away', () => {
    fc.assert(
      fc.property(anyPrincipal, anyEntry, fc.nat(), (principal, entry, at) => {
        const scopes = principal.scopes.filter((_, index) => index !== at % (principal.scopes.length + 1));
        const roles = principal.roles.filter((_, index) => index !== at % (principal.roles.length + 1));
        expect(rank(ask({ ...principal, scopes }, entry))).toBeLessThanOrEqual(rank(ask(principal, entry)));
        expect(rank(ask({ ...principal, roles }, entry))).toBeLessThanOrEqual(rank(ask(principal, entry)));
      }),
    );
  });

  it('does not care for order', () => {
    fc.assert(
      fc.property(anyPrincipal, anyEntry, (principal, entry) => {
        const turned = {
          ...principal,
          scopes: principal.scopes.toReversed(),
          roles: principal.roles.toReversed(),
        };
        const other = entryWith({
          ...entry.policy,
          scopes: entry.policy.scopes.toReversed(),
          roles: entry.policy.roles.toReversed(),
        });
        expect(outcome(ask(turned, other))).toBe(outcome(ask(principal, entry)));
      }),
    );
  });

  it('lists exactly what a call would not hide', () => {
    fc.assert(
      fc.property(fc.option(anyPrincipal, { nil: undefined }), anyEntry, (principal, entry) => {
        const decision = decide(policy, principal, { entry });
        const hidden = ['authentication_required', 'tenant', 'role', 'unknown_entry'].includes(
          outcome(decision),
        );
        expect(isVisible(decision, 'consentable')).toBe(!hidden);
        expect(isVisible(decision, 'granted')).toBe(decision.effect !== 'refuse');
      }),
    );
  });
});
