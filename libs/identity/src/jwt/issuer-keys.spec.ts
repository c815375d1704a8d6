import { Logger } from '@nestjs/common';
import { CredentialRefused, IssuerUnavailable } from '../refusals.js';
import { metadataUrls } from './discovery.js';
import { IssuerKeys, KEY_TIMES } from './issuer-keys.js';
import { json, LocalIssuer, signingKey, type SigningKey } from './local-issuer.fixture.js';

const header = { alg: 'ES256', kid: 'key-1' } as const;
const rotated = { alg: 'ES256', kid: 'key-2' } as const;
const OAUTH = '/.well-known/oauth-authorization-server';
const OPENID = '/.well-known/openid-configuration';

let issuer: LocalIssuer;
let key: SigningKey;
let now: number;

beforeAll(async () => {
  Logger.overrideLogger(false);
  key = await signingKey();
});
beforeEach(async () => {
  now = 1_000_000;
  issuer = await LocalIssuer.start();
  issuer.keys = [key.jwk];
});
afterEach(() => issuer.stop());

const keysOf = (loadTimeoutMs?: number) => new IssuerKeys(issuer.issuer, () => now, loadTimeoutMs);

describe('discovery', () => {
  it.each([
    ['https://id.example', `https://id.example${OAUTH}`, `https://id.example${OPENID}`],
    ['https://id.example/', `https://id.example${OAUTH}`, `https://id.example${OPENID}`],
    ['https://id.example/t/1', `https://id.example${OAUTH}/t/1`, `https://id.example/t/1${OPENID}`],
    ['https://id.example/t/', `https://id.example${OAUTH}/t`, `https://id.example/t${OPENID}`],
  ])('looks for %s at both well-known places', (name, oauth, openid) => {
    expect(metadataUrls(name)).toEqual([oauth, openid]);
  });

  it.each([
    ['oauth', [`${OAUTH}/tenant`, '/jwks']],
    ['openid', [`${OAUTH}/tenant`, `/tenant${OPENID}`, '/jwks']],
  ] as const)('finds an issuer with a path that has %s metadata', async (metadata, requests) => {
    issuer.path = '/tenant';
    issuer.metadata = metadata;
    await expect(keysOf().find(header)).resolves.toHaveLength(1);
    expect(issuer.requests).toEqual(requests);
  });

  it('asks nobody before the first token', () => {
    keysOf();
    expect(issuer.requests).toEqual([]);
  });

  it('passes over metadata of another issuer', async () => {
    issuer.overrides.set(OAUTH, (_request, response) => json(response, { issuer: 'https://other.example' }));
    await expect(keysOf().find(header)).resolves.toHaveLength(1);
    expect(issuer.requests).toEqual([OAUTH, OPENID, '/jwks']);
  });

  it.each<[string, () => void]>([
    [
      'metadata that names another issuer',
      () => (issuer.metadataChanges = { issuer: 'https://evil.example' }),
    ],
    [
      'metadata that names it with a slash more',
      () => (issuer.metadataChanges = { issuer: `${issuer.issuer}/` }),
    ],
    ['metadata without keys', () => (issuer.metadataChanges = { jwks_uri: undefined })],
    ['keys over plain http', () => (issuer.metadataChanges = { jwks_uri: 'http://id.example/jwks' })],
    ['keys in a file', () => (issuer.metadataChanges = { jwks_uri: 'file:///etc/passwd' })],
    ['no metadata', () => (issuer.metadataChanges = { issuer: undefined })],
    ['an empty key set', () => (issuer.keys = [])],
    ['too many keys', () => (issuer.keys = Array.from({ length: 101 }, () => key.jwk))],
    [
      'keys behind a redirect',
      () => {
        issuer.overrides.set('/jwks', (_q, response) =>
          response.writeHead(302, { location: '/other' }).end(),
        );
        issuer.overrides.set('/other', (_q, response) => json(response, { keys: [key.jwk] }));
      },
    ],
    [
      'metadata behind a redirect',
      () => {
        for (const path of [OAUTH, OPENID]) {
          issuer.overrides.set(path, (_q, response) => response.writeHead(301, { location: '/other' }).end());
        }
      },
    ],
    [
      'keys without end',
      () => issuer.overrides.set('/jwks', (_q, response) => response.end(`{"a":"${'x'.repeat(600_000)}"}`)),
    ],
    ['keys that are no JSON', () => issuer.overrides.set('/jwks', (_q, response) => response.end('<html>'))],
    [
      'keys with a member twice',
      () => issuer.overrides.set('/jwks', (_q, response) => response.end('{"keys":[],"keys":[{}]}')),
    ],
    ['an error', () => issuer.overrides.set('/jwks', (_q, response) => response.writeHead(500).end())],
    ['a broken connection', () => issuer.overrides.set('/jwks', (request) => request.socket.destroy())],
  ])('is unavailable with %s', async (_what, arrange) => {
    arrange();
    await expect(keysOf().find(header)).rejects.toBeInstanceOf(IssuerUnavailable);
    expect(issuer.requests).not.toContain('/other');
  });

  it('is unavailable when the issuer never answers', async () => {
    issuer.overrides.set(OAUTH, () => undefined);
    await expect(keysOf(50).find(header)).rejects.toBeInstanceOf(IssuerUnavailable);
  });

  it('is unavailable when nobody listens', async () => {
    const keys = keysOf();
    await issuer.stop();
    await expect(keys.find(header)).rejects.toBeInstanceOf(IssuerUnavailable);
    issuer = await LocalIssuer.start();
  });
});

