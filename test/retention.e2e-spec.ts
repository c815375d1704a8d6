import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AuditFollowers,
  auditGrants,
  AuditReader,
  AuditStore,
  checkProof,
  checkSealedFile,
  fileSink,
  leafOf,
  LogKeys,
  RecordWalk,
} from '@sallyport/audit';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { administration, attempt, outcome, server } from './support/audit-events.js';
import { asOwner, LOG_KEY, stateOf } from './support/audit-log.js';
import { eventually } from './support/eventually.js';
import { failing } from './support/failing-statement.js';
import { startPostgres, type PostgresOptions, type RunningPostgres } from './support/postgres.js';
import { runCommand, SourceProcess } from './support/processes.js';
import { startSealing, type RunningSealing } from './support/sealing.js';

const DIALECTS = ['better-sqlite3', 'postgres'] as const;
type Dialect = (typeof DIALECTS)[number];

let postgres: RunningPostgres;
let directory: string;
let names = 0;
const running: RunningSealing[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  directory = mkdtempSync(join(tmpdir(), 'sallyport-retention-'));
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.close();
});
afterAll(() => postgres.stop());

function newName(): string {
  names += 1;
  return `retention_${names}`;
}

const newFile = () => join(directory, `${newName()}.jsonl`);

async function freshDatabase(dialect: Dialect): Promise<DataSourceOptions> {
  if (dialect === 'postgres') return postgres.createDatabase(newName());
  return { type: dialect, database: join(directory, `${newName()}.sqlite`) };
}

async function start(...given: Parameters<typeof startSealing>): Promise<RunningSealing> {
  const started = await startSealing(...given);
  running.push(started);
  return started;
}

const begin = async (dialect: Dialect) => start(await freshDatabase(dialect));

function sourceOf({ context }: RunningSealing): DataSource {
  return context.get(AuditStore).dataSource;
}

async function ids(one: RunningSealing): Promise<string[]> {
  const rows = await sourceOf(one).query<{ id: string }[]>('SELECT id FROM sallyport_audit ORDER BY seq');
  return rows.map(({ id }) => id);
}

async function count(one: RunningSealing, table: string): Promise<number> {
  const [row] = await sourceOf(one).query<{ n: string }[]>(`SELECT count(*) AS n FROM ${table}`);
  return Number(row?.n);
}

const announcements = (one: RunningSealing) =>
  one.context.get(AuditReader).list({ kind: 'administration', action: 'audit.sealed', limit: 1000 });

const linesOf = (file: string) => readFileSync(file, 'utf8').split('\n').slice(0, -1);
const idsIn = (file: string) =>
  linesOf(file)
    .slice(1)
    .map((line): unknown => JSON.parse(line).id);

