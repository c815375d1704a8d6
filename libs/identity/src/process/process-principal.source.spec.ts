import { IdentityAuthenticator } from '../identity.authenticator.js';
import { oidc } from '../jwt/oidc.source.js';
import { processPrincipal } from './process-principal.source.js';

const authenticator = new IdentityAuthenticator({
  resource: 'https://mcp.acme.example/mcp',
  serverName: 'spec',
  sources: [
    oidc({ issuer: 'https://id.acme.example' }),
    processPrincipal({
      subject: 'nightly-report',
      tenant: 'acme',
      scopes: ['crm:read'],
      roles: ['agent:read-only'],
    }),
  ],
});

describe('processPrincipal', () => {
  it('stands in for a process on stdio that brings no credential', async () => {
    expect(await authenticator.authenticate({ via: 'stdio', headers: {} })).toMatchObject({
      kind: 'principal',
      principal: {
        kind: 'process',
        issuer: 'process',
        subject: 'nightly-report',
        tenant: 'acme',
        scopes: ['crm:read'],
      },
    });
  });

  it('never stands in over HTTP', async () => {
    expect(await authenticator.authenticate({ via: 'http', headers: {} })).toEqual({ kind: 'anonymous' });
  });

  it('does not stand in for a credential that is not good', async () => {
    const request = { via: 'stdio', headers: { authorization: 'Bearer garbage' } } as const;
    expect(await authenticator.authenticate(request)).toMatchObject({ kind: 'failed' });
  });

  it('refuses what is no principal where it is written, naming the member', () => {
    expect(() => processPrincipal({ subject: '' })).toThrow(/subject/);
    expect(() => processPrincipal({ subject: 'x', scopes: ['two words'] })).toThrow(/scopes/);
  });
});
