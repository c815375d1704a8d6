import type { IncomingMessage, ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import type { Authentication } from '@sallyport/mcp';
import fc from 'fast-check';
import { IdentityAuthenticator } from '../identity.authenticator.js';
import type { IdentitySource } from '../identity.source.js';
import { bearer, json, LocalIssuer, NOW, RESOURCE, signingKey } from '../jwt/local-issuer.fixture.js';
import { oidc } from '../jwt/oidc.source.js';
import { introspection, type IntrospectionOptions } from './introspection.source.js';

const CLIENT = { clientId: 'acme mcp', clientSecret: 'a+b:c%d' };
const TOKEN = 'opaque-token-of-ada-0123456789';
const OTHER = 'opaque-token-of-bob-0123456789';
const PATH = '/introspect';

interface Asked {
  readonly method: string | undefined;
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
}

let issuer: LocalIssuer;
let now: number;
let asked: Asked[];
/** What the issuer says, by token; of all others that they are not active. */
let known: Map<string, Record<string, unknown>>;
let hold: Promise<unknown>;
const logged: string[] = [];

beforeAll(() => {
  const keep = (...parts: unknown[]) => void logged.push(parts.map(String).join(' '));
  Logger.overrideLogger({ log: keep, warn: keep, error: keep });
});
beforeEach(async () => {
  now = NOW * 1000;
  asked = [];
  hold = Promise.resolve();
  logged.length = 0;
  issuer = await LocalIssuer.start();
  issuer.metadataChanges = { introspection_endpoint: `${issuer.origin}${PATH}` };
  issuer.overrides.set(PATH, (request, response) => void answer(request, response));
  known = new Map([[TOKEN, said()]]);
});
afterEach(async () => {
  expect(logged.join('\n')).not.toMatch(/opaque-token|a\+b|a%2Bb/);
  await issuer.stop();
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  asked.push({ method: request.method, authorization: request.headers.authorization, form });
  await hold;
  json(response, known.get(form.get('token') ?? '') ?? { active: false });
}

function said(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    active: true,
    token_type: 'Bearer',
    iss: issuer.issuer,
    aud: RESOURCE,
    sub: 'ada',
    client_id: 'research-agent',
    scope: 'crm:read crm:write',
    iat: NOW - 60,
    exp: NOW + 600,
    jti: 'token-1',
    ...changes,
  };
}

function authenticator(options: Partial<IntrospectionOptions> = {}, more: readonly IdentitySource[] = []) {
  const sources = [...more, introspection({ issuer: issuer.issuer, ...CLIENT, ...options })];
  return new IdentityAuthenticator({ sources, resource: RESOURCE, serverName: 'acme', clock: () => now });
}

function present(token = TOKEN, subject = authenticator()): Promise<Authentication> {
  return subject.authenticate(bearer(token));
}

async function outcome(token: string, subject: IdentityAuthenticator): Promise<string> {
  const result = await present(token, subject);
  return result.kind === 'failed' ? result.reason : result.kind;
}

describe('An opaque token', () => {
  it('is who its issuer says', async () => {
    known.set(TOKEN, said({ tenant: 'acme', roles: ['agent:admin'], act: { sub: 'bot' } }));
    expect(await present()).toMatchObject({
      kind: 'principal',
      principal: {
        kind: 'user',
        issuer: issuer.issuer,
        subject: 'ada',
        client: 'research-agent',
        tenant: 'acme',
        scopes: ['crm:read', 'crm:write'],
        roles: ['agent:admin'],
        actors: [{ subject: 'bot' }],
        credential: { kind: 'opaque', id: 'token-1', issuedAt: NOW - 60, expiresAt: NOW + 600 },
      },
    });
  });

  it('says when and how its user signed in, as its issuer says (RFC 9470 §6.2)', async () => {
    known.set(TOKEN, said({ auth_time: NOW - 90, acr: 'phr' }));
    expect(await present()).toMatchObject({
      principal: { credential: { kind: 'opaque', authenticatedAt: NOW - 90, acr: 'phr' } },
    });
  });

  it.each<[string, Partial<IntrospectionOptions>, string | undefined, string | null]>([
    ['in the header', {}, `Basic ${Buffer.from('acme+mcp:a%2Bb%3Ac%25d').toString('base64')}`, null],
    ['in the form', { clientAuthentication: 'client_secret_post' }, undefined, 'a+b:c%d'],
  ])('is asked for with the credentials %s', async (_where, options, authorization, secret) => {
    await present(TOKEN, authenticator(options));
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: 'POST', authorization });
    expect(asked[0]?.form.get('token')).toBe(TOKEN);
    expect(asked[0]?.form.get('token_type_hint')).toBe('access_token');
    expect(asked[0]?.form.get('client_secret')).toBe(secret);
  });

  it('is asked for where it is configured, without discovery', async () => {
    await present(TOKEN, authenticator({ endpoint: `${issuer.origin}${PATH}` }));
    expect(issuer.requests).toEqual([PATH]);
  });

  it('of a client that acts for nobody has no user', async () => {
    known.set(TOKEN, said({ sub: undefined }));
    expect(await present()).toMatchObject({
      principal: { kind: 'client', subject: 'research-agent', client: 'research-agent' },
    });
  });

  it('is never its own id, and never among the claims', async () => {
    known.set(TOKEN, said({ jti: TOKEN, token: TOKEN }));
    const result = await present();
    expect(JSON.stringify(result)).not.toContain(TOKEN);
    expect(result).toMatchObject({
      principal: { credential: { id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) } },
    });
  });

  it('has the same id each time when the issuer gives it none', async () => {
    known.set(TOKEN, said({ jti: undefined }));
    known.set(OTHER, said({ jti: undefined }));
    const ids = [];
    for (const token of [TOKEN, TOKEN, OTHER]) {
      const result = await present(token);
      ids.push(result.kind === 'principal' && result.principal.credential.id);
    }
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['is not active', { active: false }, 'inactive'],
    ['is of another issuer', { iss: 'https://evil.example' }, 'issuer'],
    ['is of an issuer in a list', { iss: [RESOURCE] }, 'claims'],
    ['is for another server', { aud: 'https://other.example/mcp' }, 'audience'],
    ['is for one that begins like this', { aud: `${RESOURCE}/` }, 'audience'],
    ['is for nobody', { aud: undefined }, 'claims'],
    ['is for nobody in a list', { aud: [] }, 'claims'],
    ['is for numbers', { aud: [RESOURCE, 1] }, 'claims'],
    ['never expires', { exp: undefined }, 'claims'],
    ['expires in a string', { exp: String(NOW + 600) }, 'claims'],
    ['expires between two seconds', { exp: NOW + 0.5 }, 'claims'],
    ['has expired', { exp: NOW - 30 }, 'expired'],
    ['lives too long', { exp: NOW + 86_400 }, 'lifetime'],
    ['lives too long since nobody knows when', { iat: undefined, exp: NOW + 86_401 }, 'lifetime'],
    ['is of the future', { iat: NOW + 31 }, 'not_yet_valid'],
    ['is not valid yet', { nbf: NOW + 31 }, 'not_yet_valid'],
    ['is bound to a key', { cnf: { jkt: 'x' } }, 'sender_constrained'],
    ['is bound to a key by its type', { token_type: 'DPoP' }, 'sender_constrained'],
    ['has no type', { token_type: undefined }, 'claims'],
    ['has another type', { token_type: 'N_A' }, 'type'],
    ['is a refresh token of Hydra', { token_use: 'refresh_token' }, 'type'],
    ['is a refresh token of Keycloak', { typ: 'Refresh' }, 'type'],
    ['is an ID token', { typ: 'ID' }, 'type'],
    ['is of nobody', { sub: undefined, client_id: undefined }, 'claims'],
    ['is of somebody without an id', { sub: undefined, username: 'ada' }, 'claims'],
    ['is of a number', { sub: 7 }, 'claims'],
    ['is of a client that is none', { client_id: ['a'] }, 'claims'],
    ['has scopes that are none', { scope: ['crm:read'] }, 'claims'],
    ['has a tenant that is none', { tenant: 7 }, 'claims'],
    ['has a subject in two lines', { sub: 'ada\n' }, 'claims'],
  ])('that %s is refused', async (_what, changes, reason) => {
    known.set(TOKEN, said(changes));
    expect(await present()).toMatchObject({ kind: 'failed', reason });
  });

  it.each([
    ['for several servers', { aud: ['https://other.example', RESOURCE] }],
    ['of the type bearer', { token_type: 'bearer' }],
    ['of an issuer that does not name itself', { iss: undefined }],
    ['of an issue nobody knows', { iat: undefined }],
    ['of Keycloak', { typ: 'Bearer', username: 'ada' }],
  ])('%s is accepted', async (_what, changes) => {
    known.set(TOKEN, said(changes));
    expect(await present()).toMatchObject({ kind: 'principal' });
  });
});

