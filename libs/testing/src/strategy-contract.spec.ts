import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import CustomStrategy from 'passport-custom';
import { ExtractJwt, Strategy as JwtStrategy } from 'passport-jwt';
import { oidc, passportIdentity, type IdentitySource } from 'sallyport';
import { LocalIssuer, RESOURCE, Signer } from './credentials.fixture.js';
import { describeStrategyContract } from './describe-strategy-contract.js';
import { ContractBroken, strategyContract } from './strategy-contract.js';
import type { StrategyContractOptions } from './strategy-contract.options.js';

const LEGACY = 'https://legacy.acme.example';

interface LegacyUser {
  readonly id: string;
  readonly workspace: string;
}

let signer: Signer;
let issuer: LocalIssuer;

beforeAll(async () => {
  signer = await Signer.make();
  issuer = await LocalIssuer.start(signer);
});
afterAll(async () => issuer.stop());

const legacyOptions = () => ({
  jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
  secretOrKey: signer.pem,
  issuer: LEGACY,
  audience: RESOURCE,
  algorithms: ['RS256' as const],
});

const legacy = (strategy: JwtStrategy | string): IdentitySource =>
  passportIdentity({
    name: 'legacy',
    issuer: LEGACY,
    strategy,
    principal: (user: LegacyUser) => ({ issuer: LEGACY, subject: user.id, tenant: user.workspace }),
  });

const tokensOf = (issuer: () => string) => ({
  resource: RESOURCE,
  good: () => signer.headers(issuer(), 'ada'),
  other: () => signer.headers(issuer(), 'bob'),
  expired: () => signer.headers(issuer(), 'ada', -600),
  bad: [{ what: 'a token of another issuer', headers: () => signer.headers('https://who.example', 'ada') }],
});

describeStrategyContract('passport-jwt, unchanged', {
  ...tokensOf(() => LEGACY),
  source: () =>
    legacy(
      new JwtStrategy(
        legacyOptions(),
        (payload: { sub: string; ws: string }, done: (error: unknown, user: LegacyUser) => void) =>
          done(null, { id: payload.sub, workspace: payload.ws }),
      ),
    ),
});

describeStrategyContract('a PassportStrategy of @nestjs/passport, by its name', {
  ...tokensOf(() => LEGACY),
  source: () => {
    class LegacyStrategy extends PassportStrategy(JwtStrategy, 'contract-legacy') {
      constructor() {
        super(legacyOptions());
      }
      validate(payload: { sub: string; ws: string }): LegacyUser {
        return { id: payload.sub, workspace: payload.ws };
      }
    }
    new LegacyStrategy();
    return legacy('contract-legacy');
  },
});
afterAll(() => passport.unuse('contract-legacy'));

describeStrategyContract('oidc()', {
  ...tokensOf(() => issuer.url),
  source: () => oidc({ issuer: issuer.url }),
});

const BADGES: Readonly<Record<string, string>> = {
  'badge-of-ada-6f1d8a2c': 'ada',
  'badge-of-bob-93c4e07b': 'bob',
};
const BADGE = { good: { 'X-Badge': 'badge-of-ada-6f1d8a2c' }, other: { 'X-Badge': 'badge-of-bob-93c4e07b' } };

// An enterprise plugs in its own strategy: these are all the lines.
const badges = passportIdentity<{ owner: string }>({
  name: 'badges',
  accepts: ({ headers }) => 'x-badge' in headers,
  strategy: new CustomStrategy.Strategy((request, done) => {
    const badge = String(request.headers['x-badge']);
    done(null, Object.hasOwn(BADGES, badge) && { owner: BADGES[badge] });
  }),
  principal: ({ owner }) => ({ issuer: 'acme-badges', subject: owner, tenant: 'acme' }),
});

describeStrategyContract('a strategy of their own, made with passport-custom', { source: badges, ...BADGE });

/** What a strategy does to answer, as it sees itself. */
interface Actions {
  success(user: unknown): void;
  fail(why?: unknown): void;
  error(error: unknown): void;
  redirect(url: string): void;
}
interface BadgeRequest {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly res?: { end(): void };
}

