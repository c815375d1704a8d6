import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { eventually } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import {
  bodyOf,
  ERAS,
  headersOf,
  sendBytes,
  toolCall,
  type Answer,
  type Era,
  type Json,
} from './support/messages.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';
import { newDatabaseFile } from './support/server.js';

/** In every secret that is planted; nothing else here holds it. */
const CANARY = 'canary7f3a';
/** A number that is one: no string of letters in it, and nothing else has these digits. */
const NUMBER = 724_931_665_821;

/** Secrets that are no canary: what a caller may put in the place of the name of an entry. */
const MISPLACED = [
  'AKIAIOSFODNN7EXAMPLE',
  'akiaiosfodnn7example',
  'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  'ghp_abcdefghijklmnopqrstuvwxyzABCDEF',
  'key-3ax6xnjp29jd6f',
  'f47ac10b-58cc-4372-a567-0e02b2c3d479',
  'xkcdTr0ub4dor',
];

const MAIN = new URL('./support/canary-server.main.ts', import.meta.url).pathname;
const LOADER = new URL('./support/typescript-register.mjs', import.meta.url).href;

/** Everything of one process that a secret could be found in. */
class Planted {
  private constructor(
    private readonly child: ChildProcess,
    private readonly said: string[],
    readonly url: string,
  ) {}

  static async start(database: string, issuer: string): Promise<Planted> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      ISSUER: issuer,
      DATABASE: database,
      AUDIT_SECRET: `${CANARY}-audit-secret-of-the-operator`,
      CANARY_IN_RESULT: `${CANARY}-result`,
      API_TOKEN: `${CANARY}-environment`,
      SALLYPORT_TOKEN: `${CANARY}-token`,
    };
    const child = spawn(process.execPath, ['--import', LOADER, MAIN], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
    const output = await eventually(
      async () => said.join(''),
      (text) => /listening on \S+\/mcp/.test(text) || child.exitCode !== null,
    );
    const url = /listening on (\S+)/.exec(output)?.[1];
    if (url === undefined) throw new Error(`The server did not start. It said:\n${output}`);
    return new Planted(child, said, url.replace('[::1]', '127.0.0.1'));
  }

  get output(): string {
    return this.said.join('');
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}

/** A secret as each type of JSON can hold one. */
const ARGUMENTS: Json = {
  text: `${CANARY}-text`,
  number: NUMBER,
  list: [`${CANARY}-item`, NUMBER],
  map: { [`${CANARY}-key`]: `${CANARY}-value`, deep: { deeper: [{ deepest: `${CANARY}-deep` }] } },
  nothing: null,
  isSecret: true,
  [`${CANARY}-name`]: 1,
};

/** Headers in which a client could carry a secret, beside the credential. */
const HEADERS = Object.fromEntries(
  [
    'x-api-key',
    'cookie',
    'x-forwarded-for',
    'x-tenant',
    'user-agent',
    'accept-language',
    'tracestate',
    'baggage',
    'traceparent',
    'referer',
    'from',
    'x-custom',
  ].map((name) => [name, `${CANARY}-${name}`]),
);

let issuer: TestIssuer;
let postgres: RunningPostgres;