describe('a key set', () => {
  it('is loaded once for all who wait for it, and used while it is fresh', async () => {
    const keys = keysOf();
    await Promise.all(Array.from({ length: 20 }, () => keys.find(header)));
    now += KEY_TIMES.fresh - 1;
    await keys.find(header);
    expect(issuer.requests).toEqual([OAUTH, '/jwks']);
  });

  it('is renewed when it is no longer fresh, so that a withdrawn key ends', async () => {
    const keys = keysOf();
    await keys.find(header);
    issuer.keys = [(await signingKey('ES256', 'key-2')).jwk];
    now += KEY_TIMES.fresh;
    await expect(keys.find(header)).rejects.toMatchObject({ code: 'unknown_key' });
  });

  it('is renewed for an unknown key, but not more often than the cooldown allows', async () => {
    const keys = keysOf();
    await keys.find(header);
    await expect(keys.find(rotated)).rejects.toBeInstanceOf(CredentialRefused);
    expect(issuer.requests).toHaveLength(2);
    now += KEY_TIMES.cooldown;
    issuer.keys = [key.jwk, (await signingKey('ES256', 'key-2')).jwk];
    await expect(keys.find(rotated)).resolves.toHaveLength(1);
    expect(issuer.requests).toHaveLength(4);
    for (let guess = 0; guess < 50; guess += 1) {
      await expect(keys.find({ alg: 'ES256', kid: `guess-${guess}` })).rejects.toMatchObject({
        code: 'unknown_key',
      });
    }
    expect(issuer.requests).toHaveLength(4);
  });

  it('that was good serves for a bounded time while the issuer is away', async () => {
    const keys = keysOf();
    await keys.find(header);
    issuer.overrides.set('/jwks', (_q, response) => response.writeHead(503).end());
    now += KEY_TIMES.lastGood - 1;
    await expect(keys.find(header)).resolves.toHaveLength(1);
    await expect(keys.find(rotated)).rejects.toBeInstanceOf(IssuerUnavailable);
    now += 1;
    await expect(keys.find(header)).rejects.toBeInstanceOf(IssuerUnavailable);
    issuer.overrides.clear();
    now += KEY_TIMES.retry;
    await expect(keys.find(header)).resolves.toHaveLength(1);
  });

  it('that cannot be loaded is not asked for again at once', async () => {
    issuer.overrides.set('/jwks', (_q, response) => response.writeHead(503).end());
    const keys = keysOf();
    for (let attempt = 0; attempt < 10; attempt += 1) {
      await expect(keys.find(header)).rejects.toBeInstanceOf(IssuerUnavailable);
    }
    expect(issuer.requests).toEqual([OAUTH, '/jwks']);
  });
});
