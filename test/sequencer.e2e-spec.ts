import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { LogReport } from '@sallyport/audit';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { LOG_KEY, startLog } from './support/audit-log.js';
import { eventually } from './support/eventually.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';

let postgres: RunningPostgres;
let directory: string;
const writers: Writer[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  directory = mkdtempSync(join(tmpdir(), 'sallyport-sequencer-'));
});

afterEach(async () => {
  for (const writer of writers.splice(0)) await writer.kill();
});

afterAll(() => postgres.stop());

/** The processes of one database have one state of the signer. */
function stateFileOf({ database }: DataSourceOptions): string {
  return join(directory, `${basename(String(database))}.state`);
}

/** A process of its own that records and, when it has the office, sequences. */
class Writer {
  readonly recorded: string[] = [];
  role: string | undefined;
  private readonly child: ChildProcess;
  private errors = '';

  constructor(database: DataSourceOptions) {
    this.child = spawn(
      process.execPath,
      [
        '--import',
        resolve('test/support/typescript-register.mjs'),
        resolve('test/support/log-writer.main.ts'),
      ],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: {
          ...process.env,
          NODE_OPTIONS: '',
          DATABASE: JSON.stringify(database),
          KEY: LOG_KEY.signerKey,
          STATE: stateFileOf(database),
        },
      },
    );
    let rest = '';
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.hear(line);
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    writers.push(this);
  }

  /** Lets it finish what it does: answers its exit code. */
  async finish(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
    if (this.errors !== '') throw new Error(this.errors);
    return this.child.exitCode;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  private hear(line: string): void {
    const [what, value = ''] = line.split(' ');
    if (what === 'recorded') this.recorded.push(value);
    if (what === 'role') this.role = value;
  }
}

/** All of them record by now, and one has the office. */
async function untilBusy(all: readonly Writer[], records = 50): Promise<Writer> {
  await eventually(
    async () => all.map(({ recorded }) => recorded.length),
    (counts) => counts.every((count) => count >= records),
  );
  await eventually(
    async () => all.map(({ role }) => role),
    (roles) => roles.includes('sequencing'),
  );
  return all.find(({ role }) => role === 'sequencing')!;
}

async function ask<T>(database: DataSourceOptions, statement: string): Promise<T[]> {
  const source = await new DataSource({ ...database }).initialize();
  const rows = await source.query<T[]>(statement);
  await source.destroy();
  return rows;
}

/** Everything that is durable has one place and no more, and the log says so itself. */
async function examine(database: DataSourceOptions, all: readonly Writer[]): Promise<LogReport> {
  const log = await startLog(database, { state: { file: stateFileOf(database) } });
  const report = await log.log.verify();
  await log.close();
  const rows = await ask<{ idx: string; id: string }>(
    database,
    'SELECT l.idx, r.id FROM sallyport_log_leaf l JOIN sallyport_audit r ON r.seq = l.seq ORDER BY l.idx',
  );
  expect(rows.map(({ idx }) => Number(idx))).toEqual(rows.map((_, index) => index));
  const logged = new Set(rows.map(({ id }) => id));
  expect(logged.size).toBe(rows.length);
  const durable = all.flatMap(({ recorded }) => recorded);
  expect(durable.length).toBeGreaterThan(100);
  expect(durable.filter((id) => !logged.has(id))).toEqual([]);
  return report;
}

describe('three processes that write to one PostgreSQL', () => {
  it('make one log without a gap or a duplicate, and one of them sequences', async () => {
    const database = await postgres.createDatabase('three');
    const all = [new Writer(database), new Writer(database), new Writer(database)];
    await untilBusy(all);
    for (let look = 0; look < 20; look += 1) {
      expect(all.filter(({ role }) => role === 'sequencing')).toHaveLength(1);
      const [holders] = await ask<{ count: string }>(
        database,
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted",
      );
      expect(Number(holders?.count)).toBe(1);
    }
    await Promise.all(all.map((writer) => writer.finish()));
    const report = await examine(database, all);
    expect(report).toMatchObject({ ok: true, findings: [], pending: 0, unsigned: 0 });
  });

  it('lose nothing when the one that sequences is killed: another takes over', async () => {
    const database = await postgres.createDatabase('killed');
    const all = [new Writer(database), new Writer(database), new Writer(database)];
    const first = await untilBusy(all);
    const others = all.filter((writer) => writer !== first);
    expect(others.map(({ role }) => role)).toEqual(['standby', 'standby']);
    await first.kill();
    await eventually(
      async () => others.map(({ role }) => role),
      (roles) => roles.includes('sequencing'),
    );
    expect(others.filter(({ role }) => role === 'sequencing')).toHaveLength(1);
    await Promise.all(others.map((writer) => writer.finish()));
    const report = await examine(database, all);
    expect(report).toMatchObject({ ok: true, findings: [], pending: 0, unsigned: 0 });
  });

  it('leave no lock of the state behind that would stop the next one', async () => {
    const database = await postgres.createDatabase('shared');
    // Of a process that is no more, as one that was killed leaves it.
    const gone = spawn(process.execPath, ['-e', '']);
    await once(gone, 'exit');
    writeFileSync(`${stateFileOf(database)}.lock`, `${hostname()} ${gone.pid} 0`);
    const all = [new Writer(database), new Writer(database)];
    const first = await untilBusy(all);
    await first.kill();
    const other = all.find((writer) => writer !== first)!;
    await eventually(
      async () => other.role,
      (role) => role === 'sequencing',
    );
    await other.finish();
    expect(await examine(database, all)).toMatchObject({ ok: true, pending: 0, unsigned: 0 });
  });
});

describe('two processes that write to one SQLite file', () => {
  it('make one log without a gap or a duplicate, also when one of them is killed', async () => {
    const database: DataSourceOptions = { type: 'better-sqlite3', database: join(directory, 'two.sqlite') };
    const all = [new Writer(database), new Writer(database)];
    await untilBusy(all);
    await all[0]!.kill();
    await all[1]!.finish();
    expect(await examine(database, all)).toMatchObject({ ok: true, pending: 0, unsigned: 0 });
  });
});