describe('An issuer that', () => {
  it.each<[string, (response: ServerResponse, request: IncomingMessage) => unknown]>([
    ['fails', (response) => response.writeHead(500).end()],
    ['does not know this server', (response) => response.writeHead(401).end()],
    ['redirects', (response) => response.writeHead(307, { location: '/other' }).end()],
    ['hangs up', (_response, request) => request.socket.destroy()],
    ['says nothing', (response) => response.end()],
    ['says no JSON', (response) => response.end('<html>')],
    ['says a list', (response) => json(response, [])],
    ['says nothing of active', (response) => json(response, {})],
    ['says that "true" is active', (response) => json(response, { ...said(), active: 'true' })],
    ['says two things at once', (response) => response.end('{"active":false,"active":true}')],
    ['talks without end', (response) => json(response, said({ pad: 'x'.repeat(40_000) }))],
    [
      'answers in a JWT',
      (response) =>
        response
          .writeHead(200, { 'content-type': 'application/token-introspection+jwt' })
          .end('e30.e30.AAAA'),
    ],
  ])('%s is unavailable, and asked again', async (_what, respond) => {
    const subject = authenticator();
    issuer.overrides.set(PATH, (request, response) => respond(response, request));
    expect(await outcome(TOKEN, subject)).toBe('unavailable');
    expect(issuer.requests).not.toContain('/other');
    issuer.overrides.set(PATH, (request, response) => void answer(request, response));
    expect(await outcome(TOKEN, subject)).toBe('principal');
  });

  it.each<[string, () => unknown]>([
    ['has no such endpoint', () => (issuer.metadataChanges = {})],
    [
      'has it over plain http',
      () => (issuer.metadataChanges = { introspection_endpoint: 'http://id.example/x' }),
    ],
    ['is another', () => (issuer.metadataChanges = { issuer: 'https://evil.example' })],
  ])('%s is unavailable, and not looked up with every token', async (_what, arrange) => {
    const found = issuer.metadataChanges;
    arrange();
    const subject = authenticator();
    for (let time = 0; time < 5; time += 1) expect(await outcome(TOKEN, subject)).toBe('unavailable');
    expect(issuer.requests.length).toBeLessThanOrEqual(2 + 1);
    issuer.metadataChanges = found;
    now += 5_000;
    expect(await outcome(TOKEN, subject)).toBe('principal');
  });

  it('has moved is found again, and stays where it was while nobody can tell', async () => {
    const subject = authenticator({ cacheSeconds: 0 });
    await present(TOKEN, subject);
    issuer.metadataChanges = {};
    now += 10 * 60_000;
    known.set(TOKEN, said({ exp: NOW + 3_000 }));
    expect(await outcome(TOKEN, subject)).toBe('principal');
    expect(issuer.requests.filter((path) => path !== PATH).length).toBeGreaterThan(1);
  });
});

