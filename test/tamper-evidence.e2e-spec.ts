import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditRecord, AuditStore, leafOf, type LogReport } from '@sallyport/audit';
import {
  formatCheckpoint,
  generateNoteKey,
  leafHash,
  nodeHash,
  noteSigner,
  signNote,
  type Hash,
} from '@sallyport/tlog';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { attempt } from './support/audit-events.js';
import { asOwner, LOG_KEY, startLog, type RunningLog } from './support/audit-log.js';
import { eventually } from './support/eventually.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';

const DIALECTS = ['better-sqlite3', 'postgres'] as const;
type Dialect = (typeof DIALECTS)[number];

/** Sizes at which the untouched log was signed: one full tile lies below the first. */
const SIGNED = [300, 340, 343] as const;
const SIZE = 343;

interface Original {
  readonly database: DataSourceOptions;
  /** The signer's state after each signing. */
  readonly states: readonly string[];
  /** Copies of the database at each signing. */
  readonly yesterday: DataSourceOptions;
}

let postgres: RunningPostgres;
let directory: string;
let copies = 0;
const originals = new Map<Dialect, Original>();
const running: RunningLog[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  directory = mkdtempSync(join(tmpdir(), 'sallyport-tamper-'));
  for (const dialect of DIALECTS) originals.set(dialect, await makeOriginal(dialect));
}, 120_000);

afterEach(async () => {
  for (const log of running.splice(0)) await log.close();
});

afterAll(() => postgres.stop());

async function makeOriginal(dialect: Dialect): Promise<Original> {
  const database: DataSourceOptions =
    dialect === 'postgres'
      ? await postgres.createDatabase('original')
      : { type: dialect, database: join(directory, 'original.sqlite') };
  const state = join(directory, `${dialect}.state`);
  const states: string[] = [];
  let yesterday: DataSourceOptions = database;
  let size = 0;
  for (const next of SIGNED) {
    const log = await startLog(database, { state: { file: state } });
    await log.grow(next - size);
    await log.close();
    states.push(readFileSync(state, 'utf8'));
    if (next === SIGNED[0]) yesterday = await copyOf(dialect, database);
    size = next;
  }
  return { database, states, yesterday };
}

/** The same database again, to do with it what is not done. */
async function copyOf(dialect: Dialect, database: DataSourceOptions): Promise<DataSourceOptions> {
  copies += 1;
  if (dialect === 'better-sqlite3') {
    const file = join(directory, `copy-${copies}.sqlite`);
    cpSync(String(database.database), file);
    return { type: dialect, database: file };
  }
  const administrator = await new DataSource(postgres.options).initialize();
  await administrator.query(`CREATE DATABASE copy_${copies} TEMPLATE "${String(database.database)}"`);
  await administrator.destroy();
  return { ...postgres.options, database: `copy_${copies}` };
}

function stateFile(note: string): string {
  copies += 1;
  const file = join(directory, `state-${copies}`);
  writeFileSync(file, note);
  return file;
}

/** What `verify` says after the owner of the database has done this; with the signer's last state. */
async function verifyAfter(
  dialect: Dialect,
  ...statements: readonly (string | ((owner: DataSource) => Promise<void>))[]
): Promise<LogReport & { first: LogReport['findings'][number] | undefined; codes: string[] }> {
  const original = originals.get(dialect)!;
  const database = await copyOf(dialect, original.database);
  await asOwner(database, async (owner) => {
    for (const statement of statements)
      await (typeof statement === 'string' ? owner.query(statement) : statement(owner));
  });
  const log = await startLog(database, { state: { file: stateFile(original.states.at(-1)!) } });
  running.push(log);
  const report = await log.log.verify();
  return { ...report, first: report.findings[0], codes: report.findings.map(({ code }) => code) };
}

/** `seq` of the record that a leaf stands for. */
const seqAt = (index: number) => `(SELECT seq FROM sallyport_log_leaf WHERE idx = ${index})`;
/** Two rows change one column, by way of a value that nobody has. */
const swap = (table: string, column: string, a: string, b: string) => [
  `UPDATE ${table} SET ${column} = -1 WHERE ${column} = ${a}`,
  `UPDATE ${table} SET ${column} = ${a} WHERE ${column} = ${b}`,
  `UPDATE ${table} SET ${column} = ${b} WHERE ${column} = -1`,
];
/** Makes room at an index, or closes a gap, without two leaves ever having one place. */
const shift = (from: number, by: number) => [
  `UPDATE sallyport_log_leaf SET idx = -idx WHERE idx >= ${from}`,
  `UPDATE sallyport_log_leaf SET idx = -idx + ${by} WHERE idx < 0`,
];