describe.each(DIALECTS)('Records that are sealed on %s', (dialect) => {
  it('leave the database and are in the file, leaf by leaf, and the log is intact', async () => {
    const one = await begin(dialect);
    await one.calls(300);
    const before = await sourceOf(one)
      .getRepository('AuditRecord')
      .find({ order: { seq: 'ASC' } });
    const out = newFile();
    const report = await one.seal(out);
    const sha256 = createHash('sha256').update(readFileSync(out)).digest('hex');
    expect(report).toEqual({
      records: 600,
      range: { from: 0, to: 599, sha256, file: expect.any(String) },
      endedBy: 'checkpoint',
    });
    expect(linesOf(out).slice(1)).toEqual(before.map((record) => leafOf(record)));
    await one.settled();
    expect(await ids(one)).toHaveLength(1);
    expect(await announcements(one)).toMatchObject([
      { details: { from: '0', to: '599', sha256, file: report.range?.file }, via: 'cli', subject: 'root' },
    ]);
    expect(await one.log.verify()).toMatchObject({
      ok: true,
      findings: [],
      leaves: 601,
      sealed: 600,
      sealedFiles: 1,
      sealedFilesCompared: 0,
      pending: 0,
    });
    expect(await one.log.verify({ sealedFiles: [out] })).toMatchObject({ ok: true, sealedFilesCompared: 1 });
  });

  it('are verified by the file and the verifier key alone', async () => {
    const one = await begin(dialect);
    await one.calls(20);
    const out = newFile();
    await one.seal(out);
    const { header } = await checkSealedFile(out, {
      keys: new LogKeys('audit.test/log', [LOG_KEY.verifierKey]),
    });
    expect(header).toMatchObject({ origin: 'audit.test/log', from: 0, to: 39 });
    const other = new LogKeys('audit.test/log', []);
    await expect(checkSealedFile(out, { keys: other })).rejects.toThrow(/signed by no known key/);
  });

  it('are proven from the file', async () => {
    const one = await begin(dialect);
    const [first] = await one.calls(10);
    const out = newFile();
    await one.seal(out);
    const id = first?.id ?? '';
    await expect(one.log.prove(id)).rejects.toThrow(/no record with the id/);
    const { leaf, proof, index } = await one.log.prove(id, out);
    expect(JSON.parse(leaf)).toMatchObject({ id });
    expect(checkProof(Buffer.from(leaf), proof, LOG_KEY.verifierKey)).toMatchObject({ index });
    await expect(one.log.prove('nobody', out)).rejects.toThrow(/no record with the id nobody/);
  });

  it('are followed by those of the next time, while what was announced stays', async () => {
    const one = await begin(dialect);
    await one.calls(150);
    const files = [newFile(), newFile(), newFile()];
    await one.seal(files[0]!);
    await one.calls(40);
    expect(await one.seal(files[1]!)).toMatchObject({ range: { from: 300, to: 380 }, records: 81 });
    await one.calls(5);
    expect(await one.seal(files[2]!)).toMatchObject({ range: { from: 381, to: 391 } });
    await one.settled();
    expect(await announcements(one)).toHaveLength(3);
    expect(await ids(one)).toHaveLength(3);
    expect(await one.log.verify({ sealedFiles: files })).toMatchObject({
      ok: true,
      sealed: 390,
      sealedFiles: 3,
      sealedFilesCompared: 3,
    });
    expect(await one.log.verify({ sealedFiles: [files[1]!] })).toMatchObject({ sealedFilesCompared: 1 });
  });

  it('are none of those without which the next start would not know what changed', async () => {
    const one = await begin(dialect);
    const started = administration({ action: 'server.started', target: server.name, at: new Date() });
    await one.record(started);
    await one.calls(3);
    const out = newFile();
    expect(await one.seal(out)).toMatchObject({ records: 7 });
    expect(idsIn(out)).toContain(started.id);
    expect(await ids(one)).toContain(started.id);
    await one.settled();
    expect(await one.log.verify({ sealedFiles: [out] })).toMatchObject({ ok: true, sealed: 6 });
  });

  it('end before an attempt that has no outcome yet, and go on when it has one', async () => {
    const one = await begin(dialect);
    await one.calls(5);
    const late = attempt();
    await one.record(late);
    await one.calls(5);
    expect(await one.sealing.plan(new Date())).toMatchObject({ from: 0, to: 9, endedBy: 'attempt' });
    const [first, second] = [newFile(), newFile()];
    expect(await one.seal(first)).toMatchObject({ range: { from: 0, to: 9 }, endedBy: 'attempt' });
    expect(await ids(one)).toContain(late.id);
    expect(await one.seal(second)).toEqual({ records: 0, range: undefined, endedBy: 'attempt' });
    expect(existsSync(second)).toBe(false);
    await one.record(outcome(late));
    await one.settled();
    expect(await one.seal(second)).toMatchObject({ range: { from: 10, to: 22 } });
    await one.settled();
    expect(await one.log.verify({ sealedFiles: [first, second] })).toMatchObject({ ok: true });
  });

  it('are only those that are old enough, and planning them changes nothing', async () => {
    const one = await begin(dialect);
    await one.calls(3);
    await sleep(5);
    const limit = new Date();
    await sleep(5);
    await one.calls(2);
    const before = await ids(one);
    expect(await one.sealing.plan(limit)).toMatchObject({ from: 0, to: 5, endedBy: 'age' });
    expect(await one.sealing.plan(new Date(0))).toMatchObject({ to: undefined, endedBy: 'age' });
    expect(await ids(one)).toEqual(before);
    expect(await announcements(one)).toEqual([]);
  });

  it('are only those that every follower has shipped; one that begins later goes on behind them', async () => {
    const database = await freshDatabase(dialect);
    const sink = join(directory, `${newName()}.shipped`);
    const one = await start(database, {}, [fileSink(sink, { name: 'siem' })]);
    await one.calls(4);
    const out = newFile();
    expect(await one.seal(out)).toEqual({ records: 0, range: undefined, endedBy: 'follower' });
    one.context.get(AuditFollowers).start();
    await eventually(
      () => one.sealing.plan(new Date()),
      ({ to }) => to === 7,
    );
    expect(await one.seal(out)).toMatchObject({ records: 8 });
    await one.close();
    running.splice(running.indexOf(one), 1);

    const later = join(directory, `${newName()}.shipped`);
    const two = await start(database, {}, [fileSink(later, { name: 'another' })]);
    const [call] = await two.calls(1);
    two.context.get(AuditFollowers).start();
    await eventually(
      () => Promise.resolve(existsSync(later) ? linesOf(later) : []),
      (lines) => lines.length >= 3,
    );
    expect(linesOf(later)[1]).toContain(call?.id);
  }, 60_000);

  it('are missing nowhere: what reads the records goes on with those that are there', async () => {
    const one = await begin(dialect);
    await one.calls(5);
    await one.seal(newFile());
    const [call] = await one.calls(1);
    const walk = one.context.get(RecordWalk);
    const range = { after: 0, upTo: await walk.lastSeq() };
    expect(await walk.count(range)).toBe(3);
    expect(await walk.read(range, 10)).toMatchObject([{ action: 'audit.sealed' }, { id: call?.id }, {}]);
    expect(await one.context.get(AuditReader).list({ kind: 'attempt', limit: 10 })).toMatchObject([
      { id: call?.id, outcome: 'completed' },
    ]);
  });
});

