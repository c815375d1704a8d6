import { Logger } from '@nestjs/common';
import type { Authentication, Principal } from '@sallyport/mcp';
import fc from 'fast-check';
import { generateKeyPairSync } from 'node:crypto';
import { IdentityAuthenticator } from '../identity.authenticator.js';
import {
  bearer,
  encode,
  forge,
  LocalIssuer,
  NOW,
  RESOURCE,
  signingKey,
  type SigningKey,
} from './local-issuer.fixture.js';
import { oidc, type OidcOptions } from './oidc.source.js';

let issuer: LocalIssuer;
let key: SigningKey;

beforeAll(async () => {
  Logger.overrideLogger(false);
  key = await signingKey();
});
beforeEach(async () => {
  issuer = await LocalIssuer.start();
  issuer.keys = [key.jwk];
});
afterEach(() => issuer.stop());

function authenticator(options: Partial<OidcOptions> = {}): IdentityAuthenticator {
  const sources = [oidc({ issuer: issuer.issuer, ...options })];
  return new IdentityAuthenticator({
    sources,
    resource: RESOURCE,
    serverName: 'acme',
    clock: () => NOW * 1000,
  });
}

function present(token: string, options?: Partial<OidcOptions>): Promise<Authentication> {
  return authenticator(options).authenticate(bearer(token));
}

async function principalOf(token: string, options?: Partial<OidcOptions>): Promise<Principal> {
  const answer = await present(token, options);
  if (answer.kind !== 'principal') throw new Error(JSON.stringify(answer));
  return answer.principal;
}

const header = (changes: object = {}) =>
  JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1', ...changes });
const payload = (changes: object = {}) => JSON.stringify(issuer.claims({ ...changes }));