const ownerOf = ({ headers }: BadgeRequest): string | undefined => {
  const badge = headers['x-badge'];
  return typeof badge === 'string' && Object.hasOwn(BADGES, badge) ? BADGES[badge] : undefined;
};

/** Answers as it should, so that each broken one below differs in one thing. */
function answer(this: Actions, request: BadgeRequest): void {
  const owner = ownerOf(request);
  if (owner === undefined) this.fail('There is no such badge.');
  else this.success({ owner });
}

type Authenticate = (this: Actions, request: BadgeRequest) => unknown;

const badgesBy = (authenticate: Authenticate, more: object = {}): IdentitySource => ({
  ...passportIdentity<{ owner: string; claims?: Record<string, unknown>; expiresAt?: number }>({
    name: 'badges',
    accepts: ({ headers }) => 'x-badge' in headers,
    strategy: { authenticate: authenticate as () => unknown },
    principal: ({ owner, claims, expiresAt }) => ({
      issuer: 'acme-badges',
      subject: owner,
      claims: claims ?? {},
      credential: { expiresAt },
    }),
  }),
  ...more,
});

/** Names of the broken checks, and the sentences. */
async function broken(options: StrategyContractOptions): Promise<Record<string, string>> {
  const problems: Record<string, string> = {};
  for (const { run } of strategyContract(options)) {
    await run().catch((error: unknown) => {
      if (!(error instanceof ContractBroken)) throw error;
      problems[error.check] = error.message;
    });
  }
  return problems;
}

