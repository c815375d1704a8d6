import type { Principal } from 'sallyport';
import { ownerOf } from './owner.js';
import { tenantOf } from './tenant-of.js';

const caller: Principal = {
  kind: 'user',
  issuer: 'https://idp.example',
  subject: 'priya',
  tenant: 'acme',
  actors: [],
  scopes: [],
  roles: [],
  credential: { kind: 'jwt' },
  claims: {},
};
const { tenant: _, ...homeless } = caller;

describe('tenantOf', () => {
  it('is the tenant of the credential', () => {
    expect(tenantOf(caller)).toBe('acme');
    expect(ownerOf(caller)).toEqual({ tenant: 'acme', subject: 'priya' });
  });

  it.each([undefined, homeless, { ...caller, tenant: '' }])('throws for a caller without one', (someone) => {
    expect(() => tenantOf(someone)).toThrow('belongs to a tenant');
  });
});
