import { Logger } from '@nestjs/common';
import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { IdentityAuthenticator } from '../identity.authenticator.js';
import { bearer, RESOURCE } from './local-issuer.fixture.js';
import { oidc } from './oidc.source.js';

const AGENT = { client_id: 'agent', client_secret: 'agent-secret' };
let server: Server;
let issuer: string;

beforeAll(async () => {
  Logger.overrideLogger(false);
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'sig-1' }] },
    clients: [
      {
        ...AGENT,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, audience) => ({
          scope: 'crm:read',
          audience,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

it('accepts a token that a certified provider issued for this server, and none for another', async () => {
  const subject = new IdentityAuthenticator({
    sources: [oidc({ issuer })],
    resource: RESOURCE,
    serverName: 'acme',
  });
  await expect(subject.authenticate(bearer(await tokenFor(RESOURCE)))).resolves.toMatchObject({
    kind: 'principal',
    principal: { kind: 'client', issuer, subject: 'agent', client: 'agent', scopes: ['crm:read'] },
  });
  await expect(subject.authenticate(bearer(await tokenFor('https://other.example/mcp')))).resolves.toEqual({
    kind: 'failed',
    reason: 'audience',
    source: issuer,
  });
});

async function tokenFor(resource: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${AGENT.client_id}:${AGENT.client_secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'crm:read', resource }),
  });
  const body: unknown = await response.json();
  if (typeof body === 'object' && body !== null && 'access_token' in body) return String(body.access_token);
  throw new Error(JSON.stringify(body));
}
