import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogReport } from '@sallyport/audit';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { attempt } from './support/audit-events.js';
import { asOwner, startLog } from './support/audit-log.js';
import { startPostgres, type RunningPostgres } from './support/postgres.js';

const DIALECTS = ['better-sqlite3', 'postgres'] as const;
type Dialect = (typeof DIALECTS)[number];
type Finding = LogReport['findings'][number];

const SIZE = 8;

let postgres: RunningPostgres;
let directory: string;
let copies = 0;
const originals = new Map<Dialect, { database: DataSourceOptions; state: string }>();

beforeAll(async () => {
  postgres = await startPostgres();
  directory = mkdtempSync(join(tmpdir(), 'sallyport-hidden-'));
  for (const dialect of DIALECTS) originals.set(dialect, await makeOriginal(dialect));
}, 120_000);

afterAll(() => postgres.stop());

async function makeOriginal(dialect: Dialect) {
  const database: DataSourceOptions =
    dialect === 'postgres'
      ? await postgres.createDatabase('hidden')
      : { type: dialect, database: join(directory, 'original.sqlite') };
  const file = join(directory, `${dialect}.state`);
  const log = await startLog(database, { state: { file } });
  await log.grow(SIZE);
  await log.close();
  return { database, state: readFileSync(file, 'utf8') };
}

async function copyOf(dialect: Dialect, database: DataSourceOptions): Promise<DataSourceOptions> {
  copies += 1;
  if (dialect === 'better-sqlite3') {
    const file = join(directory, `copy-${copies}.sqlite`);
    cpSync(String(database.database), file);
    return { type: dialect, database: file };
  }
  const administrator = await new DataSource(postgres.options).initialize();
  await administrator.query(`CREATE DATABASE hidden_${copies} TEMPLATE "${String(database.database)}"`);
  await administrator.destroy();
  return { ...postgres.options, database: `hidden_${copies}` };
}

/** What `verify` finds after the owner of the database has run these. */
async function findingsAfter(
  dialect: Dialect,
  ...statements: readonly string[]
): Promise<readonly Finding[]> {
  const original = originals.get(dialect)!;
  const database = await copyOf(dialect, original.database);
  await asOwner(database, async (owner) => {
    for (const statement of statements) await owner.query(statement);
  });
  const file = join(directory, `state-${copies}`);
  writeFileSync(file, original.state);
  const log = await startLog(database, { state: { file } });
  try {
    return (await log.log.verify()).findings;
  } finally {
    await log.close();
  }
}

/** A record that was made up: it looks like the first one, and nobody ever called. */
function forged(seq: string): string {
  const columns = 'id, at, kind, via, server, resource, entry, decision';
  const id = attempt().id;
  return `INSERT INTO sallyport_audit (seq, ${columns})
    SELECT ${seq}, '${id}', at - 3600000, kind, via, server, resource, entry, decision
    FROM sallyport_audit WHERE seq = (SELECT seq FROM sallyport_log_leaf WHERE idx = 0)`;
}

/** 32 bytes, as both databases write them. */
const BYTES = { 'better-sqlite3': 'zeroblob(32)', postgres: `decode(repeat('00', 32), 'hex')` } as const;
const seqAt = (index: number) => `(SELECT seq FROM sallyport_log_leaf WHERE idx = ${index})`;

describe.each(DIALECTS)('verify on %s', (dialect) => {
  it('finds nothing where nothing was done', async () => {
    expect(await findingsAfter(dialect)).toEqual([]);
  });

  it.each(['0', '-5'])('finds a record that was put in with the number %s', async (seq) => {
    const [first] = await findingsAfter(dialect, forged(seq));
    expect(first).toMatchObject({ code: 'record_inserted', seq: Number(seq), count: 1 });
  });

  it('finds a record whose leaf stands before the first', async () => {
    const findings = await findingsAfter(
      dialect,
      forged('1000'),
      `INSERT INTO sallyport_log_leaf (idx, seq, hash) VALUES (-1, 1000, ${BYTES[dialect]})`,
    );
    expect(findings[0]).toMatchObject({ code: 'record_inserted', index: -1, seq: 1000 });
  });

  it('finds a record that was given a number at which nobody looks, with its leaf', async () => {
    const [first] = await findingsAfter(
      dialect,
      `UPDATE sallyport_audit SET seq = -3 WHERE seq = ${seqAt(3)}`,
      `UPDATE sallyport_log_leaf SET seq = -3 WHERE idx = 3`,
    );
    expect(first).toMatchObject({ code: 'record_inserted', seq: -3, count: 1 });
  });

  it('ends, whatever numbers there are', async () => {
    const findings = await findingsAfter(
      dialect,
      forged('9007199254740000'),
      `INSERT INTO sallyport_log_leaf (idx, seq, hash) VALUES (9007199254740000, 77, ${BYTES[dialect]})`,
    );
    expect(findings).toMatchObject([
      { code: 'record_inserted', index: 9007199254740000, seq: 77, count: 1 },
      { code: 'record_unlogged', seq: 9007199254740000 },
    ]);
  }, 20_000);
});

describe('verify on SQLite, where a column takes any type', () => {
  it.each([
    ['id', 'CAST(id AS blob)'],
    ['at', 'CAST(CAST(at AS text) AS blob)'],
    ['at', `printf('0x%x', at)`],
    ['entry', 'CAST(entry AS blob)'],
  ])('finds a record whose %s has the same content in another type (%s)', async (column, value) => {
    const [first] = await findingsAfter(
      'better-sqlite3',
      `UPDATE sallyport_audit SET ${column} = ${value} WHERE seq = ${seqAt(2)}`,
    );
    expect(first).toMatchObject({ code: 'record_changed', index: 2, count: 1 });
  });
});
