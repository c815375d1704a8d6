import fc from 'fast-check';
import { parsePrincipal } from '../principal.schema.js';
import { VerifiedAccessToken } from './access-token.verifier.js';
import { claimMapper, type ClaimMapping } from './claim-mapping.js';
import { claimAt } from './claim-path.js';

const base = { iss: 'https://id.acme.example', sub: 'ada', iat: 1, exp: 2 };
const map = (claims: object, mapping?: ClaimMapping) =>
  claimMapper(mapping)(new VerifiedAccessToken({ ...base, ...claims }, 'f'.repeat(64)));

it.each<[string, object, ClaimMapping | undefined, object]>([
  ['scope as a string', { scope: 'a b  c' }, undefined, { scopes: ['a', 'b', 'c'] }],
  ['an empty scope', { scope: '' }, undefined, { scopes: [] }],
  ['scp as a string', { scp: 'a b' }, undefined, { scopes: ['a', 'b'] }],
  ['scp as an array', { scp: ['a', 'b'] }, undefined, { scopes: ['a', 'b'] }],
  ['scope before scp', { scope: 'a', scp: ['b'] }, undefined, { scopes: ['a'] }],
  ['permissions', { permissions: ['a'], scope: 'b' }, { scopes: 'permissions' }, { scopes: ['a'] }],
  ['roles as an array', { roles: ['x', 'y'] }, undefined, { roles: ['x', 'y'] }],
  ['one role', { roles: 'x y' }, undefined, { roles: ['x y'] }],
  [
    'roles of Keycloak',
    { realm_access: { roles: ['x'] }, resource_access: { 'a/b': { roles: ['y'] } } },
    { roles: ['/realm_access/roles', '/resource_access/a~1b/roles'] },
    { roles: ['x', 'y'] },
  ],
  [
    'namespaced claims',
    { 'https://acme.example/tenant': 't' },
    { tenant: 'https://acme.example/tenant' },
    { tenant: 't' },
  ],
  [
    'a name with a dot, which is no path',
    { o: { id: 't' }, 'o.id': 'u' },
    { tenant: 'o.id' },
    { tenant: 'u' },
  ],
  ['a tenant of null', { tenant: null }, undefined, { tenant: undefined }],
  ['azp', { azp: 'agent' }, undefined, { client: 'agent' }],
  ['client_id before azp', { azp: 'b', client_id: 'a' }, undefined, { client: 'a' }],
  ['the first subject', { uid: '00u1' }, { subject: ['uid', 'sub'] }, { subject: '00u1' }],
  ['the next subject', {}, { subject: ['uid', 'sub'] }, { subject: 'ada' }],
  ['a prefix of scopes', { scp: 'a b' }, { scopePrefix: 'api://x/' }, { scopes: ['api://x/a', 'api://x/b'] }],
  ['scopes that are none as they are', { scp: 5 }, { scopePrefix: 'x' }, { scopes: 5 }],
  ['a user', { azp: 'bot' }, undefined, { kind: 'user' }],
  ['a client by its subject', { azp: 'ada' }, { withoutUser: () => false }, { kind: 'client' }],
  ['a client by a claim', { gty: 'cc' }, { withoutUser: ({ gty }) => gty === 'cc' }, { kind: 'client' }],
  ['no roles on a path through text', { realm_access: 'x' }, { roles: '/realm_access/roles' }, { roles: [] }],
])('maps %s', (_what, claims, mapping, expected) => {
  expect(map(claims, mapping)).toMatchObject(expected);
});

it('reads own members only', () => {
  expect(claimAt({}, 'constructor')).toBeUndefined();
  expect(claimAt({ a: {} }, '/a/__proto__')).toBeUndefined();
});

it('makes a principal of arbitrary claims, or none, and never throws', () => {
  const claims = fc.record(
    {
      scope: fc.jsonValue(),
      scp: fc.jsonValue(),
      roles: fc.jsonValue(),
      tenant: fc.jsonValue(),
      act: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(claims, (some) => {
      const parsed = parsePrincipal(map(some), 'jwt');
      if ('problem' in parsed) return;
      expect(Object.isFrozen(parsed.principal.claims)).toBe(true);
      for (const scope of parsed.principal.scopes) expect(scope).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/);
    }),
  );
});

it('says what is wrong without saying a value', () => {
  const parsed = parsePrincipal(map({ tenant: 'secret\n', roles: [7], extra: 1 }), 'jwt');
  expect(parsed).toEqual({ problem: expect.stringMatching(/^tenant: .*; roles\.0: /) });
  expect(JSON.stringify(parsed)).not.toContain('secret');
});