describe.each(DIALECTS)('Whoever hides something behind a seal on %s', (dialect) => {
  async function sealed() {
    const database = await freshDatabase(dialect);
    const one = await start(database);
    await one.calls(20);
    const out = newFile();
    await one.seal(out);
    await one.calls(10);
    return { database, one, out };
  }

  it('is found by the log, which does not announce that seal', async () => {
    const { database, one, out } = await sealed();
    await asOwner(database, async (owner) => {
      await owner.query(
        `DELETE FROM sallyport_audit WHERE seq IN (SELECT seq FROM sallyport_log_leaf WHERE idx BETWEEN 40 AND 50) AND action IS NULL`,
      );
      await owner.query(
        `INSERT INTO sallyport_log_seal (from_idx, to_idx, sha256, file, at) VALUES (40, 50, '${'0'.repeat(64)}', 'made-up.jsonl', 1)`,
      );
    });
    const { findings, ok } = await one.log.verify({ sealedFiles: [out] });
    expect(ok).toBe(false);
    expect(findings).toMatchObject([{ code: 'seal_unannounced', index: 40 }]);
    await expect(one.seal(newFile())).rejects.toThrow(/no record of the log announces it/);
    await expect(one.sealing.plan(new Date())).rejects.toThrow(/no record of the log announces it/);
  });

  it('is found when the seal has another digest than the one that was announced', async () => {
    const { database, one } = await sealed();
    await asOwner(database, (owner) =>
      owner.query(`UPDATE sallyport_log_seal SET sha256 = '${'0'.repeat(64)}'`),
    );
    expect((await one.log.verify()).findings).toMatchObject([{ code: 'seal_unannounced', index: 0 }]);
  });

  it('is found when the announcement is taken away', async () => {
    const { database, one } = await sealed();
    await asOwner(database, (owner) =>
      owner.query(`DELETE FROM sallyport_audit WHERE action = 'audit.sealed'`),
    );
    const codes = (await one.log.verify()).findings.map(({ code }) => code);
    expect(codes).toEqual(['seal_unannounced', 'record_removed']);
  });

  it('is found when a record is removed that stays when others are sealed, by the file', async () => {
    const { database, one } = await sealed();
    const first = newFile();
    await one.record(administration({ action: 'server.started', target: 'the server' }));
    await one.calls(3);
    await one.seal(first);
    expect(await one.log.verify({ sealedFiles: [first] })).toMatchObject({ ok: true });
    await asOwner(database, (owner) =>
      owner.query(`DELETE FROM sallyport_audit WHERE action = 'server.started'`),
    );
    const { ok, findings } = await one.log.verify({ sealedFiles: [first] });
    expect(ok).toBe(false);
    expect(findings).toMatchObject([
      { code: 'record_removed', count: 1, message: expect.stringContaining('stays in the database as well') },
    ]);
  });

  it('is found when a record is removed without a seal', async () => {
    const { database, one } = await sealed();
    await asOwner(database, (owner) =>
      owner.query(
        'DELETE FROM sallyport_audit WHERE seq = (SELECT seq FROM sallyport_log_leaf WHERE idx = 45)',
      ),
    );
    expect((await one.log.verify()).findings).toMatchObject([{ code: 'record_removed', index: 45 }]);
    await expect(one.seal(newFile())).rejects.toThrow(/index 45 is missing.*audit verify/);
  });

  it('cannot have a changed record sealed', async () => {
    const { database, one } = await sealed();
    await asOwner(database, (owner) =>
      owner.query(
        `UPDATE sallyport_audit SET entry = 'other' WHERE seq = (SELECT seq FROM sallyport_log_leaf WHERE idx = 45)`,
      ),
    );
    const [out, before] = [newFile(), await ids(one)];
    await expect(one.seal(out)).rejects.toThrow(/index 45 is not the one that was logged/);
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(directory).filter((name) => name.startsWith(out.split('/').at(-1)!))).toEqual([]);
    expect(await ids(one)).toEqual(before);
  });

  it.each([
    ['a line was changed', (text: string) => text.replace('"permit"', '"refuse"'), 0],
    [
      'two lines were swapped',
      (text: string) => text.replace(/^(.*\n)((?:.*\n){4})(.*\n)(.*\n)/, '$1$2$4$3'),
      4,
    ],
    ['a line was taken out', (text: string) => text.replace(/^(.*\n(?:.*\n){7}).*\n/, '$1'), 7],
    ['the last line was cut off', (text: string) => text.replace(/.*\n$/, ''), 39],
    ['a line was added', (text: string) => `${text}{}\n`, 40],
  ])('is found when in the file %s', async (_, change, index) => {
    const { one, out } = await sealed();
    writeFileSync(out, change(readFileSync(out, 'utf8')));
    const { findings, sealedFilesCompared } = await one.log.verify({ sealedFiles: [out] });
    expect(findings).toMatchObject([{ code: 'sealed_file', index }]);
    expect(sealedFilesCompared).toBe(0);
    expect(await one.log.verify()).toMatchObject({ ok: true });
  });

  it.each([
    ['is cut in the middle of a line', (text: string) => text.slice(0, -5), /middle of a line/],
    ['is empty', () => '', /empty/],
    ['is no such file', () => 'nothing of ours\n', /first line/],
    [
      'says another beginning',
      (text: string) => text.replace('"from":0', '"from":1'),
      /no tree of that size/,
    ],
    [
      'has a blank in its first line',
      (text: string) => text.replace('{"checkpoint"', '{ "checkpoint"'),
      /digest is not the one of the seal/,
    ],
  ])('is found when the file %s', async (_, change, sentence) => {
    const { one, out } = await sealed();
    writeFileSync(out, change(readFileSync(out, 'utf8')));
    expect((await one.log.verify({ sealedFiles: [out] })).findings).toMatchObject([
      { code: 'sealed_file', message: expect.stringMatching(sentence) },
    ]);
  });
});

