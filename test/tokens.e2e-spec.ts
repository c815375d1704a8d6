import { Injectable } from '@nestjs/common';
import { generateKeyPair, SignJWT } from 'jose';
import { ExtractJwt, Strategy as JwtStrategy } from 'passport-jwt';
import { McpTool, oidc, passportIdentity } from 'sallyport';
import { TestIssuer, type TokenRequest } from './support/issuer.js';
import { bodyOf, headersOf, send, sendBytes, toolCall, type Answer } from './support/messages.js';
import { PLATFORMS, Runs, TestServer, WAYS } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' })
  open() {
    this.runs.note('open');
    return 'opened';
  }

  @McpTool({ name: 'docs', description: 'Reads.', public: true, risk: 'read' })
  docs() {
    this.runs.note('docs');
    return 'page';
  }
}

const GOOD: TokenRequest = { sub: 'alice', tenant: 'acme', scope: 'crm:read' };

let issuer: TestIssuer;
let stranger: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  stranger = await TestIssuer.start();
});
afterAll(async () => {
  await issuer.stop();
  await stranger.stop();
});

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A token without a signature, as RFC 7519 §6 allows them. */
function unsigned(alg: string): string {
  return `${encoded({ alg, typ: 'at+jwt' })}.${encoded(issuer.claims(GOOD))}.`;
}

/** The token with a member of its payload changed, under the signature it had. */
function tampered(token: string): string {
  const [header, payload = '', signature] = token.split('.');
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return `${header}.${encoded({ ...(claims as object), tenant: 'globex' })}.${signature}`;
}

const BAD: readonly [string, string, () => Promise<string> | string][] = [
  ['has expired', 'expired', () => issuer.token({ ...GOOD, lives: -3600 })],
  ['is not valid yet', 'not_yet_valid', () => issuer.token({ ...GOOD, claims: { nbf: 9_999_999_999 } })],
  [
    'is for another audience',
    'audience',
    () => issuer.token({ ...GOOD, claims: { aud: 'https://other.example/mcp' } }),
  ],
  ['is for no audience', 'claims', () => issuer.token({ ...GOOD, claims: { aud: undefined } })],
  ['is from another issuer', 'unknown_issuer', () => stranger.token(GOOD)],
  [
    'is from another issuer that says it is ours',
    'signature',
    () => stranger.token({ ...GOOD, claims: { iss: issuer.url } }),
  ],
  [
    'is signed by another key',
    'signature',
    async () => issuer.token({ ...GOOD, key: (await generateKeyPair('ES256')).privateKey }),
  ],
  ['was changed', 'signature', async () => tampered(await issuer.token(GOOD))],
  ['has no signature and says so', 'malformed', () => unsigned('none')],
  [
    'says that its signature is none',
    'algorithm',
    async () => `${unsigned('none')}${(await issuer.token(GOOD)).split('.')[2]}`,
  ],
  ['has no signature and does not say so', 'malformed', () => unsigned('ES256')],
  [
    'is signed with a shared secret',
    'algorithm',
    () =>
      new SignJWT(issuer.claims(GOOD))
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
        .sign(new TextEncoder().encode('x'.repeat(32))),
  ],
  ['brings its own key', 'header', () => issuer.token({ ...GOOD, header: { jwk: { kty: 'EC' } } })],
  [
    'points to its own keys',
    'header',
    () => issuer.token({ ...GOOD, header: { jku: `${stranger.url}/jwks` } }),
  ],
  ['is an ID token', 'type', () => issuer.token({ ...GOOD, header: { typ: 'JWT' }, claims: { nonce: 'n' } })],
  ['is bound to a key', 'sender_constrained', () => issuer.token({ ...GOOD, claims: { cnf: { jkt: 'x' } } })],
  ['has no subject', 'claims', () => issuer.token({ ...GOOD, claims: { sub: undefined } })],
  ['never expires', 'claims', () => issuer.token({ ...GOOD, claims: { exp: undefined } })],
  ['is no JWT', 'unsupported_credential', () => 'opaque-secret-0123456789'],
];

