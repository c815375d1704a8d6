import { Logger } from '@nestjs/common';
import type { Authentication, Principal } from '@sallyport/mcp';
import fc from 'fast-check';
import { GoodCredentials, type TokenCacheOptions } from './good-credentials.js';
import { IdentityAuthenticator } from './identity.authenticator.js';
import type { IdentitySource } from './identity.source.js';
import { KEY_TIMES } from './jwt/issuer-keys.js';
import {
  bearer,
  LocalIssuer,
  NOW,
  RESOURCE,
  signingKey,
  type SigningKey,
} from './jwt/local-issuer.fixture.js';
import { oidc } from './jwt/oidc.source.js';
import { passportIdentity } from './passport/passport.source.js';

const principal = Object.freeze({ subject: 'ada' }) as unknown as Principal;
const always = { principal, isStillGood: () => true };

describe('What is remembered of a good token', () => {
  it('is its principal, until its time is over', () => {
    const good = new GoodCredentials({ seconds: 60 });
    good.keep('token', always, 0);
    expect(good.find('token', 59_999)).toBe(principal);
    expect(good.find('token', 60_000)).toBeUndefined();
    expect(good.find('token', 1)).toBeUndefined();
  });

  it('is nothing of another spelling', () => {
    const good = new GoodCredentials();
    good.keep('token', always, 0);
    for (const other of ['token ', 'Token', 'toke', 'token.', ''])
      expect(good.find(other, 0)).toBeUndefined();
  });

  it('is nothing when the clock was set back', () => {
    const good = new GoodCredentials();
    good.keep('token', always, 1000);
    expect(good.find('token', 999)).toBeUndefined();
  });

  it('is only that it was good, when it says that it is not any more', () => {
    const good = new GoodCredentials();
    let isGood = true;
    good.keep('token', { principal, isStillGood: () => isGood }, 0);
    isGood = false;
    expect(good.find('token', 1)).toBeUndefined();
    isGood = true;
    expect(good.find('token', 1)).toBeUndefined();
    expect(good.remembers('token')).toBe(true);
    good.forget('token');
    expect(good.remembers('token')).toBe(false);
  });

  it('is only that it was good, when it is too large or nothing is to be kept', () => {
    const none = new GoodCredentials({ seconds: 0 });
    none.keep('token', always, 0);
    const large = new GoodCredentials();
    large.keep('x'.repeat(8_193), always, 0);
    expect([none.find('token', 0), large.find('x'.repeat(8_193), 0)]).toEqual([undefined, undefined]);
    expect([none.remembers('token'), large.remembers('x'.repeat(8_193))]).toEqual([true, true]);
  });

  it('is nothing of the token itself', () => {
    const good = new GoodCredentials();
    good.keep('a-token-to-look-for', always, 0);
    const { known } = good as unknown as { known: { entries: Map<string, unknown> } };
    expect(JSON.stringify([...known.entries])).not.toContain('a-token-to-look-for');
  });

  it.each([{ entries: -1 }, { entries: 1.5 }, { seconds: 301 }, { seconds: Number.NaN }])(
    'has bounds, which %j are not',
    (options) => {
      expect(() => new GoodCredentials(options)).toThrow('tokenCache.');
    },
  );
});

