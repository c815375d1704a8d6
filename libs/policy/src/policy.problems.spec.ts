import type { Entry } from '@sallyport/mcp';
import { DEFAULT_POLICY } from './policy.js';
import { policyProblems } from './policy.problems.js';

const entry: Entry = {
  kind: 'tool',
  name: 'crm_open_record',
  policy: { public: false, scopes: [], roles: ['agent:admin'], risk: 'read', tenancy: 'required', when: [] },
  auditFields: [],
  source: 'CrmTools.open',
  digest: '0',
};

function codes(changes: object): string[] {
  return policyProblems({ ...DEFAULT_POLICY, roles: { 'agent:admin': [] }, ...changes }, [entry]).map(
    ({ code }) => code,
  );
}

describe('policyProblems', () => {
  it('finds none in a policy that knows its roles', () => {
    expect(codes({})).toEqual([]);
  });

  it('counts a role as known that another inherits', () => {
    expect(codes({ roles: { owner: ['agent:admin'] } })).toEqual([]);
  });

  it.each<[string, object]>([
    ['unknown_role', { roles: { 'agent:amdin': [] } }],
    ['cyclic_roles', { roles: { 'agent:admin': ['a'], a: ['b'], b: ['agent:admin'] } }],
    ['cyclic_scopes', { scopes: { a: ['a'] } }],
    ['listing', { listing: 'everything' }],
    ['holds', { holds: ['reading'] }],
  ])('reports %s', (code, changes) => {
    expect(codes(changes)).toEqual([code]);
  });

  it('counts every role of alternatives, and says each that is not known', () => {
    const roles = [{ anyOf: ['agent:admin', 'a'] as const }, 'b'];
    const asking = { ...entry, policy: { ...entry.policy, roles } };
    const problems = policyProblems({ ...DEFAULT_POLICY, roles: { 'agent:admin': [] } }, [asking]);
    expect(problems.map(({ code }) => code)).toEqual(['unknown_role', 'unknown_role']);
  });

  it('counts a rule that many entries name as one', () => {
    const Own = class Own {};
    const entries = [
      { ...entry, rules: [Own] },
      { ...entry, name: 'other', rules: [Own, class Open {}] },
    ];
    expect(policyProblems({ ...DEFAULT_POLICY, roles: { 'agent:admin': [] } }, entries)).toEqual([]);
  });

  const twice = [{ ...entry, rules: [class Own {}, { Own: class Own {} }.Own] }];

  it.each<[string, object, readonly Entry[], string]>([
    [
      'a role nobody configured',
      {},
      [entry],
      'The tool "crm_open_record" (CrmTools.open) asks for the role "agent:admin", which is not configured: ' +
        "add it to roles: { 'agent:admin': [] }, or correct its name.",
    ],
    [
      'roles that include each other',
      { roles: { a: ['b'], b: ['a'] } },
      [],
      'In roles, "a" includes itself by way of others: leave out one of the inclusions.',
    ],
    [
      'a scope that includes itself',
      { scopes: { a: ['a'] } },
      [],
      'In scopes, "a" includes itself by way of others: leave out one of the inclusions.',
    ],
    [
      'rules of one name',
      { roles: { 'agent:admin': [] } },
      twice,
      '2 different rules are named Own: give each class a name of its own.',
    ],
    ['an unknown listing', { listing: 'all' }, [], "listing is unknown: write 'consentable' or 'granted'."],
    [
      'an unknown risk, beside a known one',
      { holds: ['external', 'all'] },
      [],
      "approvals names an unknown risk: write 'external' or 'destructive'.",
    ],
  ])('says what to write for %s', (_what, options, entries, message) => {
    expect(policyProblems({ ...DEFAULT_POLICY, ...options }, entries)).toMatchObject([{ message }]);
  });

  it('gives rules of one name a code of its own', () => {
    const problems = policyProblems({ ...DEFAULT_POLICY, roles: { 'agent:admin': [] } }, twice);
    expect(problems.map(({ code }) => code)).toEqual(['ambiguous_rule']);
  });

  it('has nothing against what is held by default, and what is granted alone', () => {
    expect(policyProblems({ ...DEFAULT_POLICY, listing: 'granted' }, [])).toEqual([]);
  });
});
