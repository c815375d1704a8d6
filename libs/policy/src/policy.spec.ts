import { canonicalDigest, type Entry } from '@sallyport/mcp';
import { compilePolicy, DEFAULT_POLICY, type PolicyOptions } from './policy.js';

const entry: Entry = {
  kind: 'tool',
  name: 'open',
  policy: { public: false, scopes: ['a'], roles: [], risk: 'read', tenancy: 'required', when: [] },
  auditFields: [],
  source: 'Tools.open',
  digest: 'd-1',
};

function versionOf(options: Partial<PolicyOptions> = {}, entries: readonly Entry[] = [entry]): string {
  return compilePolicy({ ...DEFAULT_POLICY, ...options }, entries).version;
}

describe('The version of a policy', () => {
  it.each<[string, Partial<PolicyOptions>, readonly Entry[]]>([
    ['a role', { roles: { a: [] } }, [entry]],
    ['a scope', { scopes: { a: ['b'] } }, [entry]],
    ['what is listed', { listing: 'granted' }, [entry]],
    ['what waits for a person', { holds: [] }, [entry]],
    ['whether anybody may come without signing in', { anonymous: 'refuse' }, [entry]],
    ['who says the roles', { roleDirectory: 'StaffRoles' }, [entry]],
    ['an entry', {}, [{ ...entry, digest: 'd-2' }]],
    ['the entries there are', {}, []],
  ])('is another when %s is', (_what, options, entries) => {
    expect(versionOf(options, entries)).not.toBe(versionOf());
  });

  it('is the same for the same', () => {
    expect(versionOf({ roles: { b: [], a: [] } })).toBe(versionOf({ roles: { a: [], b: [] } }));
  });
});

it('What an entry asks is resolved once', () => {
  const policy = compilePolicy(DEFAULT_POLICY, [entry]);
  expect(policy.compiled(entry)).toBe(policy.compiled(entry));
});

it.each<[string, Partial<PolicyOptions>, string[]]>([
  ['what reaches outside or destroys, by default', {}, ['destructive', 'external']],
  ['what is riskier than what is named', { holds: ['write'] }, ['destructive', 'external', 'write']],
  [
    'what is riskier than the least that is named',
    { holds: ['destructive', 'read'] },
    ['destructive', 'external', 'read', 'write'],
  ],
  ['only the worst', { holds: ['destructive'] }, ['destructive']],
  ['nothing', { holds: [] }, []],
])('A policy may hold %s', (_what, options, risks) => {
  const { holds } = compilePolicy({ ...DEFAULT_POLICY, ...options }, []);
  expect([...holds].toSorted()).toEqual(risks);
});

it('A policy asks for no role and no scope by default, and lists what can be consented to', () => {
  expect(DEFAULT_POLICY).toEqual({
    roles: {},
    scopes: {},
    listing: 'consentable',
    holds: ['external', 'destructive'],
    anonymous: 'public-entries',
  });
});

it('The version of a policy says what it is a digest of', () => {
  const { roles, scopes, listing, holds, anonymous } = DEFAULT_POLICY;
  const entries = [['tool', 'open', 'd-1']];
  const digested = { roles, scopes, listing, holds, anonymous, entries };
  expect(versionOf()).toBe(canonicalDigest('sallyport-policy/v3', digested));
  const roleDirectory = 'StaffRoles';
  expect(versionOf({ roleDirectory })).toBe(
    canonicalDigest('sallyport-policy/v3', { ...digested, roleDirectory }),
  );
});
