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

  it('says what to write', () => {
    const [problem] = policyProblems(DEFAULT_POLICY, [entry]);
    expect(problem?.message).toContain("add it to roles: { 'agent:admin': [] }");
  });
});