async function recordAt(owner: DataSource, index: number): Promise<Record<string, unknown>> {
  const [row] = await owner.query<Record<string, unknown>[]>(
    `SELECT * FROM sallyport_audit WHERE seq = ${seqAt(index)}`,
  );
  return row!;
}

/** A copy of a record under another id, with these columns replaced; answers its `seq`. */
async function forge(owner: DataSource, index: number, changes: Record<string, unknown>): Promise<number> {
  const { seq: _seq, ...row } = await recordAt(owner, index);
  const forged = { ...row, id: attempt().id, ...changes };
  const names = Object.keys(forged);
  const place = (_: string, at: number) => (owner.options.type === 'postgres' ? `$${at + 1}` : '?');
  await owner.query(
    `INSERT INTO sallyport_audit (${names.map((name) => `"${name}"`).join(', ')}) VALUES (${names.map(place).join(', ')})`,
    Object.values(forged),
  );
  const [added] = await owner.query<{ seq: string }[]>('SELECT max(seq) AS seq FROM sallyport_audit');
  return Number(added!.seq);
}

/** What an honest leaf of the record would be. */
async function honestLeaf(database: DataSourceOptions, seq: number): Promise<Hash> {
  const store = await AuditStore.open(database, { migrations: 'check', timeoutMs: 5000 });
  const record = await store.dataSource.getRepository(AuditRecord).findOneByOrFail({ seq });
  await store.close();
  return leafHash(Buffer.from(leafOf(record)));
}

async function setBytes(owner: DataSource, statement: string, ...values: unknown[]): Promise<void> {
  let at = 0;
  const text =
    owner.options.type === 'postgres' ? statement.replaceAll('?', () => `$${(at += 1)}`) : statement;
  await owner.query(text, values);
}

function rootOfTile(hashes: Buffer): Hash {
  let row: Hash[] = Array.from({ length: hashes.length / 32 }, (_, at) =>
    hashes.subarray(at * 32, at * 32 + 32),
  );
  while (row.length > 1)
    row = row.flatMap((left, at) => (at % 2 === 0 ? [nodeHash(left, row[at + 1]!)] : []));
  return row[0]!;
}

