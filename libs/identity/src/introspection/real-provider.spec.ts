import { createServer, type Server } from 'node:http';
import { Logger } from '@nestjs/common';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { IdentityAuthenticator } from '../identity.authenticator.js';
import { bearer, RESOURCE } from '../jwt/local-issuer.fixture.js';
import { introspection } from './introspection.source.js';

const AGENT = { client_id: 'agent', client_secret: 'agent-secret' };
const SERVER = { client_id: 'acme-mcp', client_secret: 'server-secret' };
const REST = {
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256' as const,
};

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
      { ...AGENT, ...REST, grant_types: ['client_credentials'] },
      { ...SERVER, ...REST, grant_types: [] },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_context, client) => client.clientId === SERVER.client_id,
      },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, audience) => ({
          scope: 'crm:read',
          audience,
          accessTokenFormat: 'opaque',
        }),
      },
    },
  });
  server.on('request', provider.callback());
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

function authenticator(clientSecret = SERVER.client_secret) {
  const sources = [introspection({ issuer, clientId: SERVER.client_id, clientSecret, cacheSeconds: 1 })];
  return new IdentityAuthenticator({ sources, resource: RESOURCE, serverName: 'acme' });
}

async function post(path: string, form: Record<string, string>): Promise<Record<string, unknown>> {
  const response = await fetch(`${issuer}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${AGENT.client_id}:${AGENT.client_secret}`).toString('base64')}`,
    },
    body: new URLSearchParams(form),
  });
  const text = await response.text();
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

async function tokenFor(resource: string): Promise<string> {
  const { access_token } = await post('/token', {
    grant_type: 'client_credentials',
    scope: 'crm:read',
    resource,
  });
  if (typeof access_token !== 'string') throw new Error('No token came.');
  return access_token;
}

it('accepts an opaque token that a certified provider issued for this server, and none for another', async () => {
  const subject = authenticator();
  await expect(subject.authenticate(bearer(await tokenFor(RESOURCE)))).resolves.toMatchObject({
    kind: 'principal',
    principal: {
      kind: 'client',
      issuer,
      subject: 'agent',
      client: 'agent',
      scopes: ['crm:read'],
      credential: { kind: 'opaque', id: expect.stringMatching(/^sha256:/) },
    },
  });
  await expect(
    subject.authenticate(bearer(await tokenFor('https://other.example/mcp'))),
  ).resolves.toMatchObject({ kind: 'failed', reason: 'audience' });
});

it('refuses a token that was revoked there, when the answer is a second old', async () => {
  const subject = authenticator();
  const token = await tokenFor(RESOURCE);
  expect((await subject.authenticate(bearer(token))).kind).toBe('principal');
  await post('/token/revocation', { token });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await expect(subject.authenticate(bearer(token))).resolves.toMatchObject({ reason: 'inactive' });
});

it('is unavailable when the provider does not know this server', async () => {
  const subject = authenticator('wrong');
  await expect(subject.authenticate(bearer(await tokenFor(RESOURCE)))).resolves.toMatchObject({
    kind: 'unavailable',
  });
});