/** No piece of a credential long enough to be of use to anybody. */
function expectNothingOf(credential: string, ...texts: string[]): void {
  const pieces = credential.split('.').filter((piece) => piece.length >= 16);
  for (const text of texts) for (const piece of pieces) expect(text).not.toContain(piece);
}

describe.each(WAYS)('A token, on %s in %s,', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
  });
  afterAll(async () => server.close());

  it('that is good opens what it is good for', async () => {
    const token = await issuer.token(GOOD);
    const { answer, ran, records } = await server.observe(() =>
      server.send({ era, token, ...toolCall('open') }),
    );
    expect({ status: answer.status, ran }).toEqual({ status: 200, ran: ['open'] });
    expect(records).toMatchObject([{ kind: 'attempt', issuer: issuer.url, subject: 'alice' }]);
    expectNothingOf(token, JSON.stringify(records), server.logs.lines.join('\n'), answer.text);
  });

  it.each(BAD)('that %s opens nothing', async (_what, reason, make) => {
    const token = await make();
    const before = Date.now();
    const { answer, ran, records } = await server.observe(() =>
      server.send({ era, token, ...toolCall('open') }),
    );
    expectInvalid(answer);
    expect(ran).toEqual([]);
    expect(records).toMatchObject([{ kind: 'authentication', reason, address: '127.0.0.1', subject: null }]);
    expect(records[0]?.at.getTime()).toBeGreaterThanOrEqual(before);
    expectNothingOf(token, JSON.stringify(records), server.logs.lines.join('\n'), answer.text);
    expectNothingOf(token, JSON.stringify(answer.headers));
  });

  it.each(['tools/list', 'initialize', 'server/discover', 'ping', 'nonsense', 'tools/call'])(
    'that is bad opens not even %s',
    async (method) => {
      const token = await issuer.token({ ...GOOD, lives: -3600 });
      const { answer, ran } = await server.observe(() =>
        server.send({ era, token, method, params: { name: 'docs' } }),
      );
      expectInvalid(answer);
      expect(ran).toEqual([]);
    },
  );

  it('that is bad is judged before the body is read', async () => {
    const headers = headersOf({ era, method: 'tools/call', token: 'x.y.z' });
    const { answer, records } = await server.observe(() => sendBytes(server.url, '{"a":1,"a":2}', headers));
    expectInvalid(answer);
    expect(records).toMatchObject([{ kind: 'authentication', reason: 'malformed' }]);
  });
});

function expectInvalid(answer: Answer): void {
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  expect(answer.headers['www-authenticate']).toContain('resource_metadata=');
  expect(answer.error).toMatchObject({ code: -32010, data: { reason: 'invalid_token' } });
}

describe.each(PLATFORMS)('An Authorization, on %s,', (platform) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
  });
  afterAll(async () => server.close());

  it.each(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a,b', 'bearer\tx', 'Basic YTpi', 'DPoP x', 'x', ' '])(
    'of "%s" is no good credential, and not none either',
    async (Authorization) => {
      const message = toolCall('docs');
      const { answer, ran } = await server.observe(() =>
        server.send({ ...message, headers: { Authorization } }),
      );
      // An empty header field is as good as none: HTTP takes the blanks off.
      if (Authorization.trim() === '') return;
      expectInvalid(answer);
      expect(ran).toEqual([]);
    },
  );

  it('may be written in any case', async () => {
    const headers = { Authorization: `bEaReR ${await issuer.token(GOOD)}` };
    const { ran } = await server.observe(() => server.send({ ...toolCall('open'), headers }));
    expect(ran).toEqual(['open']);
  });

  it.each(['access_token', 'token', 'authorization', 'bearer'])(
    'in the query parameter %s is no credential: the caller is anonymous',
    async (parameter) => {
      const url = `${server.url}?${parameter}=${await issuer.token(GOOD)}`;
      const { answer, ran } = await server.observe(() => send(url, toolCall('open')));
      expect({ status: answer.status, ran }).toEqual({ status: 401, ran: [] });
      expect(answer.headers['www-authenticate']).not.toContain('error=');
    },
  );

  it('in the body is no credential either', async () => {
    const body = { ...bodyOf(toolCall('open')), access_token: await issuer.token(GOOD) };
    const { answer, ran } = await server.observe(() =>
      sendBytes(server.url, JSON.stringify(body), headersOf(toolCall('open'))),
    );
    expect(ran).toEqual([]);
    expect([400, 401]).toContain(answer.status);
  });
});

