import { formatCheckpoint, generateNoteKey, noteSigner, signNote } from '@sallyport/tlog';

import { asOwner } from '../../../../test/support/audit-log.js';
import { eventually } from '../../../../test/support/eventually.js';
import { DIALECTS, testDatabases, type Dialect } from '../../../../test/support/test-databases.js';
import { LOG_NAME, newestRow, openLoggedTrail, type LoggedTrail } from './audit-log.fixture.js';
import { tileRoot } from './log-tiles.js';

const databases = testDatabases('put_in');

async function open(dialect: Dialect): Promise<LoggedTrail> {
  const logged = await openLoggedTrail(await databases.fresh(dialect));
  databases.closeAfterTest(logged.close);
  return logged;
}

/** With the right to add rows, which the server has, and no other. */
async function insert(
  { store: { dataSource } }: LoggedTrail,
  table: string,
  row: Record<string, unknown>,
): Promise<void> {
  const marks = Object.keys(row).map((_, at) =>
    dataSource.options.type === 'postgres' ? `$${at + 1}` : '?',
  );
  await dataSource.query(
    `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${marks.join(', ')})`,
    Object.values(row),
  );
}

async function refusal({ log }: LoggedTrail) {
  const status = await eventually(
    async () => log.status,
    (now) => now?.refusal !== undefined,
  );
  return status?.refusal;
}

const codesOf = async ({ log }: LoggedTrail) => (await log.verify()).findings.map(({ code }) => code);