/** They share, hang, throw and talk: what must be noticed of each. */
const BROKEN: readonly [string, () => IdentitySource, Record<string, RegExp>][] = [
  [
    'accepts everything',
    () =>
      badgesBy(function () {
        this.success({ owner: 'ada' });
      }),
    {
      'takes nobody for somebody else when 100 come at once': /^Both good credentials are "ada"/,
      'refuses an empty credential': /^Nothing was taken for "ada" of "acme-badges"\.$/,
      'refuses garbage': /^"x" was taken for "ada"/,
      'refuses a truncated credential': /without its last character was taken/,
      'refuses a credential with a changed character': /character 1 of 21 changed was taken/,
      'refuses a doubled credential': /twice was taken/,
      'refuses an over-long credential': /64 KiB/,
      'refuses control characters': /NUL/,
      'refuses a repeated header': /given twice/,
      'refuses another scheme': /as Basic/,
    },
  ],
  [
    'takes the first of a repeated header',
    () =>
      badgesBy(function ({ headers }) {
        answer.call(this, { headers: { 'x-badge': [headers['x-badge']].flat()[0] } });
      }),
    { 'refuses a repeated header': /^The good one, its header given twice was taken for "ada"/ },
  ],
  [
    'looks at the beginning only',
    () =>
      badgesBy(function ({ headers }) {
        answer.call(this, { headers: { 'x-badge': String(headers['x-badge']).slice(0, 21) } });
      }),
    {
      'refuses a doubled credential': /twice/,
      'refuses an over-long credential': /64 KiB behind it/,
      'refuses control characters': /NUL behind it/,
      'refuses a repeated header': /beside another|given twice/,
    },
  ],
  [
    'returns one user object for all',
    () => {
      const user = { owner: '' };
      return badgesBy(function (request) {
        const owner = ownerOf(request);
        if (owner === undefined) this.fail();
        else this.success(Object.assign(user, { owner }));
      });
    },
    {
      'leaves what it found for one request alone in another': /object of its own/,
      // No caller is swapped even so: the user is mapped before the next one is written into it.
    },
  ],
  [
    'keeps the caller in a variable while it waits',
    () => {
      let current: string | undefined;
      return badgesBy(async function (request) {
        current = ownerOf(request);
        await sleep(1);
        if (current === undefined) this.fail();
        else this.success({ owner: current });
      });
    },
    {
      'takes nobody for somebody else when 100 come at once':
        /^\d+ of 100 requests at once were answered wrongly: .* Keep what belongs to one request/,
    },
  ],
  [
    'is another every time',
    () => {
      let count = 0;
      return badgesBy(function (request) {
        if (ownerOf(request) === undefined) this.fail();
        else this.success({ owner: `visitor-${(count += 1)}` });
      });
    },
    {
      'finds the same issuer and subject every time':
        /was "visitor-1" of "acme-badges" at first, and "visitor-2"/,
      'takes nobody for somebody else when 100 come at once': /answered wrongly/,
    },
  ],
  [
    'quotes the credential in its error',
    () =>
      badgesBy(function (request) {
        if (ownerOf(request) === undefined)
          this.error(new Error(`No badge ${String(request.headers['x-badge'])}`));
        else answer.call(this, request);
      }),
    { 'keeps the credential out of errors and reasons': /^The error .* quotes the credential\.$/ },
  ],
  [
    'prints the credential',
    () =>
      badgesBy(function (request) {
        console.error(String(request.headers['x-badge']).slice(0, 20));
        answer.call(this, request);
      }),
    { 'keeps the credential out of logs and output': /^Something was logged or printed that quotes/ },
  ],
  [
    'logs the credential with the logger of Nest',
    () =>
      badgesBy(function (request) {
        new Logger('Badges').debug({ badge: request.headers['x-badge'] });
        answer.call(this, request);
      }),
    { 'keeps the credential out of logs and output': /quotes a credential/ },
  ],
  [
    'puts the credential into the claims',
    () =>
      badgesBy(function (request) {
        const owner = ownerOf(request);
        if (owner === undefined) this.fail();
        else this.success({ owner, claims: { raw: { badge: request.headers['x-badge'] } } });
      }),
    { 'keeps the credential out of the principal': /holds a piece of the credential/ },
  ],
  [
    'hangs on what it does not know',
    () =>
      badgesBy(function (request) {
        if (ownerOf(request) !== undefined) answer.call(this, request);
      }),
    { 'answers every request in time': /within 300 ms: the strategy must call/ },
  ],
  [
    'throws on what it does not know',
    () =>
      badgesBy(function (request) {
        if (ownerOf(request) === undefined) throw new RangeError('Unknown badge.');
        answer.call(this, request);
      }),
    { 'lets no exception escape': /^On nothing, the strategy threw RangeError \(Unknown badge\.\)/ },
  ],
  [
    'rejects what it does not know, and quotes it',
    () =>
      badgesBy(async function (request) {
        if (ownerOf(request) === undefined) throw new Error(String(request.headers['x-badge']));
        answer.call(this, request);
      }),
    {
      'lets no exception escape': /the strategy threw Error/,
      'keeps the credential out of errors and reasons': /quotes the credential/,
    },
  ],
  [
    'goes on after it failed',
    () =>
      badgesBy(function (request) {
        const owner = ownerOf(request);
        if (owner === undefined) this.fail();
        this.success({ owner: owner ?? 'nobody' });
      }),
    { 'answers every request once': /answered nothing 2 times: fail\(\), then success\(\)/ },
  ],
  [
    'redirects to a sign-in page',
    () =>
      badgesBy(function (request) {
        if (ownerOf(request) === undefined) this.redirect('https://acme.example/sign-in');
        else answer.call(this, request);
      }),
    { 'neither looks for a response nor writes one': /with a redirect; nobody follows one here/ },
  ],
  [
    'writes the response itself',
    () =>
      badgesBy(function (request) {
        if (ownerOf(request) === undefined) request.res?.end();
        answer.call(this, request);
      }),
    { 'neither looks for a response nor writes one': /reached for request\.res: there is no response/ },
  ],
  [
    'finds everybody to have expired',
    () =>
      badgesBy(function (request) {
        const owner = ownerOf(request);
        if (owner === undefined) this.fail();
        else this.success({ owner, expiresAt: 1_700_000_000 });
      }),
    {
      'turns the good credential into exactly one frozen principal': /it was refused as 'expired'/,
      'takes nobody for somebody else when 100 come at once': /^Both good credentials are nobody/,
    },
  ],
  [
    'would be remembered for ever',
    () =>
      badgesBy(
        function (request) {
          const owner = ownerOf(request);
          if (owner === undefined) this.fail();
          else this.success({ owner, expiresAt: 4_000_000_000 });
        },
        { isStillGood: () => true },
      ),
    { 'is not remembered beyond its expiry': /^isStillGood\(\) says yes to the good credential an hour/ },
  ],
  [
    'is asked without a credential',
    () => badgesBy(answer, { accepts: () => true }),
    { 'leaves a request without a credential anonymous': /^accepts\(\) takes a request without/ },
  ],
  [
    'knows nobody',
    () =>
      badgesBy(function () {
        this.fail(new Error('The directory is closed.'));
      }),
    {
      'turns the good credential into exactly one frozen principal':
        /^The good credential authenticated nobody: it was refused as 'rejected' because of Error \(The directory is closed\.\)\.$/,
      'takes nobody for somebody else when 100 come at once': /^Both good credentials are nobody/,
    },
  ],
];