describe.each(DIALECTS)('a log on %s', (dialect) => {
  it('is intact when nobody touched it', async () => {
    const report = await verifyAfter(dialect);
    expect(report).toMatchObject({ ok: true, findings: [], leaves: SIZE, pending: 0, unsigned: 0 });
    expect(report.checkpoints).toBeGreaterThanOrEqual(SIGNED.length);
  });

  it.each([
    ['entry', `'crm_delete_record'`],
    ['decision', `'hold'`],
    ['at', `at + 1`],
    ['client', `client || 'x'`],
    ['checks', `replace(checks, 'true', 'false')`],
    ['arguments_digest', `'0'`],
    ['policy_version', 'NULL'],
    ['duration_ms', '1'],
    ['id', `'another'`],
  ])('names the record whose %s was changed', async (column, value) => {
    const { first, ok } = await verifyAfter(
      dialect,
      `UPDATE sallyport_audit SET ${column} = ${value} WHERE seq = ${seqAt(7)}`,
    );
    expect(ok).toBe(false);
    expect(first).toMatchObject({ code: 'record_changed', index: 7, count: 1, id: expect.any(String) });
    expect(first?.seq).toBeGreaterThan(0);
  });

  it('names the first of two records whose tenants were swapped', async () => {
    const { first } = await verifyAfter(
      dialect,
      `UPDATE sallyport_audit SET tenant = 'globex' WHERE seq = ${seqAt(20)}`,
      `UPDATE sallyport_audit SET tenant = 'initech' WHERE seq = ${seqAt(30)}`,
    );
    expect(first).toMatchObject({ code: 'record_changed', index: 20, count: 2 });
  });

  it('names the record that was removed', async () => {
    const { first } = await verifyAfter(dialect, `DELETE FROM sallyport_audit WHERE seq = ${seqAt(11)}`);
    expect(first).toMatchObject({ code: 'record_removed', index: 11 });
  });

  it('names the place of a record that was removed with its leaf', async () => {
    const { first } = await verifyAfter(
      dialect,
      `DELETE FROM sallyport_audit WHERE seq = ${seqAt(11)}`,
      `DELETE FROM sallyport_log_leaf WHERE idx = 11`,
    );
    expect(first).toMatchObject({ code: 'log_truncated', index: 11 });
  });

  it('names the place of a record that was removed with its leaf when the others move up', async () => {
    const { first, codes } = await verifyAfter(
      dialect,
      `DELETE FROM sallyport_audit WHERE seq = ${seqAt(11)}`,
      `DELETE FROM sallyport_log_leaf WHERE idx = 11`,
      ...shift(12, -1),
    );
    expect(first).toMatchObject({ code: 'record_removed', index: 11 });
    expect(codes).toContain('log_truncated');
  });

  it.each([
    ['in a full tile', 10, 20],
    ['after the last full tile', 341, 342],
  ])('names the first of two leaves that were swapped %s', async (_, a, b) => {
    const { first } = await verifyAfter(dialect, ...swap('sallyport_log_leaf', 'idx', String(a), String(b)));
    expect(first).toMatchObject({ code: 'record_reordered', index: a });
  });

  it('names the first of two records that changed places', async () => {
    const { first } = await verifyAfter(dialect, async (owner) => {
      const [a, b] = [await recordAt(owner, 10), await recordAt(owner, 20)];
      for (const statement of swap('sallyport_audit', 'seq', String(a['seq']), String(b['seq'])))
        await owner.query(statement);
    });
    expect(first).toMatchObject({ code: 'record_reordered', index: 10 });
  });

  it('names a record that was inserted without a leaf', async () => {
    let seq = 0;
    const { first } = await verifyAfter(dialect, async (owner) => {
      const { at } = await recordAt(owner, 5);
      seq = await forge(owner, 5, { at: Number(at) - 3_600_000 });
    });
    expect(first).toMatchObject({ code: 'record_unlogged', seq, count: 1 });
  });

  it('names a record that was inserted with a leaf, dated before the log was signed without it', async () => {
    const original = originals.get(dialect)!;
    const database = await copyOf(dialect, original.database);
    const seq = await asOwner(database, async (owner) => {
      const { at } = await recordAt(owner, 5);
      return forge(owner, 5, { at: Number(at) - 3_600_000 });
    });
    const hash = await honestLeaf(database, seq);
    await asOwner(database, (owner) =>
      setBytes(
        owner,
        `INSERT INTO sallyport_log_leaf (idx, seq, hash) VALUES (?, ?, ?)`,
        SIZE,
        seq,
        Buffer.from(hash),
      ),
    );
    const log = await startLog(database);
    running.push(log);
    const { findings } = await log.log.verify();
    expect(findings[0]).toMatchObject({ code: 'record_inserted', index: SIZE, seq });
  });

  it('names a record that was dated back and signed, though the checkpoints of before were removed', async () => {
    const original = originals.get(dialect)!;
    const database = await copyOf(dialect, original.database);
    const seq = await asOwner(database, async (owner) => {
      const { at } = await recordAt(owner, 5);
      await owner.query('DELETE FROM sallyport_log_checkpoint');
      return forge(owner, 5, { at: Number(at) - 11 * 60_000 });
    });
    const log = await startLog(database, { state: { file: stateFile(original.states.at(-1)!) } });
    running.push(log);
    await log.record(attempt());
    await eventually(
      () => log.log.verify(),
      ({ leaves, unsigned }) => leaves === SIZE + 2 && unsigned === 0,
    );
    expect(await log.log.verify()).toMatchObject({
      ok: false,
      checkpoints: 1,
      findings: [
        {
          code: 'record_inserted',
          index: SIZE,
          seq,
          count: 1,
          message: expect.stringContaining('stands behind records of'),
        },
      ],
    });
  });

  it('says that a checkpoint was removed which is held elsewhere', async () => {
    const original = originals.get(dialect)!;
    const database = await copyOf(dialect, original.database);
    await asOwner(database, (owner) =>
      owner.query(`DELETE FROM sallyport_log_checkpoint WHERE size = ${SIGNED[1]}`),
    );
    const log = await startLog(database, { state: { file: stateFile(original.states.at(-1)!) } });
    running.push(log);
    const given = SIGNED.map((size, index) => ({ from: `file ${size}`, note: original.states[index]! }));
    expect(await log.log.verify({ witnesses: given })).toMatchObject({
      ok: false,
      findings: [{ code: 'checkpoint_removed', index: SIGNED[1] - 1, count: 1 }],
      comparedWith: [expect.stringContaining("the signer's state"), ...given.map(({ from }) => from)],
    });
  });

  it.each([
    ['in a full tile', 100],
    ['after the last full tile', 341],
  ])('names a record that was inserted with a leaf between others %s', async (_, index) => {
    const original = originals.get(dialect)!;
    const database = await copyOf(dialect, original.database);
    const seq = await asOwner(database, (owner) => forge(owner, index, {}));
    const hash = await honestLeaf(database, seq);
    await asOwner(database, async (owner) => {
      for (const statement of shift(index, 1)) await owner.query(statement);
      await setBytes(
        owner,
        `INSERT INTO sallyport_log_leaf (idx, seq, hash) VALUES (?, ?, ?)`,
        index,
        seq,
        Buffer.from(hash),
      );
    });
    const log = await startLog(database);
    running.push(log);
    const { findings } = await log.log.verify();
    expect(findings[0]).toMatchObject({ code: 'record_inserted', index, seq });
  });

  it('says that the end was cut off, from the checkpoints and from what the signer remembers', async () => {
    const cut = [
      `DELETE FROM sallyport_audit WHERE seq IN (SELECT seq FROM sallyport_log_leaf WHERE idx >= 340)`,
      `DELETE FROM sallyport_log_leaf WHERE idx >= 340`,
    ];
    const rows = await verifyAfter(dialect, ...cut);
    expect(rows.first).toMatchObject({ code: 'log_truncated', index: 340, count: 2 });
    const everything = await verifyAfter(
      dialect,
      ...cut,
      `DELETE FROM sallyport_log_checkpoint WHERE size > 340`,
    );
    expect(everything.first).toMatchObject({ code: 'log_truncated', index: 340, count: 1 });
    expect(everything.first?.message).toContain("the signer's state");
  });

  it('names a leaf that was changed, and one whose tile was', async () => {
    const leaf = await verifyAfter(dialect, (owner) =>
      setBytes(owner, 'UPDATE sallyport_log_leaf SET hash = ? WHERE idx = 9', Buffer.alloc(32, 1)),
    );
    expect(leaf.first).toMatchObject({ code: 'leaf_changed', index: 9 });
    const hashes = await verifyAfter(dialect, (owner) =>
      setBytes(owner, 'UPDATE sallyport_log_tile SET hashes = ? WHERE level = 0', Buffer.alloc(8192, 1)),
    );
    expect(hashes.codes).toEqual(['tile_changed']);
    const tile = await verifyAfter(dialect, (owner) =>
      setBytes(owner, 'UPDATE sallyport_log_tile SET root = ? WHERE level = 0', Buffer.alloc(32, 1)),
    );
    expect(tile.first).toMatchObject({ code: 'tile_changed', index: 0 });
  });

  it.each([
    ['in a full tile', 7, 0],
    ['after the last full tile', 341, 340],
  ])(
    'shows a record that was rewritten with its leaf and tile %s, by the signature',
    async (_, index, from) => {
      const original = originals.get(dialect)!;
      const database = await copyOf(dialect, original.database);
      const seq = await asOwner(database, async (owner) => {
        const row = await recordAt(owner, index);
        await owner.query(
          `UPDATE sallyport_audit SET entry = 'docs_search' WHERE seq = ${String(row['seq'])}`,
        );
        return Number(row['seq']);
      });
      const hash = Buffer.from(await honestLeaf(database, seq));
      await asOwner(database, async (owner) => {
        await setBytes(owner, 'UPDATE sallyport_log_leaf SET hash = ? WHERE idx = ?', hash, index);
        const leaves = await owner.query<{ hash: Buffer }[]>(
          'SELECT hash FROM sallyport_log_leaf ORDER BY idx LIMIT 256',
        );
        const hashes = Buffer.concat(leaves.map((leaf) => leaf.hash));
        await setBytes(
          owner,
          'UPDATE sallyport_log_tile SET hashes = ?, root = ?',
          hashes,
          Buffer.from(rootOfTile(hashes)),
        );
      });
      const log = await startLog(database, { state: { file: stateFile(original.states.at(-1)!) } });
      running.push(log);
      const { findings } = await log.log.verify();
      expect(findings.map(({ code }) => code)).toEqual(['log_forked']);
      expect(findings[0]).toMatchObject({
        index: from,
        message: expect.stringContaining('both were rewritten'),
      });
      await log.record(attempt());
      const status = await eventually(
        async () => log.log.status,
        (now) => now?.refusal !== undefined,
      );
      expect(status?.refusal?.code).toBe('log_forked');
    },
  );

  it('exposes a database that was restored from yesterday, and does not sign it, however much it grows', async () => {
    const { yesterday, states } = originals.get(dialect)!;
    const database = await copyOf(dialect, yesterday);
    const state = stateFile(states.at(-1)!);
    const log = await startLog(database, { state: { file: state } });
    running.push(log);
    expect((await log.log.verify()).findings).toEqual([
      expect.objectContaining({
        code: 'log_truncated',
        index: 300,
        message: expect.stringMatching(/300 .* 343/),
      }),
    ]);
    await log.record(attempt());
    const refused = await eventually(
      async () => log.log.status,
      (now) => now?.refusal !== undefined,
    );
    expect(refused?.refusal).toMatchObject({
      code: 'log_went_backwards',
      message: expect.stringMatching(/301 .* 343/),
    });
    await log.record(...Array.from({ length: 50 }, () => attempt()));
    await log.close();
    running.splice(0);

    const again = await startLog(database, { state: { file: state } });
    running.push(again);
    await again.record(attempt());
    const still = await eventually(
      async () => again.log.status,
      (now) => now?.refusal !== undefined,
    );
    expect(still?.refusal?.code).toBe('log_forked');
    const sizes = await asOwner(database, (owner) =>
      owner.query<{ size: string }[]>('SELECT max(size) AS size FROM sallyport_log_checkpoint'),
    );
    expect(Number(sizes[0]!.size)).toBe(300);
    expect(readFileSync(state, 'utf8')).toBe(states.at(-1)!);
    expect((await again.log.verify()).ok).toBe(false);
  });

  it('says that checkpoints were signed by another key, and signs nothing on top of them', async () => {
    const stranger = noteSigner(generateNoteKey('audit.test/log').signerKey);
    const original = originals.get(dialect)!;
    const database = await copyOf(dialect, original.database);
    const root = Buffer.from((await rootNow(database)) ?? '', 'hex');
    const note = signNote(formatCheckpoint({ origin: 'audit.test/log', size: SIZE, root }), [stranger]);
    await asOwner(database, async (owner) => {
      await owner.query('DELETE FROM sallyport_log_checkpoint');
      await setBytes(
        owner,
        'INSERT INTO sallyport_log_checkpoint (size, at, note) VALUES (?, ?, ?)',
        SIZE,
        1,
        note,
      );
    });
    const log = await startLog(database);
    running.push(log);
    const { findings } = await log.log.verify();
    expect(findings.map(({ code }) => code)).toContain('checkpoint_signature');
    await log.record(attempt());
    const status = await eventually(
      async () => log.log.status,
      (now) => now?.refusal !== undefined,
    );
    expect(status?.refusal?.code).toBe('log_memory');
  });

  it('records that its key was replaced, and goes on with the old one as a verifier', async () => {
    const original = originals.get(dialect)!;
    const database = await copyOf(dialect, original.database);
    const next = generateNoteKey('audit.test/log');
    const state = { file: stateFile(original.states.at(-1)!) };
    const log = await startLog(database, { key: next.signerKey, verifiers: [LOG_KEY.verifierKey], state });
    running.push(log);
    await log.grow(1);
    expect(await log.log.verify()).toMatchObject({ ok: true, leaves: SIZE + 2 });
    const rotations = await asOwner(database, (owner) =>
      owner.query<{ target: string }[]>(
        `SELECT target FROM sallyport_audit WHERE action = 'audit.key_rotated'`,
      ),
    );
    expect(rotations).toEqual([{ target: next.verifierKey }]);
  });
});

async function rootNow(database: DataSourceOptions): Promise<string | undefined> {
  const log = await startLog(database);
  const { root } = await log.log.verify();
  await log.close();
  return root;
}