describe.each(DIALECTS)('Sealing that fails on %s', (dialect) => {
  it.each([
    ['the file is there', 'INSERT', 'sallyport_audit', `NEW.action = 'audit.sealed'`, 1],
    ['it was announced', 'INSERT', 'sallyport_log_seal', 'NEW.from_idx = 0', 1],
    ['the seal is there', 'INSERT', 'sallyport_audit_sealed', 'NEW.from_seq > 0', 1],
    ['some records are deleted', 'DELETE', 'sallyport_audit', 'OLD.seq = 550', 1],
  ] as const)(
    'once %s loses nothing, and goes on there the next time',
    async (_, on, table, when, seals) => {
      const database = await freshDatabase(dialect);
      const one = await start(database);
      await one.calls(300);
      const before = await ids(one);
      const out = newFile();
      const repair = await failing(database, on, table, when);
      await expect(one.seal(out)).rejects.toThrow(/Nothing is lost.*run it again with the same --out/);
      const left = await ids(one);
      expect([...new Set([...idsIn(out), ...left])]).toEqual(expect.arrayContaining(before));
      expect(left.length < before.length).toBe(on === 'DELETE');
      expect(await one.log.verify({ sealedFiles: [] })).toMatchObject({ ok: true });
      await repair();

      expect(await one.seal(out)).toMatchObject({ records: 600, range: { from: 0, to: 599 } });
      await one.settled();
      expect(await ids(one)).toHaveLength(1);
      expect(idsIn(out)).toEqual(before);
      expect(await announcements(one)).toHaveLength(seals);
      expect(await one.log.verify({ sealedFiles: [out] })).toMatchObject({ ok: true, sealed: 600 });
    },
    60_000,
  );

  it('deletes nothing more when the file is gone, or is another one', async () => {
    const database = await freshDatabase(dialect);
    const one = await start(database);
    await one.calls(10);
    const out = newFile();
    const repair = await failing(database, 'INSERT', 'sallyport_audit_sealed', 'NEW.from_seq > 0');
    await expect(one.seal(out)).rejects.toThrow(/Nothing is lost/);
    await repair();
    const left = await ids(one);
    await expect(one.seal(newFile())).rejects.toThrow(/not all deleted yet: say --out with the path of/);
    const text = readFileSync(out, 'utf8');
    writeFileSync(out, text.replace('"permit"', '"refuse"'));
    await expect(one.seal(out)).rejects.toThrow(/not all deleted yet.*index 0/);
    expect(await ids(one)).toEqual(left);
    writeFileSync(out, text);
    expect(await one.seal(out)).toMatchObject({ records: 20, endedBy: undefined });
    expect(await ids(one)).toHaveLength(1);
  });

  it('deletes nothing when the file cannot be written, or is there already', async () => {
    const one = await begin(dialect);
    await one.calls(10);
    const before = await ids(one);
    const occupied = newFile();
    writeFileSync(occupied, 'of somebody else\n');
    await expect(one.seal(join(occupied, 'x.jsonl'))).rejects.toThrow(
      /could not be written .*nothing was sealed/,
    );
    await expect(one.seal(occupied)).rejects.toThrow(/does not hold the records.*Nothing was deleted/);
    await expect(one.seal(join(directory, '=cmd.jsonl'))).rejects.toThrow(/name of the file/);
    expect(readFileSync(occupied, 'utf8')).toBe('of somebody else\n');
    expect(await ids(one)).toEqual(before);
    expect(await count(one, 'sallyport_log_seal')).toBe(0);
    expect(await announcements(one)).toEqual([]);
  });

  it('is done once when two begin it at the same time', async () => {
    const one = await begin(dialect);
    await one.calls(50);
    const before = await ids(one);
    const files = [newFile(), newFile()];
    const results = await Promise.allSettled(files.map((file) => one.seal(file)));
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    await one.settled();
    const report = await one.log.verify();
    expect(report).toMatchObject({ ok: true });
    expect(await count(one, 'sallyport_log_seal')).toBe(report.sealedFiles);
    const kept = new Set(await ids(one));
    const exported = new Set(files.filter((file) => existsSync(file)).flatMap(idsIn));
    expect(before.filter((id) => !kept.has(id) && !exported.has(id))).toEqual([]);
  });
});

