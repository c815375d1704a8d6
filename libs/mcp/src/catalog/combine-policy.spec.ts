import fc from 'fast-check';
import { RISKS } from '../risk.js';
import { combinePolicy } from './combine-policy.js';
import type { EntryPolicy, Tenancy } from './entry.js';
import type { Asked } from './read-access.js';
import type { Requirement } from './requirement.js';

class Own {}
class Paid {}

const NOTHING: Asked = {
  scopes: [],
  roles: [],
  tenancy: undefined,
  rules: [],
  freshness: undefined,
  risk: undefined,
};
const OWN: Asked = { ...NOTHING, scopes: ['crm:read'], roles: [{ anyOf: ['a', 'b'] }], risk: 'write' };

function combined(own: Asked, ...classes: Asked[]): EntryPolicy | undefined {
  return combinePolicy(own, classes)?.policy;
}

describe('combinePolicy', () => {
  it('is the policy of the method where no class says more', () => {
    expect(combined(OWN)).toStrictEqual({
      public: false,
      scopes: ['crm:read'],
      roles: [{ anyOf: ['a', 'b'] }],
      risk: 'write',
      tenancy: 'required',
      when: [],
    });
  });

  it.each<[string, Partial<Asked>, Partial<EntryPolicy>]>([
    ['scopes', { scopes: ['email:read'] }, { scopes: ['crm:read', 'email:read'] }],
    ['the same scope once', { scopes: ['crm:read'] }, { scopes: ['crm:read'] }],
    ['a role, beside that of the method', { roles: ['c'] }, { roles: [{ anyOf: ['a', 'b'] }, 'c'] }],
    ['a rule', { rules: [Own] }, { when: ['Own'] }],
    ['a higher risk', { risk: 'external' }, { risk: 'external' }],
    ['a lower risk in vain', { risk: 'read' }, { risk: 'write' }],
    ['no tenant in vain', { tenancy: 'none' }, { tenancy: 'required' }],
    ['a bound tenant', { tenancy: { argument: ['t'] } }, { tenancy: { argument: ['t'] } }],
    ['a fresh sign-in', { freshness: { maxAge: 60 } }, { freshness: { maxAge: 60 } }],
  ])('adds %s', (_what, asked, expected) => {
    expect(combined(OWN, { ...NOTHING, ...asked })).toMatchObject(expected);
  });

  it('asks for an age or a strength of the sign-in alone where nobody asks for the other', () => {
    for (const freshness of [{ maxAge: 60 }, { acr: ['phr'] }])
      expect(combined(OWN, { ...NOTHING, freshness })?.freshness).toStrictEqual(freshness);
  });

  it('takes the younger sign-in, and the classes that all ask for', () => {
    const asked = [{ maxAge: 600, acr: ['a', 'b', 'c'] }, { acr: ['c', 'b'] }, { maxAge: 60 }].map(
      (freshness) => ({ ...OWN, freshness }),
    );
    expect(combined(OWN, ...asked)?.freshness).toEqual({ maxAge: 60, acr: ['b', 'c'] });
  });

  it('is impossible when no sign-in could have both classes', () => {
    expect(combined({ ...OWN, freshness: { acr: ['a'] } }, { ...OWN, freshness: { acr: ['b'] } })).toBe(
      undefined,
    );
  });

  it('asks for a tenant by every argument that any of them binds', () => {
    const [a, b]: Tenancy[] = [{ argument: ['a'] }, { argument: ['b', 'a'] }];
    expect(combined({ ...OWN, tenancy: a }, { ...NOTHING, tenancy: b })?.tenancy).toEqual({
      argument: ['a', 'b'],
    });
  });
});

const name = fc.constantFrom('a', 'b', 'c');
const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  name,
  fc.tuple(name, name).map((anyOf): Requirement => ({ anyOf })),
);
const anyAsked: fc.Arbitrary<Asked> = fc.record({
  scopes: fc.array(requirement),
  roles: fc.array(requirement),
  tenancy: fc.constantFrom<(Tenancy | undefined)[]>(undefined, 'none', 'required', { argument: ['x'] }),
  rules: fc.uniqueArray(fc.constantFrom(Own, Paid)),
  freshness: fc.option(
    fc.record({ maxAge: fc.nat(), acr: fc.uniqueArray(name, { minLength: 1 }) }, { requiredKeys: [] }),
    { nil: undefined },
  ),
  risk: fc.option(fc.constantFrom(...RISKS), { nil: undefined }),
});

it('A class never loosens what a method asks', () => {
  fc.assert(
    fc.property(anyAsked, fc.array(anyAsked, { maxLength: 3 }), (own, classes) => {
      const alone = combined(own);
      const all = combined(own, ...classes);
      if (alone === undefined || all === undefined) return;
      expect(all.scopes).toEqual(expect.arrayContaining([...alone.scopes]));
      expect(all.roles).toEqual(expect.arrayContaining([...alone.roles]));
      expect(all.when).toEqual(expect.arrayContaining([...alone.when]));
      expect(RISKS.indexOf(all.risk)).toBeGreaterThanOrEqual(
        own.risk === undefined ? 0 : RISKS.indexOf(own.risk),
      );
      expect(strictness(all.tenancy)).toBeGreaterThanOrEqual(strictness(alone.tenancy));
      const { maxAge = Number.POSITIVE_INFINITY, acr } = alone.freshness ?? {};
      expect(all.freshness?.maxAge ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(maxAge);
      if (acr !== undefined)
        expect(acr).toEqual(expect.arrayContaining([...(all.freshness?.acr ?? ['none'])]));
    }),
  );
});

it('The order of classes changes nothing but the order of what is asked', () => {
  fc.assert(
    fc.property(anyAsked, fc.array(anyAsked, { maxLength: 3 }), (own, classes) => {
      const [one, other] = [combined(own, ...classes), combined(own, ...classes.toReversed())];
      expect(new Set(one?.when)).toEqual(new Set(other?.when));
      expect(one?.risk).toBe(other?.risk);
      expect(one?.freshness?.maxAge).toBe(other?.freshness?.maxAge);
      expect(one?.scopes.length).toBe(other?.scopes.length);
    }),
  );
});

function strictness(tenancy: Tenancy): number {
  return tenancy === 'none' ? 0 : tenancy === 'required' ? 1 : 2;
}
