import { Logger } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Authentication, CredentialRequest } from '@sallyport/mcp';
import { SignJWT } from 'jose';
import passport from 'passport';
import CustomStrategy from 'passport-custom';
import { ExtractJwt, Strategy as JwtStrategy } from 'passport-jwt';
import { IdentityAuthenticator } from '../identity.authenticator.js';
import type { IdentitySource, PassportStrategy as AnyStrategy } from '../identity.source.js';
import { bearer, LocalIssuer, NOW, RESOURCE, signingKey } from '../jwt/local-issuer.fixture.js';
import { oidc } from '../jwt/oidc.source.js';
import { passportIdentity } from './passport.source.js';

const SECRET = 'a-secret-that-is-long-enough-for-hs256';

beforeAll(() => Logger.overrideLogger(false));

function authenticate(request: CredentialRequest, ...sources: IdentitySource[]): Promise<Authentication> {
  return new IdentityAuthenticator({
    sources,
    resource: RESOURCE,
    serverName: 'acme',
    clock: () => NOW * 1000,
  }).authenticate(request);
}

interface LegacyUser {
  readonly id: string;
  readonly workspace: string;
}

/** What a team already has. */
const legacyStrategy = () =>
  new JwtStrategy(
    {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKey: SECRET,
      issuer: 'legacy',
      audience: RESOURCE,
      algorithms: ['HS256'],
    },
    (payload: { sub: string; ws: string }, done: (error: unknown, user: LegacyUser) => void) =>
      done(null, { id: payload.sub, workspace: payload.ws }),
  );

const legacy = (strategy: AnyStrategy | string, more: object = {}) =>
  passportIdentity({
    name: 'legacy',
    strategy,
    principal: (user: LegacyUser) => ({ issuer: 'legacy', subject: user.id, tenant: user.workspace }),
    ...more,
  });

