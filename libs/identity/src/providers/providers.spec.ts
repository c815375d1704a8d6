import { Logger } from '@nestjs/common';
import { IdentityAuthenticator } from '../identity.authenticator.js';
import type { IdentitySource } from '../identity.source.js';
import { bearer, RESOURCE } from '../jwt/local-issuer.fixture.js';
import { auth0 } from './auth0.js';
import { clerk } from './clerk.js';
import { cognito } from './cognito.js';
import { entra } from './entra.js';
import { google, type GoogleOptions } from './google.js';
import { keycloak } from './keycloak.js';
import { okta } from './okta.js';
import { ShapedProvider, type TokenShape } from './shaped-provider.fixture.js';
import { supabase } from './supabase.js';
import { PROVIDERS } from './token-shapes.fixture.js';
import { workos } from './workos.js';

beforeAll(() => Logger.overrideLogger(false));

const ID_TOKEN_CLAIMS: [string, object, string][] = [
  ['a nonce, which ID tokens have', { nonce: 'n' }, 'type'],
  ['a hash of an access token, which ID tokens have', { at_hash: 'h' }, 'type'],
];

function authenticator(sources: readonly IdentitySource[], clock?: () => number): IdentityAuthenticator {
  return new IdentityAuthenticator({ sources, resource: RESOURCE, serverName: 'acme', clock });
}

describe.each(PROVIDERS)('$name', ({ path, source, accepted, refused }) => {
  const [[good]] = Object.values(accepted) as [[TokenShape, object]];
  let provider: ShapedProvider;

  beforeAll(async () => {
    provider = await ShapedProvider.start(path);
  });
  afterAll(() => provider.stop());

  const present = async (shape: TokenShape) =>
    authenticator([source(provider.issuer)]).authenticate(bearer(await provider.token(shape)));
  const withChanges = (changes: object): TokenShape => ({
    ...good,
    payload: { ...good.payload, ...changes },
  });

  it.each(Object.entries(accepted))('accepts %s', async (_what, [shape, principal]) => {
    await expect(present(shape)).resolves.toMatchObject({
      kind: 'principal',
      principal: { issuer: provider.issuer, credential: { kind: 'jwt' }, ...principal },
    });
  });

  it.each(Object.entries(refused))('refuses %s', async (_what, [changes, reason]) => {
    const answer = await present({ ...good, ...changes });
    expect(answer).toEqual({ kind: 'failed', reason, source: provider.issuer });
  });

  it.each<[string, object, string]>([
    ['another audience', { aud: 'https://other.example/mcp' }, 'audience'],
    // A typ of at+jwt says that it is no ID token; any other must be known by what is in it.
    ...(good.header['typ'] === 'at+jwt' ? [] : ID_TOKEN_CLAIMS),
    ['a key it is bound to', { cnf: { jkt: 'x' } }, 'sender_constrained'],
    ['an expiry in the past', { iat: 1, exp: 2 }, 'expired'],
  ])('refuses the good token with %s', async (_what, changes, reason) => {
    await expect(present(withChanges(changes))).resolves.toMatchObject({ kind: 'failed', reason });
  });

  it('refuses the good token with another type in its header', async () => {
    for (const typ of ['id+jwt', 'logout+jwt', 'secevent+jwt', 'none', 'absent']) {
      await expect(present({ ...good, header: { typ } })).resolves.toMatchObject({
        kind: 'failed',
        reason: 'type',
      });
    }
  });

  it('keeps the chain of those who act for the user', async () => {
    await expect(present(withChanges({ act: { sub: 'bot', act: { sub: 'root' } } }))).resolves.toMatchObject({
      principal: { actors: [{ subject: 'bot' }, { subject: 'root' }] },
    });
  });

  it('follows the provider to its next key', async () => {
    let now = Date.now();
    const subject = authenticator([source(provider.issuer)], () => now);
    const before = bearer(await provider.token(good));
    await expect(subject.authenticate(before)).resolves.toMatchObject({ kind: 'principal' });
    await provider.rotate();
    now += 31_000;
    const after = bearer(await provider.token(good));
    await expect(subject.authenticate(after)).resolves.toMatchObject({ kind: 'principal' });
    await expect(subject.authenticate(before)).resolves.toMatchObject({ kind: 'failed' });
  });
});