describe.each(PLATFORMS)('Several sources on one endpoint, on %s:', (platform) => {
  const LEGACY = 'https://legacy.acme.example';
  const secret = 'a-shared-secret-of-the-old-system-0123456789';
  let server: TestServer;

  beforeAll(async () => {
    const strategy = new JwtStrategy(
      {
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        secretOrKey: secret,
        issuer: LEGACY,
        algorithms: ['HS256'],
      },
      (payload: { user: string }, done: (error: unknown, user: unknown) => void) => done(null, payload),
    );
    const legacy = passportIdentity<{ user: string }>({
      name: 'legacy',
      issuer: LEGACY,
      strategy,
      principal: ({ user }) => ({ issuer: LEGACY, subject: user, tenant: 'acme', scopes: ['crm:read'] }),
    });
    const apiKey = passportIdentity<{ id: string }>({
      name: 'partner-key',
      accepts: ({ headers }) => headers['x-partner-key'] !== undefined,
      strategy: new PartnerKeyStrategy(),
      principal: ({ id }) => ({
        kind: 'api-key',
        issuer: 'partners',
        subject: id,
        tenant: 'acme',
        scopes: ['crm:read'],
      }),
    });
    const identity = [oidc({ issuer: issuer.url }), legacy, apiKey];
    server = await TestServer.start({ platform, providers: [Tools], sallyport: { identity } });
  });
  afterAll(async () => server.close());

  function legacyToken(claims: object = {}, key = secret) {
    return new SignJWT({ user: 'otto', iss: LEGACY, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(key));
  }

  async function openWith(headers: Record<string, string>) {
    const { answer, ran, records } = await server.observe(() =>
      server.send({ ...toolCall('open'), headers }),
    );
    return { status: answer.status, ran, records };
  }

  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

  it('each vouches for its own', async () => {
    const byOidc = await openWith(bearer(await issuer.token(GOOD)));
    const byStrategy = await openWith(bearer(await legacyToken()));
    const byKey = await openWith({ 'X-Partner-Key': 'key-of-paula' });
    expect(byOidc).toMatchObject({ ran: ['open'], records: [{ subject: 'alice', issuer: issuer.url }] });
    expect(byStrategy).toMatchObject({ ran: ['open'], records: [{ subject: 'otto', issuer: LEGACY }] });
    expect(byKey).toMatchObject({ ran: ['open'], records: [{ subject: 'paula', issuer: 'partners' }] });
  });

  it.each<[string, () => Promise<Record<string, string>>, string]>([
    [
      'a token of one, signed as the other signs',
      async () => bearer(await legacyToken({ iss: issuer.url })),
      'algorithm',
    ],
    [
      'a token of the strategy with another secret',
      async () => bearer(await legacyToken({}, 'y'.repeat(40))),
      'rejected',
    ],
    [
      'a token of an issuer that none stands for',
      async () => bearer(await legacyToken({ iss: 'https://who.example' })),
      'unknown_issuer',
    ],
    ['a key that nobody has', async () => ({ 'X-Partner-Key': 'guessed' }), 'rejected'],
    ['a strategy that throws', async () => ({ 'X-Partner-Key': 'crash' }), 'error'],
  ])('none takes %s', async (_what, headers, reason) => {
    const { status, ran, records } = await openWith(await headers());
    expect({ status, ran }).toEqual({ status: 401, ran: [] });
    expect(records).toMatchObject([{ kind: 'authentication', reason }]);
    expect(server.logs.lines.join('\n')).not.toContain('what the strategy said of');
  });
});

/** A strategy of somebody else's making: it succeeds, fails, or breaks. */
class PartnerKeyStrategy {
  readonly name = 'partner-key';
  declare success: (user: object) => void;
  declare fail: () => void;

  authenticate(request: { headers: Record<string, string> }): void {
    const key = request.headers['x-partner-key'];
    if (key === 'crash') throw new Error(`what the strategy said of ${key}`);
    if (key === 'key-of-paula') this.success({ id: 'paula' });
    else this.fail();
  }
}