describe.each(DIALECTS)('what somebody puts into the log with INSERT alone, on %s', (dialect) => {
  it.each([
    ['nonsense', Buffer.alloc(32, 7), Buffer.alloc(8192, 9)],
    ['the root of other leaves', undefined, Buffer.alloc(8192, 9)],
  ])('is never signed: a tile that is there before its leaves, with %s', async (_, root, hashes) => {
    const logged = await open(dialect);
    await logged.record(10);
    await logged.signed(10);
    await insert(logged, 'sallyport_log_tile', {
      level: 0,
      idx: 0,
      root: Buffer.from(root ?? tileRoot(hashes)),
      hashes,
    });
    expect((await logged.log.verify()).findings).toMatchObject([
      {
        code: 'tile_changed',
        index: 0,
        count: 1,
        message: expect.stringContaining('Tile 0 of level 0 was put in'),
      },
    ]);
    expect(await logged.log.warnings()).toEqual([
      expect.stringMatching(/cannot be continued beyond tile 0 of level 0, .*was put in.*remove it/),
    ]);
    await logged.record(300);
    const { code, message } = (await refusal(logged)) ?? {};
    expect(code).toBe('log_put_in');
    expect(message).toMatch(/^Tile 0 of level 0 .*a role that may add rows has put it in/);
    expect((await newestRow(logged.rows))?.size).toBeLessThan(256);
    // Neither the records nor the leaves are accused.
    expect(await codesOf(logged)).toEqual(['tile_changed']);
    await asOwner(logged.store.dataSource.options, (owner) => owner.query('DELETE FROM sallyport_log_tile'));
    await logged.signed(310);
    expect(await logged.log.verify()).toMatchObject({ ok: true, leaves: 310 });
  });

  it('is passed over: a checkpoint that nobody signed, whatever size its row says', async () => {
    const logged = await open(dialect);
    await logged.record(3);
    await logged.signed(3);
    const { note = '' } = (await newestRow(logged.rows)) ?? {};
    await insert(logged, 'sallyport_log_checkpoint', { size: 1_000_000, at: 1, note: 'x' });
    await insert(logged, 'sallyport_log_checkpoint', { size: 2_000_000, at: 1, note });
    await logged.record(3);
    await eventually(
      () => logged.log.verify(),
      ({ leaves, unsigned }) => leaves === 6 && unsigned === 0,
    );
    expect(logged.log.status).toMatchObject({ refusal: undefined, failure: undefined });
    expect((await logged.log.verify()).findings).toEqual([
      {
        code: 'checkpoint_signature',
        message:
          'The checkpoint in a row for 1000000 records was put in: no known key of this log has signed it for that size.',
        index: 999_999,
        count: 2,
      },
    ]);
    const [record] = await logged.store.dataSource.query<{ id: string }[]>(
      'SELECT id FROM sallyport_audit LIMIT 1',
    );
    expect(await logged.log.prove(record?.id ?? '')).toMatchObject({ size: 6 });
  });

  it('stops the signing, and says what to do: a checkpoint of this log by another key', async () => {
    const logged = await open(dialect);
    await logged.record(3);
    await logged.signed(3);
    const stranger = noteSigner(generateNoteKey(LOG_NAME).signerKey);
    const text = formatCheckpoint({ origin: LOG_NAME, size: 500, root: Buffer.alloc(32, 1) });
    await insert(logged, 'sallyport_log_checkpoint', { size: 500, at: 1, note: signNote(text, [stranger]) });
    await logged.record(1);
    expect(await refusal(logged)).toMatchObject({
      code: 'log_memory',
      message: expect.stringMatching(
        /no known key signed\. .*audit\.log\.verifiers\. Otherwise somebody .*remove it/,
      ),
    });
    expect(await codesOf(logged)).toEqual(['checkpoint_signature']);
  });

  it('does not stop the signing: a leaf far ahead, which is named', async () => {
    const logged = await open(dialect);
    await logged.record(3);
    await logged.signed(3);
    await insert(logged, 'sallyport_log_leaf', {
      idx: 1_000_000,
      seq: 1_000_000_000,
      hash: Buffer.alloc(32),
    });
    await logged.record(3);
    await logged.signed(6);
    expect((await logged.log.verify()).findings).toMatchObject([
      {
        code: 'record_inserted',
        index: 1_000_000,
        seq: 1_000_000_000,
        count: 1,
        message: expect.stringContaining('was put in: there is none before it'),
      },
    ]);
    expect(await logged.log.warnings()).toEqual([
      expect.stringMatching(/cannot be continued beyond index 1000000: .*was put in.*remove it/),
    ]);
  });

  it('stops the log, and says what to do: a leaf a few places ahead', async () => {
    const logged = await open(dialect);
    await logged.record(3);
    await logged.signed(3);
    await insert(logged, 'sallyport_log_leaf', { idx: 5, seq: 1_000_000_000, hash: Buffer.alloc(32) });
    await logged.record(4);
    expect(await refusal(logged)).toMatchObject({
      code: 'log_put_in',
      message: expect.stringMatching(/cannot be continued: the leaf at index 5.*remove it/),
    });
    expect(await codesOf(logged)).toEqual(['record_inserted']);
    await asOwner(logged.store.dataSource.options, (owner) =>
      owner.query('DELETE FROM sallyport_log_leaf WHERE idx = 5'),
    );
    await logged.signed(7);
    expect(await logged.log.verify()).toMatchObject({ ok: true, leaves: 7 });
  });

  it('is never signed: a leaf in the next place that is of no record', async () => {
    const logged = await open(dialect);
    await logged.record(3);
    await logged.signed(3);
    // The number of the record that comes next.
    const next = (await logged.rows.lastRecord()) + 1;
    await insert(logged, 'sallyport_log_leaf', { idx: 3, seq: next, hash: Buffer.alloc(32) });
    await logged.record(1);
    expect(await refusal(logged)).toMatchObject({
      code: 'log_put_in',
      message: expect.stringContaining('the leaf at index 3 is not the one of its record'),
    });
    expect(await codesOf(logged)).toEqual(['record_inserted']);
    expect(await logged.log.warnings()).toEqual([
      expect.stringMatching(
        /cannot be continued: the leaf at index 3 is not the one of its record.*remove it/,
      ),
    ]);
    expect((await newestRow(logged.rows))?.size).toBe(3);
  });
});

it('SQLite refuses INSERT OR REPLACE over a row of the log', async () => {
  const logged = await open('better-sqlite3');
  await logged.record(300);
  await logged.signed(300);
  await logged.close();
  const { dataSource } = await openLoggedTrail(logged.store.dataSource.options).then((again) => {
    databases.closeAfterTest(again.close);
    return again.store;
  });
  await dataSource.query(
    `INSERT INTO sallyport_log_seal (from_idx, to_idx, sha256, file, at) VALUES (0, 0, 'x', 'x', 1)`,
  );
  for (const [table, columns] of [
    ['leaf', `idx, seq + 1000, x'00'`],
    ['leaf', `idx + 1000, seq, x'00'`],
    ['tile', `level, idx, x'00', x'00'`],
    ['checkpoint', `size, at, 'x'`],
    ['seal', `from_idx, 1, 'x', 'x', 1`],
  ])
    await expect(
      dataSource.query(
        `INSERT OR REPLACE INTO sallyport_log_${table} SELECT ${columns} FROM sallyport_log_${table}`,
      ),
    ).rejects.toThrow(/rows are only ever added/);
});
