import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { exportSPKI } from 'jose';
import { introspection, McpTool, oidc } from 'sallyport';
import {
  bytesOfDatabase,
  encoded,
  ForgedIssuer,
  forgingKey,
  foundOf,
  OutputCapture,
  sendJson,
  signRsa,
  signText,
  withPart,
  withSlackBits,
  type ForgingKey,
} from './support/forged.js';
import { toolCall, type Answer, type Json } from './support/messages.js';
import { newDatabaseFile, Runs, TestServer } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' })
  open() {
    this.runs.note('open');
    return 'opened';
  }
}

/** So many that the limit on failures is not what is tested here. */
const NO_LIMIT = { perMinute: 1_000_000, burst: 1_000_000 };
const JWKS = '/jwks';
const OAUTH = '/.well-known/oauth-authorization-server';
const OPENID = '/.well-known/openid-configuration';

const realNow = Date.now.bind(Date);
let ahead = 0;
let issuer: ForgedIssuer;
let neighbour: ForgedIssuer;
let stranger: ForgedIssuer;
let unpublished: ForgingKey;
let weak: { readonly privateKey: KeyObject; readonly jwk: Json };
let output: OutputCapture;

beforeAll(async () => {
  // The servers are told the time by this from their start, so that a test need not wait for it.
  Date.now = () => realNow() + ahead;
  output = new OutputCapture();
  issuer = await ForgedIssuer.start();
  neighbour = await ForgedIssuer.start('neighbour-1');
  stranger = await ForgedIssuer.start('stranger-1');
  unpublished = await forgingKey('ES256', 'key-1');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  weak = { privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), alg: 'RS256', kid: 'weak' } };
  issuer.keys = [issuer.key.jwk, weak.jwk];
});
afterAll(async () => {
  await Promise.all([issuer.stop(), neighbour.stop(), stranger.stop()]);
  output.stop();
  Date.now = realNow;
});

interface Seen {
  readonly answer: Answer;
  readonly ran: readonly string[];
  readonly reasons: readonly (string | null)[];
  readonly asked: readonly string[];
  /** Pieces of the credential that stand anywhere but in the request. */
  readonly leaked: readonly string[];
}

/** Presents a credential, and looks everywhere. */
async function present(
  server: TestServer,
  authorization: string,
  of = [issuer, neighbour, stranger],
): Promise<Seen> {
  const before = of.map(({ requests }) => requests.length);
  const headers = { Authorization: authorization };
  const { answer, ran, records } = await server.observe(() => server.send({ ...toolCall('open'), headers }));
  const texts = [JSON.stringify(answer), JSON.stringify(records), ...server.logs.lines, ...output.lines];
  return {
    answer,
    ran,
    reasons: records.map(({ kind, reason }) => (kind === 'authentication' ? reason : kind)),
    asked: of.flatMap(({ requests }, at) => requests.slice(before[at])),
    leaked: foundOf(authorization.replace(/^\w+ +/, ''), texts),
  };
}

function expectRefused(seen: Seen, reason: string): void {
  const { status, error, headers } = seen.answer;
  expect({ ...seen, answer: { status, code: error?.code, data: error?.data?.['reason'] } }).toEqual({
    answer: { status: 401, code: -32010, data: 'invalid_token' },
    ran: [],
    reasons: [reason],
    asked: [],
    leaked: [],
  });
  expect(headers['www-authenticate']).toContain('error="invalid_token"');
}

const soon = () => Math.floor(Date.now() / 1000) + 600;
const good = () => issuer.token();
const json = (value: unknown) => JSON.stringify(value);
const header = (changes: Json = {}) => json(issuer.header(changes));
const claims = (changes: Json = {}) => json(issuer.claims(changes));
const byText = (head: string, body: string) => signText(head, body, issuer.key);

/** The text of the payload with one piece of it written in another way. */
async function written(find: string | RegExp, write: string): Promise<string> {
  return byText(header(), claims().replace(find, write));
}