beforeAll(async () => {
  [issuer, postgres] = await Promise.all([TestIssuer.start(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([issuer.stop(), postgres.stop()]);
});

/** Every way to send a secret that the transport takes; whether it is answered well does not matter. */
async function sendEverywhere(url: string, era: Era, token: string): Promise<Answer[]> {
  const messages: { method: string; params: Json }[] = [
    toolCall('echo', ARGUMENTS),
    toolCall('strict', ARGUMENTS),
    toolCall('strict', { count: `${CANARY}-wrong-type` }),
    toolCall('fail', ARGUMENTS),
    toolCall('admin', ARGUMENTS),
    toolCall('no_such_tool', ARGUMENTS),
    toolCall(`${CANARY}4bd1f0c2e9a85`, ARGUMENTS),
    { method: 'prompts/get', params: { name: `eyJ${CANARY}.${CANARY}4bd1f0c2e9a85.x`, arguments: {} } },
    { method: 'resources/read', params: { uri: `crm://pages/${CANARY}-page` } },
    { method: 'resources/read', params: { uri: `crm://elsewhere/${CANARY}-path?q=${CANARY}` } },
    { method: 'prompts/get', params: { name: 'ask', arguments: { topic: `${CANARY}-topic` } } },
    { method: 'tools/list', params: { cursor: `${CANARY}-cursor` } },
    ...MISPLACED.flatMap((secret) => [
      toolCall(secret, ARGUMENTS),
      { method: 'prompts/get', params: { name: secret, arguments: {} } },
      { method: 'resources/read', params: { uri: `${secret.replaceAll(/[^\w.-]/g, '.')}:path` } },
    ]),
    { method: `${CANARY}/method`, params: ARGUMENTS },
  ];
  const credentials = [token, undefined, `${CANARY}-no-token`, `${token}${CANARY}`, await forged()];
  const answers: Answer[] = [];
  for (const credential of credentials) {
    for (const message of messages) {
      const request = { era, ...message, token: credential, headers: HEADERS, id: `${CANARY}-id` };
      answers.push(await sendBytes(url, JSON.stringify(bodyOf(request)), headersOf(request)));
    }
  }
  const raw = headersOf({ era, ...toolCall('echo'), token, headers: HEADERS });
  for (const body of [`{"jsonrpc":"2.0","${CANARY}"`, `["${CANARY}"]`, CANARY])
    answers.push(await sendBytes(url, body, raw));
  return answers;
}

/** A token of nobody we know, with secrets in its claims. */
function forged(): Promise<string> {
  return issuer.token({
    sub: `${CANARY}-sub`,
    claims: { iss: 'https://evil.example', secret: `${CANARY}-claim` },
  });
}

/** Tokens that were good, which hold no canary: as they are, and the two parts that nobody else has. */
const tokensUsed: string[] = [];

async function goodToken(): Promise<string> {
  const token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
  tokensUsed.push(token);
  return token;
}

function partsOf(token: string): string[] {
  const [, payload = token, signature = token] = token.split('.');
  return [token, payload, signature];
}

/**
 * The middle of `secret` as it stands in base64, wherever in a longer text it began: one form for each place within three
 * bytes, in both alphabets.
 */
function base64FormsOf(secret: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.from('\0'.repeat(before) + secret);
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 3));
    const first = before === 0 ? 0 : 4;
    return [whole.toString('base64').slice(first), whole.toString('base64url').slice(first)];
  });
}

/** As every secret would look if it were copied, encoded or quoted. */
function looksOf(): string[] {
  const secrets = [CANARY, ...MISPLACED];
  return [
    ...secrets,
    NUMBER.toString(),
    ...secrets.map((secret) => Buffer.from(secret).toString('hex')),
    ...secrets.flatMap(base64FormsOf),
    ...tokensUsed.flatMap(partsOf),
    ...tokensUsed.flatMap((token) => partsOf(token).flatMap(base64FormsOf)),
  ];
}

function expectClean(what: string, bytes: Buffer | string, looks = looksOf()): void {
  const text = Buffer.isBuffer(bytes) ? bytes.toString('latin1') : bytes;
  const found = looks
    .filter((look) => text.includes(look))
    .map((look) => text.slice(Math.max(text.indexOf(look) - 80, 0), text.indexOf(look) + 40));
  expect({ what, found }).toEqual({ what, found: [] });
}

/** An error answer may name what the caller asked for, but nothing else that it or the server holds. */
function errorsOf(answers: readonly Answer[]): string {
  const texts = answers
    .filter(({ error, status }) => error !== undefined || status >= 400)
    .map(({ text, headers }) => `${text}\n${JSON.stringify(headers)}`);
  return texts.join('\n').replaceAll(`${CANARY}-id`, 'the id of the request');
}