describe('An answer', () => {
  it('is used again until the revocation bound, which counts from the question', async () => {
    const subject = authenticator();
    expect(await outcome(TOKEN, subject)).toBe('principal');
    known.delete(TOKEN);
    now += 29_999;
    expect(await outcome(TOKEN, subject)).toBe('principal');
    now += 1;
    expect(await outcome(TOKEN, subject)).toBe('inactive');
    expect(asked).toHaveLength(2);
  });

  it('never outlives the token', async () => {
    known.set(TOKEN, said({ exp: NOW + 1 }));
    const subject = authenticator();
    expect(await outcome(TOKEN, subject)).toBe('principal');
    now += 29_000;
    expect(await outcome(TOKEN, subject)).toBe('principal');
    now += 999;
    expect(await outcome(TOKEN, authenticator({ clockToleranceSeconds: 0 }))).toBe('expired');
    now += 1_001;
    expect(await outcome(TOKEN, subject)).toBe('expired');
  });

  it('that it is not active is used again for five seconds', async () => {
    const subject = authenticator();
    for (const second of [0, 4, 5]) {
      now = (NOW + second) * 1000;
      expect(await outcome(OTHER, subject)).toBe('inactive');
    }
    expect(asked).toHaveLength(2);
  });

  it('is not kept when nothing is to be kept', async () => {
    const subject = authenticator({ cacheSeconds: 0 });
    for (const token of [TOKEN, TOKEN, OTHER, OTHER]) await present(token, subject);
    expect(asked).toHaveLength(4);
  });

  it('is waited for by all who need it', async () => {
    const subject = authenticator();
    const results = await Promise.all(Array.from({ length: 50 }, () => outcome(TOKEN, subject)));
    expect(new Set(results)).toEqual(new Set(['principal']));
    expect(asked).toHaveLength(1);
  });

  it('is of its token alone', async () => {
    const subject = authenticator();
    await present(TOKEN, subject);
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[A-Za-z0-9\-._~+/]{1,40}$/), async (token) => {
        fc.pre(token !== TOKEN && token.split('.').length !== 3 && !token.startsWith('sp_'));
        expect(await outcome(token, subject)).toBe('inactive');
      }),
      { numRuns: 50 },
    );
  });
});

