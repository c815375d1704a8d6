import { IdentityAuthenticator } from './identity.authenticator.js';
import { identityProblems } from './identity.problems.js';
import { oidc } from './jwt/oidc.source.js';
import { passportIdentity } from './passport/passport.source.js';

const acme = oidc({ issuer: 'https://id.acme.example' });
const resource = 'https://mcp.acme.example/mcp';
const strategy = { authenticate: () => undefined };
const custom = passportIdentity({
  name: 'custom',
  strategy,
  principal: () => ({ issuer: 'i', subject: 's' }),
});

it.each([
  ['one issuer', [acme], resource, true],
  ['several sources', [acme, custom, oidc({ issuer: 'https://id.other.example' })], resource, true],
  ['a development machine', [oidc({ issuer: 'http://localhost:3000' })], 'http://127.0.0.1:3000/mcp', false],
])('has nothing to say about %s', (_what, sources, where, production) => {
  expect(identityProblems(sources, { resource: where, production })).toEqual([]);
});

it.each([
  ['no source', [], resource, 'no_source', 'oidc({ issuer:'],
  ['no resource', [acme], undefined, 'resource_missing', "write resource: 'https://"],
  ['an empty resource', [acme], '', 'resource_missing', "write resource: 'https://"],
  ['a relative resource', [acme], '/mcp', 'resource_invalid', 'write the URL of the endpoint'],
  ['a resource that is no URL of the web', [acme], 'urn:mcp', 'resource_invalid', 'write the URL'],
  ['a fragment', [acme], `${resource}#x`, 'resource_invalid', 'without fragment'],
  ['an empty fragment', [acme], `${resource}#`, 'resource_invalid', 'without fragment'],
  ['credentials', [acme], 'https://a:b@mcp.acme.example', 'resource_invalid', 'credentials'],
  [
    'a resource over http',
    [acme],
    'http://mcp.acme.example/mcp',
    'resource_insecure',
    "write 'https://mcp.acme.example/mcp'",
  ],
  [
    'an issuer over http',
    [oidc({ issuer: 'http://idp.acme.example' })],
    resource,
    'issuer_insecure',
    "issuer 'http://idp.acme.example' is plain http: write 'https://idp.acme.example'",
  ],
  [
    'a name that only looks like loopback',
    [oidc({ issuer: 'http://127.0.0.1.evil.example' })],
    resource,
    'issuer_insecure',
    'plain http',
  ],
  ['an issuer that is no URL', [oidc({ issuer: 'acme' })], resource, 'issuer_invalid', 'write it exactly'],
  [
    'an issuer with a query',
    [oidc({ issuer: 'https://id.acme.example?x' })],
    resource,
    'issuer_invalid',
    'query',
  ],
  [
    'an issuer twice',
    [acme, oidc({ issuer: 'https://id.acme.example', name: 'b' })],
    resource,
    'duplicate_issuer',
    'remove one',
  ],
  ['a name twice', [custom, custom], resource, 'duplicate_name', 'another name'],
])('names %s and what to write', (_what, sources, where, code, says) => {
  const problems = identityProblems(sources, { resource: where, production: false });
  expect(problems).toEqual([{ code, message: expect.stringContaining(says) }]);
  const wire = () => new IdentityAuthenticator({ sources, resource: where as string, serverName: 'acme' });
  expect(wire).toThrow(says);
});

it('refuses a provider on the same machine in production', () => {
  const sources = [oidc({ issuer: 'http://127.0.0.1:3000' })];
  expect(identityProblems(sources, { resource, production: true })).toMatchObject([
    { code: 'issuer_insecure' },
  ]);
});

it.each<[string, object, string]>([
  ['a shared-secret algorithm', { algorithms: ['HS256'] }, 'algorithms'],
  ['no algorithm', { algorithms: [] }, 'algorithms'],
  ['none', { algorithms: ['none'] }, 'algorithms'],
  ['no type', { typ: [] }, 'typ'],
  ['a tolerance of an hour', { clockToleranceSeconds: 3600 }, 'clockToleranceSeconds'],
  ['a tolerance that is no number', { clockToleranceSeconds: Number.NaN }, 'clockToleranceSeconds'],
  ['no lifetime', { maxTokenLifetimeSeconds: 0 }, 'maxTokenLifetimeSeconds'],
  ['an endless lifetime', { maxTokenLifetimeSeconds: Infinity }, 'maxTokenLifetimeSeconds'],
  ['an empty audience', { audience: '' }, 'audience'],
  ['no issuer', { issuer: '' }, 'issuer'],
  ['no clients', { clients: [] }, "write clients: ['the-client-id']"],
  ['a client without a name', { clients: [undefined] }, "write clients: ['the-client-id']"],
  ['tokens for nobody in particular, from anybody', { unboundAudience: 'absent' }, 'write clients:'],
  ['tokens for no name at all', { unboundAudience: '', clients: ['a'] }, 'unboundAudience'],
  ['a subject that users can edit', { claims: { subject: '/user_metadata/id' } }, 'edited by its user'],
  ['roles that users can edit', { claims: { roles: '/user_metadata/roles' } }, 'user_metadata'],
  [
    'a tenant that users can edit',
    { claims: { tenant: 'https://acme.example/user_metadata' } },
    'edited by its user',
  ],
])('oidc() throws for %s', (_what, options, says) => {
  expect(() => oidc({ issuer: 'https://id.acme.example', ...options })).toThrow(says);
});