describe('The contract notices a strategy that', () => {
  const { error } = console;
  beforeAll(() => {
    console.error = () => undefined;
  });
  afterAll(() => {
    console.error = error;
  });

  it.each(BROKEN)('%s', async (what, source, expected) => {
    const problems = await broken({ source, ...BADGE, withinMs: what.startsWith('hangs') ? 300 : 10_000 });
    expect(problems).toEqual(
      Object.fromEntries(
        Object.entries(expected).map(([check, sentence]) => [check, expect.stringMatching(sentence)]),
      ),
    );
    for (const secret of Object.keys(BADGES)) expect(JSON.stringify(problems)).not.toContain(secret);
  });

  it('takes an example of the team, or an expired credential', async () => {
    const options = { source: badges, good: BADGE.good, expired: BADGE.other };
    const stolen = { what: 'a badge that was reported stolen', headers: BADGE.other };
    await expect(broken({ ...options, bad: [stolen] })).resolves.toMatchObject({
      'refuses a badge that was reported stolen':
        'A badge that was reported stolen was taken for "bob" of "acme-badges".',
      'refuses an expired credential': 'An expired credential was taken for "bob" of "acme-badges".',
    });
  });
});

describe('The checks', () => {
  it('are a list that any runner can run, in any order, on evidence that is gathered once', async () => {
    let made = 0;
    const checks = strategyContract({ source: () => ((made += 1), badges), ...BADGE });
    expect(made).toBe(0);
    await Promise.all(checks.toReversed().map(({ run }) => run()));
    expect(made).toBe(1);
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
  });

  it('say when a strategy is not registered', async () => {
    const source = passportIdentity({
      name: 'late',
      strategy: 'nobody-registered-it',
      principal: () => ({ issuer: 'i', subject: 's' }),
    });
    const [check] = strategyContract({ source, ...BADGE });
    await expect(check?.run()).rejects.toThrow("No strategy is registered as 'nobody-registered-it'");
  });

  it('may quote what is no secret', async () => {
    const source = badgesBy(function (request) {
      if (ownerOf(request) === undefined)
        this.fail(new Error(`No badge ${String(request.headers['x-badge']).slice(0, 16)}`));
      else answer.call(this, request);
    });
    const options = { source, good: BADGE.good };
    expect(Object.keys(await broken(options))).toEqual(['keeps the credential out of errors and reasons']);
    await expect(broken({ ...options, mayBeSeen: ['badge-of-ada-6f1d'] })).resolves.toEqual({});
  });

  it('can be given to another runner', async () => {
    const ran: string[] = [];
    const runner = {
      describe: (name: string, define: () => void) => (ran.push(name), define()),
      it: (name: string) => ran.push(name),
    };
    describeStrategyContract('ours', { source: badges, ...BADGE }, runner);
    expect(ran).toHaveLength(1 + strategyContract({ source: badges, ...BADGE }).length);
  });
});
