import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { McpTool } from 'sallyport';
import { eventually } from './support/eventually.js';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { runCommand, SourceProcess } from './support/processes.js';
import { TestServer } from './support/server.js';

@Injectable()
class Tools {
  @McpTool({ name: 'quick', description: 'Answers.', scopes: ['crm:read'], risk: 'read' })
  quick() {
    return 'the answer';
  }

  @McpTool({
    name: 'admin',
    description: 'Refuses.',
    role: 'agent:admin',
    scopes: ['crm:read'],
    risk: 'write',
  })
  admin() {
    return 'never';
  }
}

let issuer: TestIssuer;
let server: TestServer;
let directory: string;
let environment: Record<string, string>;

beforeAll(async () => {
  issuer = await TestIssuer.start();
  directory = await mkdtemp(join(tmpdir(), 'sallyport-commands-'));
  const database = { type: 'better-sqlite3', database: join(directory, 'app.sqlite') } as const;
  environment = { DATABASE: JSON.stringify(database), ISSUER: issuer.url };
  server = await TestServer.start({
    issuer,
    providers: [Tools],
    database: { ...database, autoLoadEntities: true },
  });
  await call('quick', 'priya');
  await call('quick', 'lena');
  await call('admin', 'lena');
});
afterAll(async () => {
  await server.close();
  await issuer.stop();
  await rm(directory, { recursive: true, force: true });
});

async function call(name: string, sub: string) {
  const token = await issuer.token({ sub, tenant: 'acme', scope: 'crm:read', client: 'agent-7' });
  return server.send({ era: '2026-07-28', token, ...toolCall(name) });
}

const audit = (...words: string[]) => runCommand(['audit', ...words], environment);

describe('sallyport audit list', () => {
  it('shows records that match, and records that somebody looked', async () => {
    const before = (await server.records()).at(-1)?.seq ?? 0;
    const { out, code } = await audit('list', '--user', 'lena', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject([
      { kind: 'attempt', subject: 'lena', entry: 'quick', outcome: 'completed' },
      { kind: 'refusal', subject: 'lena', entry: 'admin', reason: 'role' },
    ]);
    const looked = (await server.records()).filter(({ seq }) => seq > before);
    expect(looked).toMatchObject([
      { action: 'audit.read', via: 'cli', principalKind: 'process', target: 'lena', details: { shown: '2' } },
    ]);
  });
});

describe('sallyport audit show', () => {
  it('shows everything of one call, by the id of any of its records', async () => {
    const refusal = (await server.records()).find(({ kind }) => kind === 'refusal');
    const { out, code } = await audit('show', refusal?.id ?? '');
    expect(code).toBe(0);
    expect(out).toContain(`REFUSAL ${refusal?.id}`);
    expect(out).toMatch(/subject +lena/);
    expect(out).toMatch(/role +NO +/);
    expect(out).toMatch(/call +[0-9a-f-]{36}/);
  });

  it('shows attempt and outcome by the id of the call, as JSON', async () => {
    const attempt = (await server.records()).find(({ kind }) => kind === 'attempt');
    const { out } = await audit('show', attempt?.call ?? '', '--json');
    expect(JSON.parse(out)).toMatchObject([
      { kind: 'attempt', id: attempt?.id, checks: expect.any(Array) },
      { kind: 'outcome', attempt: attempt?.id, status: 'completed' },
    ]);
  });

  it('ends with 1 and a sentence for an id that there is not', async () => {
    const { code, err } = await audit('show', '019a8c00-0000-7000-8000-000000000001');
    expect(code).toBe(1);
    expect(err).toContain('No record and no call has this id');
    expect(err).not.toContain('    at ');
  });
});

describe('sallyport audit tail', () => {
  it('shows the last records, one in each line, and ends', async () => {
    const { out, code } = await audit('tail', '-n', '2', '--entry', 'quick');
    expect(code).toBe(0);
    const lines = out.trim().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/outcome .* acme +lena +quick +completed/);
  });

  it('follows what is recorded, in order and once, until Ctrl-C', async () => {
    const tail = SourceProcess.command(
      ['audit', 'tail', '-f', '-n', '1', '--json', '--entry', 'quick'],
      environment,
    );
    await eventually(
      () => Promise.resolve(tail.lines.length),
      (count) => count > 0,
    );
    for (let index = 0; index < 5; index += 1) await call('quick', `user-${index}`);
    await eventually(
      () => Promise.resolve(tail.lines.length),
      (count) => count >= 11,
    );
    tail.kill('SIGINT');
    expect(await tail.ended()).toBe(0);
    expect(tail.err).toBe('');
    const records = tail.lines.map((line): { seq: number; subject: string } => JSON.parse(line));
    const seqs = records.map(({ seq }) => seq);
    expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
    expect(records.slice(1).map(({ subject }) => subject)).toEqual(
      [0, 1, 2, 3, 4].flatMap((index) => [`user-${index}`, `user-${index}`]),
    );
  });

  it('is recorded once a session', async () => {
    const followed = (await server.records()).filter(({ action, details }) => {
      return action === 'audit.read' && JSON.stringify(details).includes('follow');
    });
    expect(followed).toHaveLength(2);
  });
});

describe('sallyport audit export', () => {
  it('writes every record, in order, into a file that only its owner reads, and records it before', async () => {
    const file = join(directory, 'all.jsonl');
    const { code, out } = await audit('export', '--out', file);
    expect(code).toBe(0);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(out).toContain(`${lines.length} records`);
    const records = lines.map((line): Record<string, unknown> => JSON.parse(line));
    const seqs = records.map(({ seq }) => Number(seq));
    expect(seqs).toEqual(Array.from(seqs, (_, index) => index + 1));
    expect(records).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'attempt', subject: 'priya' }),
        expect.objectContaining({ kind: 'outcome', status: 'completed' }),
      ]),
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const exported = (await server.records()).findLast(({ action }) => action === 'audit.exported');
    expect(exported).toMatchObject({ decision: 'permit', details: { records: `${lines.length}` } });
    expect(exported?.seq).toBe(lines.length + 1);
  });

  it('writes what matches as OCSF events', async () => {
    const file = join(directory, 'priya.ocsf');
    await audit('export', '--format', 'ocsf', '--user', 'priya', '--kind', 'attempt', '--out', file);
    const events = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(events.map((line): unknown => JSON.parse(line))).toMatchObject([
      { class_uid: 6003, metadata: { version: '1.8.0' }, actor: { user: { uid: 'priya' } } },
    ]);
  });

  it('replaces no file unless told to', async () => {
    const file = join(directory, 'priya.ocsf');
    const before = await readFile(file, 'utf8');
    const { code, err } = await audit('export', '--out', file);
    expect(code).toBe(1);
    expect(err).toContain('write --force');
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('leaves nothing behind when it cannot write, and records that', async () => {
    const { code, err } = await audit('export', '--out', join(directory, 'app.sqlite', 'x.jsonl'));
    expect(code).toBe(1);
    expect(err).toContain('nothing is there');
    expect((await readdir(directory)).filter((name) => name.includes('x.jsonl'))).toEqual([]);
    const refused = (await server.records()).findLast(({ action }) => action === 'audit.exported');
    expect(refused).toMatchObject({ decision: 'refuse', reason: 'write_failed' });
  });
});