describe('A flood of unknown tokens', () => {
  it('reaches the issuer through so many look-ups at a time, and no further', async () => {
    let release: (value?: unknown) => void = () => undefined;
    hold = new Promise((resolve) => (release = resolve));
    const subject = authenticator({ maxLookUps: 8, endpoint: `${issuer.origin}${PATH}` });
    const flood = Array.from({ length: 100 }, (_, index) => outcome(`random-${index}`, subject));
    await Promise.all(flood.slice(8));
    expect(await Promise.race([flood[0], Promise.resolve('waits')])).toBe('waits');
    release();
    const results = await Promise.all(flood);
    expect(results.filter((result) => result === 'unavailable')).toHaveLength(92);
    expect(results.filter((result) => result === 'inactive')).toHaveLength(8);
    expect(asked).toHaveLength(8);
    expect(logged.filter((line) => line.includes('already'))).toHaveLength(1);
    expect(await outcome(TOKEN, subject)).toBe('principal');
  });

  it('does not touch a token that has an answer', async () => {
    const subject = authenticator({ maxLookUps: 1 });
    await present(TOKEN, subject);
    hold = new Promise(() => undefined);
    void outcome('random', subject);
    expect(await outcome('another', subject)).toBe('unavailable');
    expect(await outcome(TOKEN, subject)).toBe('principal');
  });
});

describe('Beside other sources', () => {
  it('takes what is no JWT, and vouches for the same issuer', async () => {
    const key = await signingKey();
    issuer.keys = [key.jwk];
    const subject = authenticator({}, [oidc({ issuer: issuer.issuer })]);
    const jwt = await present(await issuer.token(key), subject);
    const opaque = await present(TOKEN, subject);
    expect([jwt, opaque]).toMatchObject([
      { principal: { issuer: issuer.issuer, credential: { kind: 'jwt' } } },
      { principal: { issuer: issuer.issuer, credential: { kind: 'opaque' } } },
    ]);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['a JWT of somebody', 'e30.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.AAAA', 'unknown_issuer'],
    ['what only looks like a JWT', 'a.b.c', 'malformed'],
    ['a key of this server', `sp_live_${'a'.repeat(16)}_${'b'.repeat(49)}`, 'unsupported_credential'],
  ])('shows the issuer nothing of %s', async (_what, token, reason) => {
    expect(await outcome(token, authenticator())).toBe(reason);
    expect(issuer.requests).toEqual([]);
  });

  it('takes the JWTs of its issuer as well, where it is to take all', async () => {
    const key = await signingKey();
    const token = await issuer.token(key);
    known.set(token, said());
    expect(await outcome(token, authenticator({ tokens: 'all' }))).toBe('principal');
    const both = () => authenticator({ tokens: 'all' }, [oidc({ issuer: issuer.issuer })]);
    expect(both).toThrow('Two identity sources stand for issuer');
  });
});

it.each<[string, object, string]>([
  ['no issuer', { issuer: '' }, 'issuer'],
  ['plain http', { issuer: 'http://id.example' }, 'https://'],
  ['an endpoint over plain http', { endpoint: 'http://id.example/introspect' }, 'endpoint'],
  ['no client', { clientId: '' }, 'clientId'],
  ['no secret', { clientSecret: undefined }, 'clientSecret'],
  ['another way to say who asks', { clientAuthentication: 'none' }, 'clientAuthentication'],
  ['other tokens', { tokens: 'jwt' }, 'tokens'],
  ['an empty audience', { audience: '' }, 'audience'],
  ['an hour between revocation and effect', { cacheSeconds: 3600 }, 'cacheSeconds'],
  ['no look-up', { maxLookUps: 0 }, 'maxLookUps'],
  ['a tenant that users can edit', { claims: { tenant: '/user_metadata/tenant' } }, 'user_metadata'],
])('introspection() throws for %s', (_what, options, says) => {
  expect(() => introspection({ issuer: 'https://id.acme.example', ...CLIENT, ...options })).toThrow(says);
});
