import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { exportSPKI, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import passport from 'passport';
import CustomStrategy from 'passport-custom';
import { ExtractJwt, Strategy as JwtStrategy } from 'passport-jwt';
import { Caller, McpTool, oidc, passportIdentity, type IdentitySource, type Principal } from 'sallyport';
import { TestIssuer } from './support/issuer.js';
import { RESOURCE, toolCall } from './support/messages.js';
import { PLATFORMS, Runs, TestServer } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' })
  open(@Caller() caller: Principal) {
    this.runs.note('open');
    return `opened for ${caller.subject} of ${caller.issuer}`;
  }
}

/** What two teams have had for years: a user of their own, found by a strategy of their own. */
interface Employee {
  readonly id: string;
  readonly department: string;
}
interface Payload {
  readonly sub: string;
  readonly dept: string;
}

const PAYROLL = 'https://payroll.acme.example';
const PARTNERS = 'https://partners.acme.example';
const BY_NAME = 'own-strategy-partners';
const BY_NAME_BROKEN = 'own-strategy-broken';
/** What the strategies that misbehave are given, and quote in their errors. */
const SECRET = 'odd-credential-7d0e5b1c94aa';

let issuer: TestIssuer;
let privateKey: CryptoKey;
let secretOrKey: string;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  const pair = await generateKeyPair('RS256', { extractable: true });
  privateKey = pair.privateKey;
  secretOrKey = await exportSPKI(pair.publicKey);
});
afterAll(async () => {
  await issuer.stop();
  passport.unuse(BY_NAME);
  passport.unuse(BY_NAME_BROKEN);
});

const jwtOptions = (issuer: string) => ({
  jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
  secretOrKey,
  issuer,
  audience: RESOURCE,
  algorithms: ['RS256' as const],
});

/** passport-jwt as its own documentation shows it. */
const payrollStrategy = () =>
  new JwtStrategy(jwtOptions(PAYROLL), (payload: Payload, done: (error: unknown, user: Employee) => void) =>
    done(null, { id: payload.sub, department: payload.dept }),
  );

/** The same as the documentation of Nest shows it: a provider that registers itself by name. */
@Injectable()
class PartnerStrategy extends PassportStrategy(JwtStrategy, BY_NAME) {
  constructor() {
    super(jwtOptions(PARTNERS));
  }

  validate(payload: Payload): Employee {
    return { id: payload.sub, department: payload.dept };
  }
}

/** One of those whose `validate` fails later, and which says more than it should. */
@Injectable()
class BrokenPartnerStrategy extends PassportStrategy(CustomStrategy.Strategy, BY_NAME_BROKEN) {
  async validate(): Promise<never> {
    await Promise.resolve();
    throw new Error(`${SECRET} is not known.`);
  }
}

const employees = (name: string, strategy: JwtStrategy | string, issuer: string): IdentitySource =>
  passportIdentity<Employee>({
    name,
    issuer,
    strategy,
    principal: ({ id, department }) => ({ issuer, subject: id, tenant: department, scopes: ['crm:read'] }),
  });

function employeeToken(issuer: string, changes: object = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const claims = { iss: issuer, aud: RESOURCE, sub: 'erin', dept: 'acme', exp, ...changes };
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
}

/** How a strategy answers, as it sees itself. */
interface Actions {
  success(user: unknown): void;
  fail(why?: unknown): void;
  error(error: unknown): void;
  redirect(url: string): void;
  pass(): void;
}

type Authenticate = (this: Actions) => unknown;

/** What a strategy may do instead of its work, and the reason that is recorded. */
const MISBEHAVIOUR: readonly [what: string, reason: string, authenticate: Authenticate][] = [
  [
    'throws',
    'error',
    () => {
      throw new Error(SECRET);
    },
  ],
  ['rejects', 'error', () => Promise.reject(new Error(SECRET))],
  [
    'rejects later',
    'error',
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      throw new Error(SECRET);
    },
  ],
  ['hangs', 'timeout', () => undefined],
  ['hangs in a promise', 'timeout', () => new Promise(() => undefined)],
  ['errs', 'error', succeedOr((actions) => actions.error(new Error(SECRET)))],
  ['fails', 'rejected', succeedOr((actions) => actions.fail(SECRET))],
  ['passes', 'rejected', succeedOr((actions) => actions.pass())],
  ['redirects', 'rejected', succeedOr((actions) => actions.redirect(`https://acme.example/?was=${SECRET}`))],
  ['finds true', 'rejected', finding(true)],
  ['finds an empty object', 'rejected', finding({})],
  ['finds null', 'rejected', finding(null)],
  ['finds a name', 'rejected', finding('erin')],
  ['finds a list', 'rejected', finding([{ id: 'erin' }])],
  ['finds an error', 'rejected', finding(Object.assign(new Error(SECRET), { id: 'erin' }))],
  ['finds garbage', 'claims', finding({ id: 7, department: {} })],
  ['finds a user without an id', 'claims', finding({ department: 'acme' })],
  ['finds an id with control characters', 'claims', finding({ id: 'erin\u0000', department: 'acme' })],
];

