import type { Principal } from '@sallyport/mcp';
import fc from 'fast-check';
import { revocationView, targetKey, type RevocationTarget } from './revocation.js';

const priya: Principal = {
  kind: 'user',
  issuer: 'https://id.example',
  subject: 'priya',
  client: 'agent',
  actors: [{ subject: 'helper', issuer: 'https://id.example' }],
  tenant: 'acme',
  scopes: [],
  roles: [],
  credential: { kind: 'jwt', id: 'jti-1' },
  claims: {},
};

describe('revocationView', () => {
  it.each<[string, RevocationTarget]>([
    ['her token', { kind: 'token', value: 'jti-1' }],
    ['her token of this issuer', { kind: 'token', value: 'jti-1', issuer: 'https://id.example' }],
    ['herself', { kind: 'user', value: 'priya' }],
    ['herself at this issuer', { kind: 'user', value: 'priya', issuer: 'https://id.example' }],
    ['her client', { kind: 'client', value: 'agent' }],
    ['her tenant', { kind: 'tenant', value: 'acme' }],
    ['who acts for her', { kind: 'user', value: 'helper' }],
  ])('revokes a principal by %s', (_, target) => {
    expect(revocationView([target]).isRevoked(priya)).toBe(true);
  });

  it.each<[string, RevocationTarget]>([
    ['another token', { kind: 'token', value: 'jti-2' }],
    ['a key of the same id', { kind: 'key', value: 'jti-1' }],
    ['herself at another issuer', { kind: 'user', value: 'priya', issuer: 'https://other.example' }],
    ['a client named like her', { kind: 'client', value: 'priya' }],
    ['a tenant named like her client', { kind: 'tenant', value: 'agent' }],
  ])('does not revoke her by %s', (_, target) => {
    expect(revocationView([target]).isRevoked(priya)).toBe(false);
  });

  it('reaches callers of its tenant alone, when it is narrowed to one', () => {
    const view = revocationView([{ kind: 'user', value: 'priya', tenant: 'acme' }]);
    expect(view.isRevoked(priya)).toBe(true);
    expect(view.isRevoked({ ...priya, tenant: 'globex' })).toBe(false);
    expect(view.isRevoked({ ...priya, tenant: undefined })).toBe(false);
  });

  it('does not revoke what has no id, tenant or client by the word undefined', () => {
    const bare = { ...priya, tenant: undefined, client: undefined, credential: { kind: 'jwt' } };
    const targets = (['token', 'client', 'tenant'] as const).map((kind) => ({ kind, value: 'undefined' }));
    expect(revocationView(targets).isRevoked(bare)).toBe(false);
  });

  it('never takes one target for another', () => {
    const target = fc.record({
      kind: fc.constantFrom('token' as const, 'user' as const, 'client' as const),
      value: fc.string(),
      issuer: fc.option(fc.string(), { nil: undefined }),
      tenant: fc.option(fc.string(), { nil: undefined }),
    });
    fc.assert(
      fc.property(target, target, (a, b) => {
        const same =
          a.kind === b.kind && a.value === b.value && a.issuer === b.issuer && a.tenant === b.tenant;
        expect(targetKey(a) === targetKey(b)).toBe(same);
      }),
    );
  });
});