describe('A token that comes again', () => {
  const verify = crypto.subtle.verify.bind(crypto.subtle);
  let issuer: LocalIssuer;
  let key: SigningKey;
  let now: number;
  let verifications: number;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    key = await signingKey();
    // The real one, and a count of what it had to do.
    crypto.subtle.verify = (...args) => {
      verifications += 1;
      return verify(...args);
    };
  });
  afterAll(() => {
    crypto.subtle.verify = verify;
  });
  beforeEach(async () => {
    now = NOW * 1000;
    issuer = await LocalIssuer.start();
    issuer.keys = [key.jwk];
    verifications = 0;
  });
  afterEach(() => issuer.stop());

  function authenticator(tokenCache?: TokenCacheOptions, more: readonly IdentitySource[] = []) {
    const sources = [...more, oidc({ issuer: issuer.issuer })];
    return new IdentityAuthenticator({
      sources,
      resource: RESOURCE,
      serverName: 'acme',
      tokenCache,
      clock: () => now,
    });
  }

  async function present(subject: IdentityAuthenticator, token: string): Promise<string> {
    const answer = await subject.authenticate(bearer(token));
    return answer.kind === 'failed' ? answer.reason : answer.kind;
  }

  it('is verified once, and has the same principal', async () => {
    const subject = authenticator();
    const token = await issuer.token(key);
    const principals = new Set<unknown>();
    for (let time = 0; time < 100; time += 1) {
      const answer = await subject.authenticate(bearer(token));
      principals.add(answer.kind === 'principal' ? answer.principal : answer.kind);
    }
    expect([...principals]).toMatchObject([{ subject: 'ada' }]);
    expect(verifications).toBe(1);
  });

  it('is verified each time when nothing is to be kept', async () => {
    const subject = authenticator({ seconds: 0 });
    const token = await issuer.token(key);
    for (let time = 0; time < 3; time += 1) await present(subject, token);
    expect(verifications).toBe(3);
  });

  it('is verified again when a minute is over', async () => {
    const subject = authenticator();
    const token = await issuer.token(key);
    for (const second of [0, 59, 60, 119, 120]) {
      now = (NOW + second) * 1000;
      expect(await present(subject, token)).toBe('principal');
    }
    expect(verifications).toBe(3);
  });

  it('has expired to the second, kept or not', async () => {
    const subject = authenticator();
    const token = await issuer.token(key, { exp: NOW + 10 });
    await present(subject, token);
    now = (NOW + 39) * 1000 + 999;
    expect(await present(subject, token)).toBe('principal');
    now = (NOW + 40) * 1000;
    expect(await present(subject, token)).toBe('expired');
    expect(verifications).toBe(1);
  });

  it('is not valid yet when the clock was set right', async () => {
    const subject = authenticator();
    const token = await issuer.token(key, { nbf: NOW });
    await present(subject, token);
    now -= 31_000;
    expect(await present(subject, token)).toBe('not_yet_valid');
  });

  it('ends with its key, when another token made the set load', async () => {
    const subject = authenticator();
    const token = await issuer.token(key);
    expect(await present(subject, token)).toBe('principal');
    const next = await signingKey('ES256', 'key-2');
    issuer.keys = [next.jwk];
    now += KEY_TIMES.cooldown;
    expect(await present(subject, await issuer.token(next))).toBe('principal');
    expect(await present(subject, token)).toBe('unknown_key');
  });

  it('ends with a key that is replaced under the same id', async () => {
    const subject = authenticator();
    const token = await issuer.token(key);
    expect(await present(subject, token)).toBe('principal');
    issuer.keys = [(await signingKey('ES256', 'key-1')).jwk, (await signingKey('ES256', 'key-2')).jwk];
    now += KEY_TIMES.cooldown;
    await present(subject, await issuer.token({ ...key, kid: 'key-2' }));
    expect(await present(subject, token)).toBe('signature');
  });

  it('ends with the last good set, while the issuer is away', async () => {
    const subject = authenticator();
    const token = await issuer.token(key, { exp: NOW + 80_000 });
    await present(subject, token);
    issuer.overrides.set('/jwks', (_request, response) => response.writeHead(503).end());
    now += KEY_TIMES.lastGood - 1000;
    expect(await present(subject, token)).toBe('principal');
    now += 1000;
    expect(await present(subject, token)).toBe('unavailable');
  });

  it('does not make room for one that differs in a character', async () => {
    const subject = authenticator();
    const token = await issuer.token(key);
    await present(subject, token);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.constantFrom('A', 'z', '0', '-', '.'),
        async (at, character) => {
          fc.pre(token[at] !== character);
          expect(await present(subject, token.slice(0, at) + character + token.slice(at + 1))).not.toBe(
            'principal',
          );
        },
      ),
      { numRuns: 100 },
    );
    expect(await present(subject, token)).toBe('principal');
  });

  it('is recognized while it is good, and not after it failed', async () => {
    const subject = authenticator();
    const token = await issuer.token(key, { exp: NOW + 10 });
    expect(subject.recognizes(bearer(token))).toBe(false);
    await present(subject, token);
    expect(subject.recognizes(bearer(token))).toBe(true);
    expect(subject.recognizes({ headers: {}, via: 'http' })).toBe(true);
    expect(subject.recognizes({ headers: { authorization: 'Basic x' }, via: 'http' })).toBe(false);
    now += 60_000;
    expect(subject.recognizes(bearer(token))).toBe(true);
    expect(await present(subject, token)).toBe('expired');
    expect(subject.recognizes(bearer(token))).toBe(false);
  });

  it('is judged by a strategy of your own each time', async () => {
    let asked = 0;
    const strategy = {
      authenticate(this: { success(user: object): void }) {
        asked += 1;
        this.success({ id: 'x' });
      },
    };
    const own = passportIdentity({
      name: 'own',
      strategy,
      principal: () => ({ issuer: 'own', subject: 'x' }),
    });
    const subject = authenticator(undefined, [own]);
    for (let time = 0; time < 3; time += 1) expect(await present(subject, 'opaque')).toBe('principal');
    expect(asked).toBe(3);
  });

  it('is answered as if nothing were kept, whatever happens in between', async () => {
    const [other, third] = [await signingKey('ES256', 'key-2'), await signingKey('ES256', 'key-1')];
    const sets = [[key.jwk], [key.jwk, other.jwk], [other.jwk], [third.jwk]];
    const token = (by: SigningKey, exp: number) => issuer.token(by, { exp: NOW + exp, jti: `${exp}` });
    const tokens = [
      await token(key, 30),
      await token(key, 4_000),
      await token(other, 90),
      await token(other, 4_000),
      await token({ ...other, kid: 'key-1' }, 600),
      'garbage',
    ];
    const step = fc.oneof(
      fc.record({ does: fc.constant('present' as const), which: fc.nat(tokens.length - 1) }),
      fc.record({
        does: fc.constant('wait' as const),
        which: fc.constantFrom(1, 4, 29, 31, 59, 61, 599, 601, 3_000),
      }),
      fc.record({ does: fc.constant('rotate' as const), which: fc.nat(sets.length - 1) }),
      fc.record({ does: fc.constant('outage' as const), which: fc.nat(1) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.constantFrom(1, 3, 10_000),
        async (steps, entries) => {
          now = NOW * 1000;
          issuer.keys = [key.jwk];
          issuer.overrides.clear();
          const [cached, plain] = [authenticator({ entries }), authenticator({ seconds: 0 })];
          for (const { does, which } of steps) {
            if (does === 'wait') now += which * 1000;
            if (does === 'rotate') issuer.keys = sets[which] ?? [];
            if (does === 'outage' && which === 0) issuer.overrides.clear();
            if (does === 'outage' && which === 1)
              issuer.overrides.set('/jwks', (_request, response) => response.writeHead(503).end());
            if (does !== 'present') continue;
            const asked = [issuer.requests.length];
            const answers: Authentication[] = [];
            for (const subject of [cached, plain]) {
              answers.push(await subject.authenticate(bearer(tokens[which] ?? '')));
              asked.push(issuer.requests.length);
            }
            expect(answers[0]).toEqual(answers[1]);
            const [before = 0, between = 0, after = 0] = asked;
            expect(between - before).toBe(after - between);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