it('judges a token by the provider of its issuer alone, however many there are', async () => {
  const [first, second] = [await ShapedProvider.start(''), await ShapedProvider.start('/realms/acme')];
  try {
    const subject = authenticator([clerk({ issuer: first.issuer }), keycloak({ issuer: second.issuer })]);
    const shapeOf = (name: string): TokenShape => {
      const [shape] = Object.values(PROVIDERS.find((one) => one.name === name)?.accepted ?? {});
      if (shape === undefined) throw new Error(name);
      return shape[0];
    };
    const answer = async (from: ShapedProvider, shape: TokenShape) =>
      subject.authenticate(bearer(await from.token(shape)));
    await expect(answer(first, shapeOf('clerk'))).resolves.toMatchObject({ kind: 'principal' });
    await expect(answer(second, shapeOf('keycloak'))).resolves.toMatchObject({ kind: 'principal' });
    await expect(answer(first, shapeOf('keycloak'))).resolves.toEqual({
      kind: 'failed',
      reason: 'type',
      source: first.issuer,
    });
    const signedByTheOther = {
      ...shapeOf('clerk'),
      payload: { ...shapeOf('clerk').payload, iss: first.issuer },
    };
    await expect(answer(second, signedByTheOther)).resolves.toMatchObject({
      kind: 'failed',
      source: first.issuer,
    });
  } finally {
    await Promise.all([first.stop(), second.stop()]);
  }
});

it('asks for nothing at Google, since nobody can sign in there for this server', () => {
  const source = google({ serviceAccounts: { '1': {} } });
  expect(source).toMatchObject({ issuer: 'https://accounts.google.com', authorizationServer: undefined });
});

describe('an audience that is no audience', () => {
  const POOL = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI';
  const PROJECT = 'https://abcdefghijklmnopqrst.supabase.co/auth/v1';
  it.each<[string, () => unknown]>([
    ['cognito', () => cognito({ issuer: POOL })],
    ['supabase', () => supabase({ issuer: PROJECT })],
  ])('%s() throws and says what to write', (_name, make) => {
    expect(make).toThrow(/Write audience: 'https:.*', or clients: \['/);
  });
  it('no clients are not all clients', () => {
    expect(() => cognito({ issuer: POOL, clients: [] })).toThrow("write clients: ['the-client-id']");
    expect(() => cognito({ issuer: POOL, clients: [''] })).toThrow("write clients: ['the-client-id']");
  });
  it('the environment of workos() needs the clients that may call', () => {
    const issuer = 'https://acme.authkit.app';
    expect(() => workos({ issuer, environment: 'client_1' })).toThrow("write clients: ['the-client-id']");
  });
  it('entra() throws without the id of the API', () => {
    const issuer = 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0';
    expect(() => entra({ issuer, audience: '' })).toThrow("write audience: 'the application (client) id");
  });
  it.each<[string, object | undefined]>([
    ['nobody', {}],
    ['an email address', { 'batch@acme.iam.gserviceaccount.com': {} }],
    ['nothing at all', undefined],
  ])('google() throws for %s', (_what, serviceAccounts) => {
    expect(() => google({ serviceAccounts } as GoogleOptions)).toThrow('write serviceAccounts:');
  });
});

it.each<[string, (issuer: string) => unknown, string]>([
  ['auth0', (issuer) => auth0({ issuer }), 'https://acme.eu.auth0.com'],
  ['okta', (issuer) => okta({ issuer }), 'https://acme.okta.com'],
  ['entra', (issuer) => entra({ issuer, audience: 'a' }), 'https://login.microsoftonline.com/common/v2.0'],
  [
    'entra',
    (issuer) => entra({ issuer, audience: 'a' }),
    'https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/',
  ],
  ['keycloak', (issuer) => keycloak({ issuer }), 'https://id.acme.example/realms/acme/'],
  [
    'cognito',
    (issuer) => cognito({ issuer, clients: ['a'] }),
    'https://acme.auth.eu-central-1.amazoncognito.com',
  ],
  ['clerk', (issuer) => clerk({ issuer }), 'https://clerk.acme.example/'],
  ['supabase', (issuer) => supabase({ issuer, clients: ['a'] }), 'https://abcdefghijklmnopqrst.supabase.co'],
  ['workos', (issuer) => workos({ issuer }), 'https://api.workos.com/'],
  ['workos', (issuer) => workos({ issuer }), ''],
])('%s() does not take an issuer of another form, and shows one', (_name, make, issuer) => {
  expect(() => make(issuer)).toThrow(/is no issuer of \w+\(\): write issuer: 'https:/);
});

it('does not read what users can edit, even when told to', () => {
  const issuer = 'https://abcdefghijklmnopqrst.supabase.co/auth/v1';
  expect(() => supabase({ issuer, clients: ['a'], claims: { roles: '/user_metadata/roles' } })).toThrow(
    'edited by its user',
  );
});