function finding(user: unknown): Authenticate {
  return succeedOr((actions) => actions.success(user));
}

function succeedOr(act: (actions: Actions) => void): Authenticate {
  return function authenticate() {
    act(this);
  };
}

/** A source whose credential is a header that says which one it is for. */
const odd = (name: string, strategy: Parameters<typeof passportIdentity>[0]['strategy']): IdentitySource =>
  passportIdentity<Employee>({
    name,
    accepts: ({ headers }) => headers['x-odd'] === `${SECRET} ${name}`,
    strategy,
    principal: ({ id, department }) => ({
      issuer: 'odd',
      subject: id,
      tenant: department,
      scopes: ['crm:read'],
    }),
    timeoutMs: name.startsWith('hangs') ? 50 : 5_000,
  });

describe.each(PLATFORMS)('A strategy of their own, on %s,', (platform) => {
  let server: TestServer;

  beforeAll(async () => {
    const identity = [
      oidc({ issuer: issuer.url }),
      employees('payroll', payrollStrategy(), PAYROLL),
      employees('partners', BY_NAME, PARTNERS),
      odd('rejects in validate()', BY_NAME_BROKEN),
      odd('was never registered', 'own-strategy-of-nobody'),
      ...MISBEHAVIOUR.map(([what, , authenticate]) =>
        odd(what, { authenticate: authenticate as () => unknown }),
      ),
    ];
    server = await TestServer.start({
      platform,
      providers: [Tools, PartnerStrategy, BrokenPartnerStrategy],
      sallyport: { identity },
    });
  });
  afterAll(async () => server.close());

  const openWith = (headers: Record<string, string>) =>
    server.observe(() => server.send({ ...toolCall('open'), headers }));
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

  async function expectOpened(
    headers: Record<string, string>,
    subject: string,
    issuedBy: string,
  ): Promise<void> {
    const { answer, ran, records } = await openWith(headers);
    expect({ status: answer.status, ran }).toEqual({ status: 200, ran: ['open'] });
    expect(answer.text).toContain(`opened for ${subject} of ${issuedBy}`);
    expect(records).toMatchObject([{ kind: 'attempt', subject, issuer: issuedBy, tenant: 'acme' }]);
  }

  const providerToken = () => issuer.token({ sub: 'alice', tenant: 'acme', scope: 'crm:read' });

  it('beside a provider, opens the same tool: passport-jwt as an instance, and by its name in Nest', async () => {
    await expectOpened(bearer(await providerToken()), 'alice', issuer.url);
    await expectOpened(bearer(await employeeToken(PAYROLL)), 'erin', PAYROLL);
    await expectOpened(bearer(await employeeToken(PARTNERS, { sub: 'otto' })), 'otto', PARTNERS);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['has expired', () => employeeToken(PAYROLL, { exp: 1_700_000_000 }), 'rejected'],
    [
      'is meant for another server',
      () => employeeToken(PARTNERS, { aud: 'https://other.example' }),
      'rejected',
    ],
    ['says it is of the provider', () => employeeToken(issuer.url, { client_id: 'agent' }), 'type'],
    ['is of nobody here', () => employeeToken('https://who.example'), 'unknown_issuer'],
    ['has no subject', () => employeeToken(PAYROLL, { sub: undefined }), 'claims'],
  ])('does not open it with a token that %s', async (_what, token, reason) => {
    const credential = await token();
    await expectNobody(bearer(credential), reason, credential.split('.')[2] ?? '');
  });

  it.each([
    ...MISBEHAVIOUR.map(([what, reason]) => [what, reason]),
    ['rejects in validate()', 'error'],
    ['was never registered', 'error'],
  ])('that %s authenticates nobody, and is recorded as %s', async (what = '', reason = '') => {
    await expectNobody({ 'X-Odd': `${SECRET} ${what}` }, reason, SECRET);
  });

  it('that misbehaved has done no harm to the others', async () => {
    await expectOpened(bearer(await providerToken()), 'alice', issuer.url);
    await expectOpened(bearer(await employeeToken(PARTNERS)), 'erin', PARTNERS);
  });

  async function expectNobody(
    headers: Record<string, string>,
    reason: string,
    secret: string,
  ): Promise<void> {
    const { answer, ran, records } = await openWith(headers);
    expect({ status: answer.status, ran }).toEqual({ status: 401, ran: [] });
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    expect(answer.headers['location']).toBeUndefined();
    expect(answer.error).toMatchObject({ code: -32010, data: { reason: 'invalid_token' } });
    expect(records).toMatchObject([{ kind: 'authentication', reason, subject: null }]);
    for (const text of [JSON.stringify([records, answer]), ...server.logs.lines])
      expect(text).not.toContain(secret);
  }
});