async function tablesOf(options: DataSourceOptions): Promise<string> {
  const database = await new DataSource(options).initialize();
  const names: { name: string }[] = await database.query(
    options.type === 'postgres'
      ? "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'"
      : "SELECT name FROM sqlite_schema WHERE type = 'table'",
  );
  const rows = await Promise.all(names.map(({ name }) => database.query(`SELECT * FROM ${name}`)));
  await database.destroy();
  expect(names.map(({ name }) => name).join(' ')).toContain('sallyport_audit_key');
  return JSON.stringify(rows, withBytes);
}

/** What is stored as bytes is searched as it stands. */
function withBytes(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'Buffer')
    return value;
  return 'data' in value && Array.isArray(value.data) ? Buffer.from(value.data).toString('latin1') : value;
}

it.each([0, 1, 2, 3, 4])('A canary in base64 is found after %s other bytes', (before) => {
  for (const alphabet of ['base64', 'base64url'] as const) {
    const text = Buffer.from(`${'x'.repeat(before)}${CANARY}-and more`).toString(alphabet);
    expect(base64FormsOf(CANARY).some((form) => text.includes(form))).toBe(true);
  }
});

describe.each(['better-sqlite3', 'postgres'] as const)('A secret, with a real process on %s,', (type) => {
  let planted: Planted;
  let options: DataSourceOptions;
  let answers: Answer[];

  beforeAll(async () => {
    const database =
      type === 'postgres' ? postgres.url.replace(/\/postgres$/, '/canaries') : newDatabaseFile();
    options = type === 'postgres' ? await postgres.createDatabase('canaries') : { type, database };
    planted = await Planted.start(database, issuer.url);
    const token = await goodToken();
    answers = [];
    for (const era of ERAS) answers.push(...(await sendEverywhere(planted.url, era, token)));
  }, 120_000);
  afterAll(async () => planted.stop());

  it('was really there: the calls ran, and their results went to whoever called', () => {
    const results = answers.filter(({ result }) => JSON.stringify(result ?? {}).includes(`${CANARY}-result`));
    expect(results.length).toBeGreaterThanOrEqual(4);
  });

  it('is in no row of any table, and what was recorded is there', async () => {
    const tables = await tablesOf(options);
    expectClean('tables', tables);
    expect(tables).toContain('"entry":"echo"');
  });

  it('is in no error that a caller is told', () => {
    const errors = errorsOf(answers);
    expect(errors.length).toBeGreaterThan(1000);
    expectClean('errors', errors);
  });

  it('is in no answer at all when it is the token that was called with', () => {
    const texts = answers.map(({ text, headers }) => `${text}\n${JSON.stringify(headers)}`);
    expectClean('answers', texts.join('\n'), tokensUsed.flatMap(partsOf));
  });

  it('is in no line that the process has written, and in no file after it has ended', async () => {
    await planted.stop();
    expect(planted.output).toContain('listening on');
    expectClean('output', planted.output);
    if (options.type !== 'better-sqlite3') return;
    const directory = dirname(options.database);
    for (const file of await readdir(directory)) expectClean(file, await readFile(join(directory, file)));
  });

  it('is in no byte of the database while the process runs', async () => {
    const again = await Planted.start(
      options.type === 'better-sqlite3' ? options.database : postgres.url.replace(/\/postgres$/, '/canaries'),
      issuer.url,
    );
    const token = await goodToken();
    await sendEverywhere(again.url, '2026-07-28', token);
    if (options.type === 'better-sqlite3') {
      const directory = dirname(options.database);
      const files = await readdir(directory);
      expect(files.some((file) => file.endsWith('-wal'))).toBe(true);
      for (const file of files) expectClean(file, await readFile(join(directory, file)));
    } else {
      expectClean('tables', await tablesOf(options));
    }
    await again.stop();
  });
});