const legacyToken = (secret = SECRET, claims: object = {}) =>
  new SignJWT({ sub: 'ada', ws: 'acme', iss: 'legacy', aud: RESOURCE, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(Buffer.from(secret));

describe('passport-jwt, unchanged', () => {
  it('authenticates, and what it finds becomes a frozen principal', async () => {
    const answer = await authenticate(bearer(await legacyToken()), legacy(legacyStrategy()));
    expect(answer).toEqual({
      kind: 'principal',
      principal: {
        kind: 'user',
        issuer: 'legacy',
        subject: 'ada',
        tenant: 'acme',
        actors: [],
        scopes: [],
        roles: [],
        credential: { kind: 'legacy' },
        claims: {},
      },
    });
    expect(answer.kind === 'principal' && Object.isFrozen(answer.principal)).toBe(true);
  });

  it('refuses as it always did', async () => {
    const token = await legacyToken('another-secret-that-is-long-enough');
    await expect(authenticate(bearer(token), legacy(legacyStrategy()))).resolves.toEqual({
      kind: 'failed',
      reason: 'rejected',
      source: 'legacy',
    });
  });

  it('works by the name that @nestjs/passport registers, also when it is registered late', async () => {
    const source = legacy('legacy-by-name');
    const token = bearer(await legacyToken());
    await expect(authenticate(token, source)).resolves.toMatchObject({ kind: 'failed', reason: 'error' });
    class LegacyStrategy extends PassportStrategy(JwtStrategy, 'legacy-by-name') {
      constructor() {
        super({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: SECRET });
      }
      validate(payload: { sub: string; ws: string }): LegacyUser {
        return { id: payload.sub, workspace: payload.ws };
      }
    }
    new LegacyStrategy();
    await expect(authenticate(token, source)).resolves.toMatchObject({ principal: { subject: 'ada' } });
    passport.unuse('legacy-by-name');
  });

  it('stands beside oidc() on one endpoint, and each judges its own tokens only', async () => {
    const issuer = await LocalIssuer.start();
    const key = await signingKey();
    issuer.keys = [key.jwk];
    const sources = [legacy(legacyStrategy()), oidc({ issuer: issuer.issuer, name: 'acme-id' })];
    await expect(authenticate(bearer(await legacyToken()), ...sources)).resolves.toMatchObject({
      principal: { issuer: 'legacy' },
    });
    await expect(authenticate(bearer(await issuer.token(key)), ...sources)).resolves.toMatchObject({
      principal: { issuer: issuer.issuer },
    });
    const crossed = await legacyToken(SECRET, { iss: issuer.issuer });
    await expect(authenticate(bearer(crossed), ...sources)).resolves.toEqual({
      kind: 'failed',
      reason: 'algorithm',
      source: 'acme-id',
    });
    await issuer.stop();
  });
});

describe('a strategy', () => {
  const custom = (verify: (request: object, done: (error: unknown, user?: unknown) => void) => void) =>
    new CustomStrategy.Strategy(verify as never);
  const acting = (authenticate: (this: never) => unknown): AnyStrategy => ({ authenticate });
  interface Actions {
    success(user: unknown): void;
    fail(why?: unknown): void;
    error(error: unknown): void;
    redirect(url: string): void;
    pass(): void;
  }

  it.each<[string, AnyStrategy, string]>([
    [
      'throws',
      acting(() => {
        throw new Error('no');
      }),
      'error',
    ],
    [
      'throws nothing',
      acting(() => {
        throw undefined;
      }),
      'rejected',
    ],
    [
      'throws later',
      acting(async () => {
        throw new Error('no');
      }),
      'error',
    ],
    ['rejects with nothing', acting(() => Promise.reject()), 'error'],
    ['hangs', acting(() => undefined), 'timeout'],
    [
      'errs',
      acting(function (this: Actions) {
        this.error(new Error('no'));
      } as never),
      'error',
    ],
    [
      'errs with nothing',
      acting(function (this: Actions) {
        this.error(undefined);
      } as never),
      'rejected',
    ],
    [
      'fails',
      acting(function (this: Actions) {
        this.fail('no');
      } as never),
      'rejected',
    ],
    [
      'fails, then succeeds',
      acting(function (this: Actions) {
        this.fail();
        this.success({ id: 'ada' });
      } as never),
      'rejected',
    ],
    [
      'redirects',
      acting(function (this: Actions) {
        this.redirect('https://evil.example');
      } as never),
      'rejected',
    ],
    [
      'passes',
      acting(function (this: Actions) {
        this.pass();
      } as never),
      'rejected',
    ],
    ['has no user', custom((_request, done) => done(null, false)), 'rejected'],
    ['answers true', custom((_request, done) => done(null, true)), 'rejected'],
    ['answers null', custom((_request, done) => done(null, null)), 'rejected'],
    ['answers an empty object', custom((_request, done) => done(null, {})), 'rejected'],
    ['answers a list', custom((_request, done) => done(null, ['ada'])), 'rejected'],
    ['answers a name', custom((_request, done) => done(null, 'ada')), 'rejected'],
    [
      'answers with an error as user',
      custom((_request, done) => done(null, Object.assign(new Error('x'), { id: 'a' }))),
      'rejected',
    ],
    ['answers garbage', custom((_request, done) => done(null, { id: 5, workspace: 'acme' })), 'claims'],
    [
      'answers an id of two lines',
      custom((_request, done) => done(null, { id: 'a\nb', workspace: 'acme' })),
      'claims',
    ],
    [
      'answers without a workspace of the right type',
      custom((_request, done) => done(null, { id: 'a', workspace: {} })),
      'claims',
    ],
  ])('that %s authenticates nobody', async (_what, strategy, reason) => {
    await expect(authenticate(bearer('opaque'), legacy(strategy, limitFor(reason)))).resolves.toEqual({
      kind: 'failed',
      reason,
      source: 'legacy',
    });
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
      'error',
    ],
    ['rejects', () => Promise.reject(new Error('no')), 'error'],
    ['hangs', () => new Promise(() => undefined), 'timeout'],
    ['returns nothing', () => undefined, 'claims'],
    ['returns too much', () => ({ issuer: 'i', subject: 's', admin: true }), 'claims'],
    ['returns the id of nobody', () => ({ issuer: 'i', subject: String(undefined) }), 'claims'],
    ['returns a function as claim', () => ({ issuer: 'i', subject: 's', claims: { f: () => 1 } }), 'claims'],
    ['returns a date as claim', () => ({ issuer: 'i', subject: 's', claims: { at: new Date(0) } }), 'claims'],
    ['returns the same object all the way down', () => loop(), 'claims'],
  ])('whose mapping %s authenticates nobody', async (_what, principal, reason) => {
    const source = legacy(
      custom((_request, done) => done(null, { id: 'ada' })),
      { principal, ...limitFor(reason) },
    );
    await expect(authenticate(bearer('opaque'), source)).resolves.toMatchObject({ kind: 'failed', reason });
  });

  it('never answers one request with the user of another', async () => {
    const waiting: (() => void)[] = [];
    const strategy = custom((request, done) => {
      const { headers } = request as CredentialRequest;
      waiting.push(() => done(null, { id: String(headers['authorization']).slice(7), workspace: 'acme' }));
    });
    const subject = new IdentityAuthenticator({
      sources: [legacy(strategy)],
      resource: RESOURCE,
      serverName: 'acme',
    });
    const answers = ['ada', 'bob'].map((name) => subject.authenticate(bearer(name)));
    for (const finish of waiting) finish();
    await expect(Promise.all(answers)).resolves.toMatchObject([
      { principal: { subject: 'ada' } },
      { principal: { subject: 'bob' } },
    ]);
  });

  it('sees headers and nothing it could change', async () => {
    const request = { ...bearer('opaque'), address: '192.0.2.1' };
    let seen: unknown;
    const strategy = custom((copy, done) => {
      seen = { ...copy };
      Object.assign((copy as CredentialRequest).headers, { authorization: 'Bearer other' });
      done(null, false);
    });
    await authenticate(request, legacy(strategy));
    expect(seen).toMatchObject({
      method: 'POST',
      url: '/',
      query: {},
      body: undefined,
      via: 'http',
      address: '192.0.2.1',
    });
    expect(seen).not.toHaveProperty('res');
    expect(request.headers.authorization).toBe('Bearer opaque');
  });

  it('gets no second opinion', async () => {
    let asked = false;
    const second = custom((_request, done) => {
      asked = true;
      done(null, { id: 'ada', workspace: 'acme' });
    });
    const sources = [legacy(custom((_r, done) => done(null, false))), legacy(second, { name: 'second' })];
    await expect(authenticate(bearer('opaque'), ...sources)).resolves.toMatchObject({ source: 'legacy' });
    expect(asked).toBe(false);
  });

  it('cannot vouch for the issuer of another source', async () => {
    const principal = () => ({ issuer: 'https://id.acme.example', subject: 'ada' });
    const sources = [
      legacy(
        custom((_r, done) => done(null, { id: 'ada' })),
        { principal },
      ),
      oidc({ issuer: 'https://id.acme.example' }),
    ];
    await expect(authenticate(bearer('opaque'), ...sources)).resolves.toMatchObject({
      reason: 'issuer',
      source: 'legacy',
    });
  });

  it('can take a credential from somewhere else', async () => {
    const source = legacy(
      custom((_r, done) => done(null, { id: 'robot', workspace: 'acme' })),
      {
        accepts: (request: CredentialRequest) => request.headers['x-api-key'] === 'k',
      },
    );
    const keyed = { headers: { 'x-api-key': 'k' }, via: 'http' as const };
    await expect(authenticate(keyed, source)).resolves.toMatchObject({ principal: { subject: 'robot' } });
    await expect(authenticate({ headers: {}, via: 'http' }, source)).resolves.toEqual({ kind: 'anonymous' });
  });
});

it.each<[string, CredentialRequest['headers'], Authentication]>([
  ['no header', {}, { kind: 'anonymous' }],
  ['an empty header', { authorization: '' }, { kind: 'failed', reason: 'malformed' }],
  ['a bare scheme', { authorization: 'Bearer' }, { kind: 'failed', reason: 'malformed' }],
  ['two tokens', { authorization: 'Bearer a b' }, { kind: 'failed', reason: 'malformed' }],
  ['two headers', { authorization: ['Bearer a', 'Bearer b'] }, { kind: 'failed', reason: 'malformed' }],
  ['another scheme', { authorization: 'Basic YTpi' }, { kind: 'failed', reason: 'unsupported_credential' }],
])('a request with %s that no source accepts', async (_what, headers, expected) => {
  const source = legacy({ authenticate: () => undefined }, { accepts: () => false });
  await expect(authenticate({ headers, via: 'http' }, source)).resolves.toEqual(expected);
});

it.each<[string, unknown, string]>([
  [
    'throws',
    () => {
      throw new Error('no');
    },
    'error',
  ],
  ['promises', () => Promise.resolve(true), 'unsupported_credential'],
])('a source whose accepts() %s takes nothing', async (_what, accepts, reason) => {
  const source = legacy({ authenticate: () => undefined }, { accepts });
  await expect(authenticate(bearer('opaque'), source)).resolves.toMatchObject({ kind: 'failed', reason });
});

it('takes the scheme in any case', async () => {
  const source = legacy(legacyStrategy());
  const request = { headers: { authorization: `bEaReR ${await legacyToken()}` }, via: 'http' as const };
  await expect(authenticate(request, source)).resolves.toMatchObject({ principal: { subject: 'ada' } });
});

it.each([undefined, '', 7, {}, () => undefined])('refuses %p as a strategy', (strategy) => {
  expect(() => legacy(strategy as never)).toThrow(TypeError);
});

/** Only those that never answer are cut short: the others may take the time a busy machine needs. */
const limitFor = (reason: string) => (reason === 'timeout' ? { timeoutMs: 20 } : {});

function loop(): object {
  const claims: Record<string, unknown> = {};
  claims['self'] = claims;
  return { issuer: 'i', subject: 's', claims };
}