describe('a good token', () => {
  it('becomes a principal that cannot be changed', async () => {
    const principal = await principalOf(
      await issuer.token(key, {
        tenant: 'acme',
        roles: ['agent:admin'],
        act: { sub: 'bot', act: { sub: 'root' } },
      }),
    );
    expect(principal).toMatchObject({
      kind: 'user',
      issuer: issuer.issuer,
      subject: 'ada',
      client: 'research-agent',
      tenant: 'acme',
      scopes: ['crm:read', 'crm:write'],
      roles: ['agent:admin'],
      actors: [{ subject: 'bot' }, { subject: 'root' }],
      credential: { kind: 'jwt', id: 'token-1', issuedAt: NOW - 60, expiresAt: NOW + 600 },
      claims: { sub: 'ada', tenant: 'acme' },
    });
    expect(() => Object.assign(principal.claims, { tenant: 'other' })).toThrow(TypeError);
    expect(() => Object.assign(principal.scopes, ['x'])).toThrow(TypeError);
    expect(() => Object.assign(principal, { tenant: 'other' })).toThrow(TypeError);
  });

  it.each(['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA'])(
    'is accepted with %s',
    async (alg) => {
      const other = await signingKey(alg, 'k');
      issuer.keys = [other.jwk];
      await expect(present(await issuer.token(other))).resolves.toMatchObject({ kind: 'principal' });
    },
  );

  it.each([
    ['the longer form of its type', {}, { typ: 'application/at+jwt' }],
    ['an audience among others', { aud: ['https://other.example', RESOURCE] }, {}],
    ['a clock 30 seconds ahead', { iat: NOW + 30, nbf: NOW + 30 }, {}],
    ['an expiry within the tolerance', { exp: NOW - 29 }, {}],
    ['no tenant, roles or scopes', { scope: undefined }, {}],
    ['a header nobody has to understand', {}, { custom: 'x' }],
  ])('is accepted with %s', async (_what, claims, changes) => {
    await expect(present(await issuer.token(key, claims, changes))).resolves.toMatchObject({
      kind: 'principal',
    });
  });

  it('without jti is known by a digest that is not that of the token', async () => {
    const token = await issuer.token(key, { jti: undefined });
    const { credential } = await principalOf(token);
    expect(credential.id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect((await principalOf(token)).credential.id).toBe(credential.id);
  });

  it('whose subject is its client is a client without a user', async () => {
    const token = await issuer.token(key, { sub: 'research-agent' });
    await expect(principalOf(token)).resolves.toMatchObject({ kind: 'client', subject: 'research-agent' });
  });

  it('without kid is tried against the keys that fit', async () => {
    const [a, b] = [await signingKey('ES256', 'a'), await signingKey('ES256', 'b')];
    issuer.keys = [a.jwk, b.jwk];
    const token = await issuer.token({ ...b, kid: undefined });
    await expect(present(token)).resolves.toMatchObject({ kind: 'principal' });
  });

  it('is meant for the configured audience when there is one', async () => {
    const token = await issuer.token(key, { aud: 'api://default' });
    await expect(present(token)).resolves.toMatchObject({ reason: 'audience' });
    await expect(present(token, { audience: 'api://default' })).resolves.toMatchObject({ kind: 'principal' });
  });
});

describe('a token of a provider that says less', () => {
  const untyped = header({ typ: undefined });

  it('is accepted without typ where that is said', async () => {
    const token = await forge(untyped, payload(), key);
    await expect(present(token, { typ: ['absent'] })).resolves.toMatchObject({ kind: 'principal' });
    await expect(present(token, { typ: ['JWT'] })).resolves.toMatchObject({ reason: 'type' });
    const typed = await forge(header({ typ: 'absent' }), payload(), key);
    await expect(present(typed, { typ: ['absent'] })).resolves.toMatchObject({ reason: 'type' });
  });

  it.each<[string, object, Partial<OidcOptions>, string | undefined]>([
    ['no audience', { aud: undefined }, { unboundAudience: 'absent' }, undefined],
    ['the audience of all', { aud: 'authenticated' }, { unboundAudience: 'authenticated' }, undefined],
    ['this audience', {}, { unboundAudience: 'absent' }, undefined],
    ['another audience', { aud: 'https://other.example' }, { unboundAudience: 'absent' }, 'audience'],
    [
      'the audience of all and another',
      { aud: ['authenticated', 'x'] },
      { unboundAudience: 'authenticated' },
      'audience',
    ],
    ['an audience of null', { aud: null }, { unboundAudience: 'absent' }, 'claims'],
    ['an empty audience', { aud: [] }, { unboundAudience: 'absent' }, 'claims'],
    ['another client', { aud: undefined, client_id: 'other' }, { unboundAudience: 'absent' }, 'client'],
    ['no client', { aud: undefined, client_id: undefined }, { unboundAudience: 'absent' }, 'client'],
    ['another client, for this audience', { client_id: 'other' }, {}, 'client'],
    ['a client elsewhere', { cid: 'research-agent' }, { claims: { client: 'cid' } }, undefined],
    ['another client elsewhere', { cid: 'other' }, { claims: { client: 'cid' } }, 'client'],
  ])('from a named client: %s', async (_what, changes, options, reason) => {
    const token = await forge(header(), payload(changes), key);
    const answer = await present(token, { clients: ['research-agent'], ...options });
    expect(answer).toMatchObject(reason === undefined ? { kind: 'principal' } : { kind: 'failed', reason });
  });

  it('is refused when it is not what the issuer calls an access token', async () => {
    const isAccessToken = ({ token_use }: Record<string, unknown>) => token_use === 'access';
    const access = await issuer.token(key, { token_use: 'access' });
    await expect(present(access, { isAccessToken })).resolves.toMatchObject({ kind: 'principal' });
    const id = await issuer.token(key, { token_use: 'id' });
    await expect(present(id, { isAccessToken })).resolves.toMatchObject({ kind: 'failed', reason: 'type' });
    const broken = () => {
      throw new Error('broken');
    };
    await expect(present(access, { isAccessToken: broken })).resolves.toMatchObject({
      kind: 'failed',
      reason: 'error',
    });
    const careless = { isAccessToken: () => 'yes' } as unknown as Partial<OidcOptions>;
    await expect(present(access, careless)).resolves.toMatchObject({ kind: 'failed', reason: 'type' });
  });

  it('is an ID token when it is meant for its own client and grants nothing', async () => {
    const options = { audience: 'research-agent', typ: ['JWT'] };
    const mine = { aud: 'research-agent' };
    const id = await forge(header({ typ: 'JWT' }), payload({ ...mine, scope: undefined }), key);
    await expect(present(id, options)).resolves.toMatchObject({ kind: 'failed', reason: 'type' });
    const access = await forge(header({ typ: 'JWT' }), payload(mine), key);
    await expect(present(access, options)).resolves.toMatchObject({ kind: 'principal' });
  });
});

describe('refused without a request to the issuer', () => {
  const HEADERS: [string, object, string][] = [
    ['alg none', { alg: 'none' }, 'algorithm'],
    ['alg NONE', { alg: 'NONE' }, 'algorithm'],
    ['a shared secret', { alg: 'HS256' }, 'algorithm'],
    ['alg in another case', { alg: 'es256' }, 'algorithm'],
    ['alg with a blank', { alg: 'ES256 ' }, 'algorithm'],
    ['alg in a list', { alg: ['ES256'] }, 'algorithm'],
    ['no alg', { alg: undefined }, 'algorithm'],
    ['alg off the prototype', { alg: 'constructor' }, 'algorithm'],
    ['crit', { crit: ['exp'] }, 'header'],
    ['an empty crit', { crit: [] }, 'header'],
    ['b64', { b64: true }, 'header'],
    ['jku', { jku: 'http://127.0.0.1:1/jwks' }, 'header'],
    ['jwk', { jwk: { kty: 'EC' } }, 'header'],
    ['x5u', { x5u: 'http://127.0.0.1:1/x' }, 'header'],
    ['x5c', { x5c: [] }, 'header'],
    ['a kid that is no string', { kid: 1 }, 'header'],
    ['a kid without end', { kid: 'k'.repeat(600) }, 'header'],
    ['no typ', { typ: undefined }, 'type'],
    ['typ JWT', { typ: 'JWT' }, 'type'],
    ['an ID token', { typ: 'id+jwt' }, 'type'],
    ['typ in a list', { typ: ['at+jwt'] }, 'type'],
  ];
  it.each(HEADERS)('header: %s', async (_what, changes, reason) => {
    const answer = await present(await forge(header(changes), payload(), key));
    expect(answer).toEqual({ kind: 'failed', reason, source: issuer.issuer });
    expect(issuer.requests).toEqual([]);
  });

  const CLAIMS: [string, object, string][] = [
    ['another audience', { aud: 'https://other.example' }, 'audience'],
    ['an audience that only begins like ours', { aud: `${RESOURCE}/` }, 'audience'],
    ['no audience', { aud: undefined }, 'claims'],
    ['an empty audience', { aud: [] }, 'claims'],
    ['an audience of numbers', { aud: [RESOURCE, 1] }, 'claims'],
    ['an audience in an object', { aud: { [RESOURCE]: true } }, 'claims'],
    ['no subject', { sub: undefined }, 'claims'],
    ['an empty subject', { sub: '' }, 'claims'],
    ['a number as subject', { sub: 1 }, 'claims'],
    ['no expiry', { exp: undefined }, 'claims'],
    ['an expiry in a string', { exp: String(NOW + 600) }, 'claims'],
    ['half a second', { exp: NOW + 600.5 }, 'claims'],
    ['a time before time', { iat: -1 }, 'claims'],
    ['no time of issue', { iat: undefined }, 'claims'],
    ['null as nbf', { nbf: null }, 'claims'],
    ['a jti that is no string', { jti: 7 }, 'claims'],
    ['a client that is no string', { client_id: ['a'] }, 'claims'],
    ['an azp that is no string', { azp: {} }, 'claims'],
    ['an expiry long past', { exp: NOW - 31 }, 'expired'],
    ['an expiry just now beyond tolerance', { exp: NOW - 30 }, 'expired'],
    ['issued in the future', { iat: NOW + 31 }, 'not_yet_valid'],
    ['not before the future', { nbf: NOW + 31 }, 'not_yet_valid'],
    ['a life of more than a day', { exp: NOW - 60 + 86_401 }, 'lifetime'],
    ['an end before the beginning', { iat: NOW + 20, exp: NOW + 10 }, 'lifetime'],
    ['a key confirmation', { cnf: { jkt: 'x' } }, 'sender_constrained'],
    ['an empty key confirmation', { cnf: null }, 'sender_constrained'],
  ];
  it.each(CLAIMS)('claims: %s', async (_what, changes, reason) => {
    const answer = await present(await forge(header(), payload(changes), key));
    expect(answer).toEqual({ kind: 'failed', reason, source: issuer.issuer });
    expect(issuer.requests).toEqual([]);
  });

  it('claims: an infinite expiry', async () => {
    const text = payload().replace(`"exp":${NOW + 600}`, '"exp":1e400');
    await expect(present(await forge(header(), text, key))).resolves.toMatchObject({ reason: 'claims' });
    expect(issuer.requests).toEqual([]);
  });

  it('claims: an ID token, even where typ is relaxed', async () => {
    const token = await forge(header({ typ: 'JWT' }), payload({ nonce: 'n' }), key);
    await expect(present(token, { typ: ['JWT'] })).resolves.toMatchObject({ reason: 'type' });
    expect(issuer.requests).toEqual([]);
  });

  it('an algorithm that was not allowed to this issuer', async () => {
    await expect(present(await issuer.token(key), { algorithms: ['RS256'] })).resolves.toMatchObject({
      reason: 'algorithm',
    });
    expect(issuer.requests).toEqual([]);
  });

  it.each<[string, (good: string) => string | Promise<string>, string]>([
    [
      'another issuer',
      () => forge(header(), payload({ iss: 'https://evil.example' }), key),
      'unknown_issuer',
    ],
    [
      'an issuer with a slash more',
      () => forge(header(), payload({ iss: `${issuer.issuer}/` }), key),
      'unknown_issuer',
    ],
    ['an issuer in a list', () => forge(header(), payload({ iss: [issuer.issuer] }), key), 'unknown_issuer'],
    ['no issuer', () => forge(header(), payload({ iss: undefined }), key), 'unknown_issuer'],
    ['an opaque token', () => 'opaque', 'unsupported_credential'],
    ['two parts', (good) => good.split('.').slice(0, 2).join('.'), 'unsupported_credential'],
    ['four parts', (good) => `${good}.x`, 'unsupported_credential'],
    ['no signature', (good) => `${good.split('.').slice(0, 2).join('.')}.`, 'malformed'],
    ['slack bits in the signature', (good) => withSlack(good), 'malformed'],
    ['base64 with padding', (good) => `${good}==`, 'malformed'],
    ['base64 that is not base64url', (good) => good.replace(/\.[^.]+$/, '.ab+/'), 'malformed'],
    ['a blank in it', (good) => good.replace('.', '. '), 'malformed'],
    ['a token too large', () => forge(header(), payload({ pad: 'x'.repeat(20_000) }), key), 'too_large'],
    ['a claim twice', () => forge(header(), payload().replace('{', '{"sub":"root",'), key), 'malformed'],
    [
      'a claim twice, escaped',
      () => forge(header(), payload().replace('{', '{"s\\u0075b":"root",'), key),
      'malformed',
    ],
    [
      'a header parameter twice',
      () => forge(header().replace('{', '{"alg":"none",'), payload(), key),
      'malformed',
    ],
    ['claims in a list', () => forge(header(), `[${payload()}]`, key), 'malformed'],
    ['a byte order mark', () => forge(header(), `\uFEFF${payload()}`, key), 'malformed'],
    [
      'nesting without end',
      () => forge(header(), payload({ x: '@' }).replace('"@"', '['.repeat(40) + ']'.repeat(40)), key),
      'malformed',
    ],
    [
      'bytes that are not UTF-8',
      (good) => good.replace(/\.[^.]+\./, `.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.`),
      'malformed',
    ],
  ])('no source for %s', async (_what, make, reason) => {
    const answer = await present(await make(await issuer.token(key)));
    expect(answer).toEqual({ kind: 'failed', reason });
    expect(issuer.requests).toEqual([]);
  });
});

describe('refused by the keys of the issuer', () => {
  it.each<[string, (good: string) => string | Promise<string>]>([
    ['a signature of somebody else', async () => issuer.token({ ...(await signingKey()), kid: 'key-1' })],
    ['other claims under the same signature', (good) => swap(good, 1, encode(payload({ sub: 'root' })))],
    ['another header under the same signature', (good) => swap(good, 0, encode(header({ custom: 1 })))],
    ['a signature of zeros', (good) => swap(good, 2, Buffer.alloc(64).toString('base64url'))],
    ['a short signature', (good) => swap(good, 2, 'AAAA')],
  ])('%s', async (_what, make) => {
    const answer = await present(await make(await issuer.token(key)));
    expect(answer).toEqual({ kind: 'failed', reason: 'signature', source: issuer.issuer });
  });

  it.each<[string, object, string]>([
    ['is for encryption', { use: 'enc' }, 'unknown_key'],
    ['may only sign', { key_ops: ['sign'] }, 'unknown_key'],
    ['is for another algorithm', { alg: 'ES384' }, 'unknown_key'],
    ['has another id', { kid: 'key-2' }, 'unknown_key'],
    ['is broken', { x: 'AAAA' }, 'unusable_key'],
  ])('a key that %s', async (_what, changes, reason) => {
    issuer.keys = [{ ...key.jwk, ...changes }];
    await expect(present(await issuer.token(key))).resolves.toMatchObject({ kind: 'failed', reason });
  });

  it('an RSA key of 1024 bits', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    issuer.keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' }];
    const token = await forge(header({ alg: 'RS256', kid: 'weak' }), payload(), key);
    await expect(present(token)).resolves.toMatchObject({ kind: 'failed', reason: 'weak_key' });
  });

  it('a public key used as a shared secret', async () => {
    issuer.keys = [{ kty: 'oct', k: encode('secret-secret-secret-secret-1234'), kid: 'key-1' }];
    await expect(present(await issuer.token(key))).resolves.toMatchObject({
      kind: 'failed',
      reason: 'unknown_key',
    });
  });
});