describe('The role of a server on PostgreSQL', () => {
  async function prepare() {
    const owner = await postgres.createDatabase(newName());
    const store = await AuditStore.open(owner, { migrations: 'run', timeoutMs: 5000 });
    await store.close();
    const connection = await new DataSource(owner).initialize();
    const [app, keeper] = [newName(), newName()];
    for (const role of [app, keeper]) await connection.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    for (const statement of [...auditGrants(app), ...auditGrants(keeper, { maySeal: true })])
      await connection.query(statement);
    await connection.destroy();
    const as = (username: string): PostgresOptions => ({ ...owner, username, password: 'secret' });
    const url = `postgres://${keeper}:secret@${owner.host}:${owner.port}/${owner.database}`;
    return { app: as(app), keeper: as(keeper), url };
  }

  it('may not seal, and is told who may; nothing is recorded or written', async () => {
    const { app } = await prepare();
    const one = await start(app);
    await one.calls(5);
    const out = newFile();
    await expect(one.seal(out)).rejects.toThrow(
      /may not seal: it lacks DELETE on .*"sallyport_audit", INSERT on .*"sallyport_log_seal".*audit grants --role keeper --seal/,
    );
    expect(existsSync(out)).toBe(false);
    expect(await announcements(one)).toEqual([]);
    expect(await ids(one)).toHaveLength(10);
  });

  it('seals through a role that may, which may delete nothing else', async () => {
    const { app, keeper, url } = await prepare();
    const one = await start(app);
    await one.calls(5);
    const out = newFile();
    expect(await one.seal(out, url)).toMatchObject({ records: 10 });
    await one.calls(1);
    expect(await one.log.verify({ sealedFiles: [out] })).toMatchObject({ ok: true, sealed: 10 });
    const connection = await new DataSource(keeper).initialize();
    await expect(connection.query('DELETE FROM sallyport_audit')).rejects.toThrow(/only ever added/);
    await expect(connection.query('DELETE FROM sallyport_log_seal')).rejects.toThrow(/permission denied/);
    await connection.destroy();
  });

  it('is not confused with another database, and no message holds a password', async () => {
    const [{ app }, other] = [await prepare(), await prepare()];
    const one = await start(app);
    await one.calls(5);
    const before = await ids(one);
    await expect(one.seal(newFile(), other.url)).rejects.toThrow(/not the database of this audit/);
    for (const url of ['mysql://x', other.url.replace(':secret@', ':wrong-password@')]) {
      const error: unknown = await one.seal(newFile(), url).catch((failure: unknown) => failure);
      expect(error).toMatchObject({ name: 'AuditLogError' });
      expect(String(error)).not.toMatch(/wrong-password|secret/);
    }
    expect(await ids(one)).toEqual(expect.arrayContaining(before));
    expect(await count(one, 'sallyport_log_seal')).toBe(0);
  });
});