async function sharedSecret(alg: string): Promise<string> {
  const input = `${encoded(header({ alg }))}.${encoded(claims())}`;
  const secret = await exportSPKI(issuer.key.publicKey);
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

async function unsigned(alg: string): Promise<string> {
  return withPart(await byText(header({ alg }), claims()), 2, '');
}

type Case = readonly [what: string, reason: string, make: () => string | Promise<string>];

const OF_THE_FORM: readonly Case[] = [
  ['nothing', 'malformed', () => ''],
  ['two tokens', 'malformed', async () => `${await good()} ${await good()}`],
  ['a comma', 'malformed', async () => `${await good()},x`],
  ['text that is no token', 'unsupported_credential', () => 'correct-horse-battery-staple'],
  [
    'a key of another kind of server',
    'unsupported_credential',
    () => `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'.repeat(2)}`,
  ],
  [
    'a key of this kind of server, which takes none',
    'unsupported_credential',
    () => `sp_live_${'A'.repeat(16)}_${'b'.repeat(49)}`,
  ],
  ['two parts', 'unsupported_credential', async () => (await good()).split('.').slice(0, 2).join('.')],
  ['four parts', 'unsupported_credential', async () => `${await good()}.AAAA`],
  [
    'five parts, as an encrypted token has',
    'unsupported_credential',
    async () => `${await good()}.AAAA.AAAA`,
  ],
  ['a part too few', 'malformed', async () => withPart(await good(), 0, '')],
  ['three parts of nothing', 'malformed', () => '..'],
  ['padding', 'malformed', async () => `${await good()}==`],
  ['base64 instead of base64url', 'malformed', async () => withPart(await good(), 2, `${'a'.repeat(84)}+/`)],
  ['slack bits in the signature', 'malformed', async () => withSlackBits(await good())],
  ['a header that is no JSON', 'malformed', async () => withPart(await good(), 0, encoded('ES256'))],
  ['a header in a list', 'malformed', () => byText(`[${header()}]`, claims())],
  ['claims in a list', 'malformed', () => byText(header(), `[${claims()}]`)],
  ['claims that are a string', 'malformed', () => byText(header(), json(claims()))],
  ['a byte order mark', 'malformed', () => byText(header(), `\uFEFF${claims()}`)],
  ['something after the claims', 'malformed', () => byText(header(), `${claims()} {}`)],
  [
    'bytes that are no UTF-8',
    'malformed',
    async () => withPart(await good(), 1, Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')),
  ],
  ['nesting without end', 'malformed', () => written('{', `{"x":${'['.repeat(60)}${']'.repeat(60)},`)],
  ['a claim twice', 'malformed', () => written('{', '{"sub":"root",')],
  ['a claim twice, once in escapes', 'malformed', () => written('{', '{"s\\u0075b":"root",')],
  ['the issuer twice', 'malformed', () => written('{', `{"iss":"${stranger.url}",`)],
  ['an algorithm twice', 'malformed', () => byText(header().replace('{', '{"alg":"none",'), claims())],
];

const OF_THE_HEADER: readonly Case[] = [
  ['no signature, and says so', 'malformed', () => unsigned('none')],
  ['no signature, and does not say so', 'malformed', () => unsigned('ES256')],
  ['alg none over a signature', 'algorithm', () => issuer.token({}, { alg: 'none' })],
  ['alg None over a signature', 'algorithm', () => issuer.token({}, { alg: 'None' })],
  ['the public key as a shared secret', 'algorithm', () => sharedSecret('HS256')],
  ['a shared secret in other letters', 'algorithm', () => sharedSecret('hs256')],
  ['alg in a list', 'algorithm', () => issuer.token({}, { alg: ['ES256'] })],
  ['no alg', 'algorithm', () => issuer.token({}, { alg: undefined })],
  ['a key of its own', 'header', async () => issuer.token({}, { jwk: unpublished.jwk }, unpublished)],
  [
    'the address of its keys',
    'header',
    () => stranger.token({ iss: issuer.url }, { jku: `${stranger.url}/jwks` }),
  ],
  [
    'the address of its certificate',
    'header',
    () => stranger.token({ iss: issuer.url }, { x5u: `${stranger.url}/x5u` }),
  ],
  ['its certificate', 'header', () => issuer.token({}, { x5c: ['MIIB'] })],
  ['something critical', 'header', () => issuer.token({}, { crit: ['exp'] })],
  ['nothing that is critical', 'header', () => issuer.token({}, { crit: [] })],
  ['an unencoded payload', 'header', () => issuer.token({}, { b64: false, crit: ['b64'] })],
  ['a path for a key id', 'unknown_key', () => issuer.token({}, { kid: '../../../../etc/passwd' })],
  ['a query for a key id', 'unknown_key', () => issuer.token({}, { kid: "x' UNION SELECT 'key" })],
  ['a number for a key id', 'header', () => issuer.token({}, { kid: 1 })],
  ['a key id without end', 'header', () => issuer.token({}, { kid: 'k'.repeat(600) })],
  ['no type', 'type', () => issuer.token({}, { typ: undefined })],
  ['the type of any JWT', 'type', () => issuer.token({}, { typ: 'JWT' })],
  ['the type of an ID token', 'type', () => issuer.token({}, { typ: 'id+jwt' })],
  ['the type of a logout token', 'type', () => issuer.token({}, { typ: 'logout+jwt' })],
  ['the type of a proof of possession', 'type', () => issuer.token({}, { typ: 'dpop+jwt' })],
];

const OF_THE_CLAIMS: readonly Case[] = [
  ['an issuer that nobody knows', 'unknown_issuer', () => stranger.token()],
  ['an issuer with a slash more', 'unknown_issuer', () => issuer.token({ iss: `${issuer.url}/` })],
  ['an issuer in other letters', 'unknown_issuer', () => issuer.token({ iss: issuer.url.toUpperCase() })],
  ['an issuer in a list', 'unknown_issuer', () => issuer.token({ iss: [issuer.url] })],
  ['no issuer', 'unknown_issuer', () => issuer.token({ iss: undefined })],
  ['another audience', 'audience', () => issuer.token({ aud: 'https://other.example/mcp' })],
  ['an audience that begins like this one', 'audience', () => issuer.token({ aud: 'http://127.0.0.1/mcp/' })],
  ['the audience of the host', 'audience', () => issuer.token({ aud: 'http://127.0.0.1' })],
  ['no audience', 'claims', () => issuer.token({ aud: undefined })],
  ['an audience in an object', 'claims', () => issuer.token({ aud: { 'http://127.0.0.1/mcp': true } })],
  ['an audience among numbers', 'claims', () => issuer.token({ aud: ['http://127.0.0.1/mcp', 7] })],
  ['no subject', 'claims', () => issuer.token({ sub: undefined })],
  ['an empty subject', 'claims', () => issuer.token({ sub: '' })],
  ['a number for a subject', 'claims', () => issuer.token({ sub: 0 })],
  ['a subject that is nobody', 'claims', () => issuer.token({ sub: 'undefined' })],
  ['a subject in two lines', 'claims', () => issuer.token({ sub: 'alice\nroot' })],
  ['a subject written backwards', 'claims', () => issuer.token({ sub: 'alice\u202Etoor' })],
  ['no expiry', 'claims', () => issuer.token({ exp: undefined })],
  ['an infinite expiry', 'claims', () => written(/"exp":\d+/, '"exp":1e400')],
  ['an expiry beyond all numbers', 'claims', () => written(/"exp":\d+/, '"exp":99999999999999999999')],
  ['an expiry in the year 285 million', 'lifetime', () => issuer.token({ exp: Number.MAX_SAFE_INTEGER })],
  ['an expiry in a string', 'claims', () => issuer.token({ exp: String(soon()) })],
  ['an expiry in a list', 'claims', () => issuer.token({ exp: [soon()] })],
  ['an expiry of true', 'claims', () => issuer.token({ exp: true })],
  ['an expiry between two seconds', 'claims', () => issuer.token({ exp: soon() + 0.5 })],
  ['an expiry before all time', 'claims', () => issuer.token({ exp: -1 })],
  ['an expiry in milliseconds', 'lifetime', () => issuer.token({ exp: soon() * 1000 })],
  ['an expiry that is over', 'expired', () => issuer.token({ iat: soon() - 5_000, exp: soon() - 700 })],
  ['a life of a year', 'lifetime', () => issuer.token({ exp: soon() + 366 * 86_400 })],
  ['an end before its beginning', 'lifetime', () => issuer.token({ iat: soon() - 590, exp: soon() - 595 })],
  ['no time of issue', 'claims', () => issuer.token({ iat: undefined })],
  ['an issue in the future', 'not_yet_valid', () => issuer.token({ iat: soon() })],
  ['a beginning in the future', 'not_yet_valid', () => issuer.token({ nbf: soon() })],
  ['a beginning that is none', 'claims', () => issuer.token({ nbf: null })],
  ['a key it is bound to', 'sender_constrained', () => issuer.token({ cnf: { jkt: 'x' } })],
  ['a certificate it is bound to', 'sender_constrained', () => issuer.token({ cnf: { 'x5t#S256': 'x' } })],
  ['an id that is none', 'claims', () => issuer.token({ jti: 7 })],
  ['a client that is none', 'claims', () => issuer.token({ client_id: { id: 'agent-1' } })],
  ['a tenant that is none', 'claims', () => issuer.token({ tenant: ['acme'] })],
  ['scopes that are none', 'claims', () => issuer.token({ scope: 'crm:read "all"' })],
  ['roles that are none', 'claims', () => issuer.token({ roles: { 'agent:admin': true } })],
  ['actors without end', 'claims', () => issuer.token({ act: actors(9) })],
];

const OF_THE_KEYS: readonly Case[] = [
  ['the key of somebody else under the same id', 'signature', () => issuer.token({}, {}, unpublished)],
  [
    'the key of the neighbour, in the name of this issuer',
    'signature',
    () => neighbour.token({ iss: issuer.url }, { kid: 'key-1' }),
  ],
  [
    'the key of this issuer, in the name of the neighbour',
    'signature',
    () => issuer.token({ iss: neighbour.url }, { kid: 'neighbour-1' }),
  ],
  ['the key id of the neighbour', 'unknown_key', () => neighbour.token({ iss: issuer.url })],
  [
    'a weak key',
    'weak_key',
    () => signRsa(issuer.header({ alg: 'RS256', kid: 'weak' }), issuer.claims(), weak.privateKey),
  ],
  ['a key under an algorithm that is not its own', 'unknown_key', () => issuer.token({}, { alg: 'ES384' })],
  [
    'a signature of zeros',
    'signature',
    async () => withPart(await good(), 2, Buffer.alloc(64).toString('base64url')),
  ],
  ['a signature of a byte', 'signature', async () => withPart(await good(), 2, 'AA')],
  [
    'the signature of another token',
    'signature',
    async () => withPart(await good(), 2, (await good()).split('.')[2] ?? ''),
  ],
  [
    'other claims under the signature',
    'signature',
    async () => withPart(await good(), 1, encoded(claims({ tenant: 'globex' }))),
  ],
  [
    'another header under the signature',
    'signature',
    async () => withPart(await good(), 0, encoded(header({ cty: 'x' }))),
  ],
];

function actors(depth: number): Json {
  return depth === 0 ? { sub: 'agent' } : { sub: 'agent', act: actors(depth - 1) };
}

describe('A bearer token that has', () => {
  const file = newDatabaseFile();
  const presented: string[] = [];
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({
      providers: [Tools],
      database: { type: 'better-sqlite3', database: file, autoLoadEntities: true },
      sallyport: {
        identity: [oidc({ issuer: issuer.url }), oidc({ issuer: neighbour.url })],
        failedAuthentications: NO_LIMIT,
      },
    });
    // Both have given their keys, so that from here on no token is a reason to ask for them.
    for (const each of [issuer, neighbour]) await present(server, `Bearer ${await each.token()}`);
  });
  afterAll(async () => {
    await server.close();
    expect(presented.flatMap((token) => foundOf(token, [bytesOfDatabase(file)]))).toEqual([]);
  });

  it('nothing wrong opens, so that the others are refused for what is wrong with them', async () => {
    const token = await good();
    const seen = await present(server, `Bearer ${token}`);
    expect({ status: seen.answer.status, ran: seen.ran, asked: seen.asked, leaked: seen.leaked }).toEqual({
      status: 200,
      ran: ['open'],
      asked: [],
      leaked: [],
    });
    presented.push(token);
    // Had it stood anywhere, it would have been found.
    expect(foundOf(token, [`... ${token.slice(100, 140)} ...`])).not.toEqual([]);
  });

  it.each([...OF_THE_FORM, ...OF_THE_HEADER, ...OF_THE_CLAIMS, ...OF_THE_KEYS])(
    '%s opens nothing',
    async (_what, reason, make) => {
      const token = await make();
      presented.push(token);
      expectRefused(await present(server, `Bearer ${token}`), reason);
    },
  );

  it.each<[string, string, string]>([
    ['Basic', 'unsupported_credential', 'YWxpY2U6Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5'],
    ['DPoP', 'unsupported_credential', 'a-proof-that-nobody-asked-for'],
    ['Bearer:', 'unsupported_credential', 'correct-horse-battery-staple'],
  ])('the scheme %s opens nothing', async (scheme, reason, credential) => {
    expectRefused(await present(server, `${scheme} ${credential}`), reason);
  });

  it('more than a header holds is refused by the server of node, unread', async () => {
    const { answer, ran, reasons } = await present(
      server,
      `Bearer ${await issuer.token({ pad: 'x'.repeat(20_000) })}`,
    );
    expect({ status: answer.status, ran, reasons }).toEqual({ status: 431, ran: [], reasons: [] });
  });

  it('been good opens, and no other spelling of it does', async () => {
    const token = await good();
    const spellings: [string, string][] = [
      ['malformed', `${token}=`],
      ['malformed', `${token}==`],
      ['malformed', withSlackBits(token)],
      ['signature', withPart(token, 2, `${token.split('.')[2]}A`)],
      ['unsupported_credential', `${token}.`],
      ['malformed', `${token}~`],
    ];
    expect((await present(server, `Bearer ${token}`)).ran).toEqual(['open']);
    for (const [reason, spelling] of spellings)
      expectRefused(await present(server, `Bearer ${spelling}`), reason);
    expect((await present(server, `bEARER   ${token}`)).ran).toEqual(['open']);
  });

  it('a key id that nobody knows, and many of them, is no reason to ask again', async () => {
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, index) => issuer.token({}, { kid: `guess-${index}` })),
    );
    const before = issuer.requests.length;
    const { answer, ran, records } = await server.observe(() =>
      Promise.all(tokens.map((token) => server.send({ ...toolCall('open'), token }))),
    );
    expect(new Set(answer.map(({ status }) => status))).toEqual(new Set([401]));
    expect(new Set(records.map(({ reason }) => reason))).toEqual(new Set(['unknown_key']));
    expect({ ran, records: records.length, asked: issuer.requests.length - before }).toEqual({
      ran: [],
      records: 50,
      asked: 0,
    });
  });
});