it('refuses a verified token whose claims make no principal', async () => {
  for (const claims of [
    { tenant: 7 },
    { tenant: 'acme\u202e' },
    { sub: 'ada\n' },
    { sub: ' ada' },
    { sub: 'undefined' },
    { scope: 'crm:read "quoted"' },
    { scope: 5 },
    { roles: ['ok', 5] },
    { roles: { admin: true } },
    { act: 'bot' },
    { act: { iss: 'x' } },
    { act: Array.from({ length: 9 }).reduce<object>((act) => ({ sub: 'a', act }), { sub: 'a' }) },
    { sub: 'x'.repeat(600) },
  ]) {
    await expect(present(await issuer.token(key, claims))).resolves.toMatchObject({
      kind: 'failed',
      reason: 'claims',
    });
  }
});

it('authenticates no arbitrary text, never throws, and asks nobody', async () => {
  const subject = authenticator();
  const part = fc.oneof(fc.string(), fc.base64String(), fc.json().map(encode));
  const tokens = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(
      tokens,
      fc.constantFrom('Bearer ', 'bearer ', '', 'Basic ', 'Bearer'),
      async (token, scheme) => {
        const request = { headers: { authorization: scheme + token }, via: 'http' as const };
        expect((await subject.authenticate(request)).kind).toBe('failed');
      },
    ),
    { numRuns: 500 },
  );
  expect(issuer.requests).toEqual([]);
});

it('authenticates no good token with one character changed', async () => {
  const subject = authenticator();
  const good = await issuer.token(key);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length - 1),
      fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_', '.'),
      async (at, character) => {
        fc.pre(good[at] !== character);
        const token = good.slice(0, at) + character + good.slice(at + 1);
        expect((await subject.authenticate(bearer(token))).kind).toBe('failed');
      },
    ),
    { numRuns: 300 },
  );
});

function swap(token: string, index: number, part: string): string {
  return token
    .split('.')
    .map((old, at) => (at === index ? part : old))
    .join('.');
}

/** The same 64 bytes, spelled with other unused bits. */
function withSlack(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1];
}