describe('A process that is killed while it seals', () => {
  it('leaves every record in the database or in a file that is whole, wherever it was', async () => {
    const database: DataSourceOptions = {
      type: 'better-sqlite3',
      database: join(directory, `${newName()}.sqlite`),
    };
    const one = await startSealing(database);
    await one.calls(1500);
    const before = await ids(one);
    await one.close();
    const out = newFile();
    const environment = {
      DATABASE: JSON.stringify(database),
      KEY: LOG_KEY.signerKey,
      STATE: stateOf(database).file,
      OUT: out,
    };
    let killed = 0;
    for (let round = 0; round < 6; round += 1) {
      const process = SourceProcess.main('sealing.main.ts', environment);
      await eventually(
        () => Promise.resolve(process),
        ({ out: said, code }) => said.includes('begins') || code !== null,
      );
      await sleep(round * 100);
      process.kill('SIGKILL');
      killed += (await process.ended()) === null ? 1 : 0;
      const two = await startSealing(database);
      const left = new Set(await ids(two));
      const exported = new Set(existsSync(out) ? idsIn(out) : []);
      expect(before.filter((id) => !left.has(id) && !exported.has(id))).toEqual([]);
      const isSealed = (await count(two, 'sallyport_log_seal')) === 1;
      expect(await two.log.verify(isSealed ? { sealedFiles: [out] } : {})).toMatchObject({ ok: true });
      await two.close();
    }
    expect(killed).toBeGreaterThan(0);
    const last = await start(database);
    await last.seal(out).catch(() => undefined);
    await last.calls(1);
    expect(idsIn(out)).toEqual(before);
    expect(await last.log.verify({ sealedFiles: [out] })).toMatchObject({ ok: true, sealed: 3000 });
  }, 180_000);
});