describe('An issuer whose keys', () => {
  let own: ForgedIssuer;
  let server: TestServer;

  beforeEach(async () => {
    own = await ForgedIssuer.start();
    const identity = [oidc({ issuer: own.url })];
    server = await TestServer.start({
      providers: [Tools],
      sallyport: { identity, failedAuthentications: NO_LIMIT },
    });
  });
  afterEach(async () => {
    await server.close();
    await own.stop();
    ahead = 0;
  });

  const redirect = (response: ServerResponse) => response.writeHead(302, { location: '/other' }).end();

  it.each<[string, () => unknown]>([
    ['cannot be had', () => own.overrides.set(JWKS, (response) => response.writeHead(503).end())],
    ['are behind a redirect', () => own.overrides.set(JWKS, redirect)],
    ['are known behind a redirect', () => [OAUTH, OPENID].map((path) => own.overrides.set(path, redirect))],
    [
      'are huge',
      () =>
        own.overrides.set(JWKS, (response) =>
          sendJson(response, { keys: own.keys, pad: 'x'.repeat(600_000) }),
        ),
    ],
    ['are too many', () => (own.keys = Array.from({ length: 101 }, () => own.key.jwk))],
    ['are none', () => (own.keys = [])],
    ['are a web page', () => own.overrides.set(JWKS, (response) => response.end('<html>Sign in</html>'))],
    [
      'are said twice',
      () => own.overrides.set(JWKS, (response) => response.end(`{"keys":[],"keys":[${json(own.key.jwk)}]}`)),
    ],
    ['break off', () => own.overrides.set(JWKS, (_response, request) => request.socket.destroy())],
    ['never come', () => own.overrides.set(JWKS, () => undefined)],
    ['trickle in', () => own.overrides.set(JWKS, (response) => trickle(response))],
    [
      'are elsewhere, over plain http',
      () =>
        [OAUTH, OPENID].map((path) =>
          own.overrides.set(path, (response) =>
            sendJson(response, { issuer: own.url, jwks_uri: 'http://keys.example/jwks' }),
          ),
        ),
    ],
    [
      'are those of another',
      () =>
        [OAUTH, OPENID].map((path) =>
          own.overrides.set(path, (response) =>
            sendJson(response, { issuer: stranger.url, jwks_uri: `${stranger.url}/jwks` }),
          ),
        ),
    ],
  ])('%s opens nothing, and is not asked again at once', async (_what, arrange) => {
    arrange();
    const all = [own, stranger];
    const seen = [];
    for (let time = 0; time < 3; time += 1)
      seen.push(await present(server, `Bearer ${await own.token()}`, all));
    for (const { answer, ran, reasons, leaked } of seen) {
      expect({ status: answer.status, reason: answer.error?.data?.['reason'], ran, reasons, leaked }).toEqual(
        {
          status: 503,
          reason: 'unavailable',
          ran: [],
          reasons: ['source_unavailable'],
          leaked: [],
        },
      );
      expect(answer.headers['retry-after']).toBeDefined();
    }
    expect(own.requests.length).toBeLessThanOrEqual(3);
    expect(own.requests).not.toContain('/other');
    expect(stranger.requests).toEqual([]);
  });

  it.each<[string, string, Json]>([
    ['are for encryption', 'unknown_key', { use: 'enc' }],
    ['may only sign', 'unknown_key', { key_ops: ['sign'] }],
    ['are for another algorithm', 'unknown_key', { alg: 'ES512' }],
    ['are broken', 'unusable_key', { x: 'AAAA' }],
    ['are secrets', 'unknown_key', { kty: 'oct', k: 'c2VjcmV0' }],
  ])('%s opens nothing', async (_what, reason, changes) => {
    own.keys = [{ ...own.key.jwk, ...changes }];
    const seen = await present(server, `Bearer ${await own.token()}`, [stranger]);
    expectRefused(seen, reason);
  });

  it('are asked for once, by however many', async () => {
    const tokens = await Promise.all(Array.from({ length: 30 }, () => own.token()));
    const answers = await Promise.all(tokens.map((token) => server.send({ ...toolCall('open'), token })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(own.requests).toEqual([OAUTH, JWKS]);
  });

  it('change: the new one opens, the withdrawn one does not, not even for a token that was good', async () => {
    const old = await own.token();
    expect((await present(server, `Bearer ${old}`)).ran).toEqual(['open']);
    const next = await forgingKey('ES256', 'key-2');
    own.keys = [next.jwk];
    ahead += 31_000;
    const renewed = await own.token({}, { kid: 'key-2' }, next);
    expect((await present(server, `Bearer ${renewed}`)).ran).toEqual(['open']);
    expectRefused(await present(server, `Bearer ${old}`), 'unknown_key');
    expect(own.requests).toHaveLength(4);
  });

  it('cannot be had any more serve for an hour, and open nothing new', async () => {
    expect((await present(server, `Bearer ${await own.token()}`)).ran).toEqual(['open']);
    own.overrides.set(JWKS, (response) => response.writeHead(500).end());
    ahead += 3_500_000;
    expect((await present(server, `Bearer ${await own.token()}`)).ran).toEqual(['open']);
    const unknown = await present(server, `Bearer ${await own.token({}, { kid: 'key-2' })}`, [stranger]);
    expect({ status: unknown.answer.status, reasons: unknown.reasons }).toEqual({
      status: 503,
      reasons: ['source_unavailable'],
    });
    ahead += 200_000;
    expect((await present(server, `Bearer ${await own.token()}`)).answer.status).toBe(503);
  });
});

describe('An opaque token', () => {
  const secret = 'the-secret-of-this-server';
  const token = 'opaque-token-of-alice-0123456789';
  let own: ForgedIssuer;
  let server: TestServer;

  beforeEach(async () => {
    own = await ForgedIssuer.start();
    const endpoint = `${own.url}/introspect`;
    const identity = [introspection({ issuer: own.url, endpoint, clientId: 'acme', clientSecret: secret })];
    server = await TestServer.start({
      providers: [Tools],
      sallyport: { identity, failedAuthentications: NO_LIMIT },
    });
  });
  afterEach(async () => {
    await server.close();
    await own.stop();
  });

  function says(changes: Json): void {
    const answer = { active: true, token_type: 'Bearer', ...own.claims(changes) };
    own.overrides.set('/introspect', (response) => sendJson(response, answer));
  }

  it('opens what its issuer says', async () => {
    says({});
    const { ran, leaked } = await present(server, `Bearer ${token}`);
    expect({ ran, leaked }).toEqual({ ran: ['open'], leaked: [] });
  });

  it.each<[string, string, Json]>([
    ['is not active', 'inactive', { active: false }],
    ['is of another issuer', 'issuer', { iss: 'https://evil.example' }],
    ['is for another server', 'audience', { aud: 'https://other.example' }],
    ['is for no server', 'claims', { aud: undefined }],
    ['has expired', 'expired', { exp: 1 }],
    ['never expires', 'claims', { exp: undefined }],
    ['is bound to a key', 'sender_constrained', { cnf: { jkt: 'x' } }],
    ['is no bearer token', 'type', { token_type: 'mac' }],
    ['is a refresh token', 'type', { token_use: 'refresh_token' }],
  ])('that %s opens nothing', async (_what, reason, changes) => {
    says(changes);
    expectRefused(await present(server, `Bearer ${token}`, [stranger]), reason);
    expect(own.requests).toEqual(['/introspect']);
    expect([...server.logs.lines, ...output.lines].join('\n')).not.toContain(secret);
  });

  it('that nobody can be asked about opens nothing', async () => {
    own.overrides.set('/introspect', (response) => response.writeHead(500).end(`no ${token}`));
    const { answer, ran, reasons, leaked } = await present(server, `Bearer ${token}`, [stranger]);
    expect({ status: answer.status, ran, reasons, leaked }).toEqual({
      status: 503,
      ran: [],
      reasons: ['source_unavailable'],
      leaked: [],
    });
  });
});

/** A byte now and then, and never all of them. */
function trickle(response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write(' '), 100);
  response.on('close', () => clearInterval(timer));
}
