import { partners, PARTNER_ISSUER } from './partner.identity.js';

it('names a partner apart from a colleague with the same subject', () => {
  const source = partners('a secret that both sides have had for years', 'https://office.example/mcp');
  expect(source.toPrincipal({ sub: 'priya', workspace: 'acme' })).toMatchObject({
    issuer: PARTNER_ISSUER,
    subject: 'partner:priya',
    tenant: 'acme',
  });
});