it('What is to be sealed is not deleted before its announcement is signed', async () => {
  const database: DataSourceOptions = {
    type: 'better-sqlite3',
    database: join(directory, `${newName()}.sqlite`),
  };
  const state = join(directory, `${newName()}.state`);
  const one = await startSealing(database, { state: { file: state } });
  await one.calls(5);
  await one.close();
  writeFileSync(state, 'nothing that was signed');
  const two = await start(database, { state: { file: state } });
  const before = await ids(two);
  await expect(two.seal(newFile())).rejects.toThrow(/not signed any more, so nothing was deleted/);
  expect(await ids(two)).toEqual([...before, expect.any(String)]);
});

describe('sallyport audit seal', () => {
  /** Nobody signs in here. */
  const ISSUER = { ISSUER: 'https://id.acme.example' };
  const database = () =>
    ({ type: 'better-sqlite3', database: join(directory, `${newName()}.sqlite`) }) as const;

  it('seals, and the other commands say so', async () => {
    const given = database();
    const one = await startSealing(given);
    const [call] = await one.calls(10);
    await one.close();
    const environment = {
      ...ISSUER,
      DATABASE: JSON.stringify(given),
      LOG_KEY: LOG_KEY.signerKey,
      LOG_STATE: stateOf(given).file,
    };
    const audit = (...words: string[]) => runCommand(['audit', ...words], environment);
    const out = newFile();

    const dry = await audit('seal', '--before', '0d', '--out', out, '--dry-run');
    expect(dry).toMatchObject({
      code: 0,
      out: expect.stringContaining('20 records would be sealed: 0 to 19'),
    });
    expect(existsSync(out)).toBe(false);
    const sealed = await audit('seal', '--before', '0d', '--out', out, '--json');
    expect(sealed.err).toBe('');
    expect(JSON.parse(sealed.out)).toMatchObject({ records: 20, range: { from: 0, to: 19 } });

    expect((await audit('verify')).out).toContain(
      '20 records were sealed and have left the database; they were not looked at, nor whether those that stay are there',
    );
    const verified = await audit('verify', '--sealed', out);
    expect(verified).toMatchObject({
      code: 0,
      out: expect.stringContaining('1 files with such were compared.'),
    });
    const id = call?.id ?? '';
    const shown = await audit('show', id);
    expect(shown).toMatchObject({
      code: 1,
      err: expect.stringContaining('the records 0 to 19, sealed at 2'),
    });
    const base = join(directory, newName());
    expect(await audit('prove', id, '--from', out, '--out', base)).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(`${base}.json`, 'utf8'))).toMatchObject({ id });
  }, 240_000);

  it('says what is wrong with what it is told, without a stack', async () => {
    const environment = { ...ISSUER, DATABASE: JSON.stringify(database()) };
    const audit = (...words: string[]) => runCommand(['audit', 'seal', ...words], environment);
    const unsigned = await audit('--before', '30d', '--out', newFile());
    expect(unsigned).toMatchObject({ code: 1, err: expect.stringContaining('not in a signed log') });
    expect(unsigned.err).not.toContain('    at ');
    expect((await audit('--before', 'yesterday', '--out', 'x')).err).toContain('Write how long ago');
    expect((await audit('--before', '2999-01-01', '--out', 'x')).err).toContain('in the future');
  }, 60_000);
});
