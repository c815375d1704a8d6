import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { generateNoteKey } from '@sallyport/tlog';
import type { DataSourceOptions } from 'typeorm';

import { administration, attempt } from '../../../../test/support/audit-events.js';
import { asOwner } from '../../../../test/support/audit-log.js';
import { eventually } from '../../../../test/support/eventually.js';
import { DIALECTS, testDatabases } from '../../../../test/support/test-databases.js';
import { AuditStore } from '../audit.store.js';
import { TypeOrmAuditTrail } from '../audit.trail.js';
import {
  KEY,
  LOG_NAME,
  newDirectory,
  newestRow,
  openLoggedTrail,
  type LoggedTrail,
} from './audit-log.fixture.js';
import { checkProof } from './check-proof.js';
import { LogKeys } from './log-keys.js';

const databases = testDatabases('audit_log');

async function open(...given: Parameters<typeof openLoggedTrail>): Promise<LoggedTrail> {
  const logged = await openLoggedTrail(...given);
  databases.closeAfterTest(logged.close);
  return logged;
}

/** Records without a log: what a server leaves that was killed before a pass. */
async function recordUnlogged(database: DataSourceOptions, count: number): Promise<string[]> {
  const store = await AuditStore.open(database, { migrations: 'run', timeoutMs: 5000 });
  const trail = new TypeOrmAuditTrail(store, { timeoutMs: 5000, maxQueued: 10_000 });
  const events = Array.from({ length: count }, () => attempt());
  await Promise.all(events.map((event) => trail.record(event)));
  await trail.onApplicationShutdown();
  return events.map(({ id }) => id);
}

const count = async ({ store }: LoggedTrail, table: string): Promise<number> => {
  const [row] = await store.dataSource.query<{ n: string }[]>(`SELECT count(*) AS n FROM ${table}`);
  return Number(row?.n);
};

describe.each(DIALECTS)('the log on %s', (type) => {
  it('gives every record a place, signs it without being asked, and verifies', async () => {
    const { record, signed, log, problems } = await open(await databases.fresh(type));
    await record(700);
    await signed(700);
    expect(await log.verify()).toMatchObject({
      ok: true,
      findings: [],
      leaves: 700,
      pending: 0,
      unsigned: 0,
    });
    expect(problems).toEqual([]);
  });

  it('begins with the first record of this process, and signs what is left when it is closed', async () => {
    const database = await databases.fresh(type);
    const first = await openLoggedTrail(database);
    expect(first.log.status?.role).toBe('waiting');
    await first.record(1);
    await first.close();
    const second = await open(database);
    expect(await newestRow(second.rows)).toMatchObject({ size: 1 });
    expect(second.log.status?.role).toBe('waiting');
  });

  it('takes in what was recorded before it, or without it', async () => {
    const database = await databases.fresh(type);
    await recordUnlogged(database, 300);
    const { record, signed, log } = await open(database);
    expect(await log.verify()).toMatchObject({ ok: true, leaves: 0, pending: 300 });
    await record(1);
    await signed(301);
    expect(await log.verify()).toMatchObject({ ok: true, leaves: 301, pending: 0 });
  });

  it('takes in a record whose number is lower than one that was sequenced', async () => {
    const logged = await open(await databases.fresh(type));
    await logged.record(5);
    await logged.signed(5);
    // As a statement that began earlier and was committed later: two rows change their numbers before they are seen.
    const { dataSource } = logged.store;
    await asOwner(dataSource.options, async (owner) => {
      const columns = Object.keys((await owner.query('SELECT * FROM sallyport_audit LIMIT 1'))[0]).filter(
        (name) => name !== 'seq' && name !== 'id',
      );
      const list = columns.map((name) => `"${name}"`).join(', ');
      for (const [seq, id] of [
        [100, 'later'],
        [50, 'earlier'],
      ]) {
        await owner.query(
          `INSERT INTO sallyport_audit (seq, id, ${list}) SELECT ${seq}, '${id}', ${list} FROM sallyport_audit WHERE seq = 1`,
        );
        if (id === 'later') await logged.signed(6);
      }
    });
    if (type === 'postgres') {
      await logged.signed(7);
      expect(await logged.log.verify()).toMatchObject({ ok: true, leaves: 7, pending: 0 });
    } else {
      // Numbers are in order of commit there: nobody who follows the rules makes such a row.
      await eventually(
        () => logged.log.verify(),
        ({ leaves }) => leaves === 7,
      );
    }
  });

  it('repairs what a crash between the leaves and their tiles left', async () => {
    const database = await databases.fresh(type);
    const first = await openLoggedTrail(database);
    await first.record(600);
    await first.signed(600);
    await first.close();
    await asOwner(database, (owner) => owner.query('DELETE FROM sallyport_log_tile WHERE idx > 0'));
    const second = await open(database);
    expect((await second.log.verify()).findings).toMatchObject([{ code: 'tile_changed', index: 256 }]);
    await second.record(1);
    await second.signed(601);
    expect(await second.log.verify()).toMatchObject({ ok: true, leaves: 601 });
    expect(await count(second, 'sallyport_log_tile')).toBe(2);
  });

  it('says that it is alive when nothing is recorded', async () => {
    const { record, signed, rows } = await open(await databases.fresh(type), { idleSeconds: 1 });
    await record(1);
    await signed(1);
    const first = await newestRow(rows);
    const next = await eventually(
      () => newestRow(rows),
      (newest) => newest?.note !== first?.note,
    );
    const keys = new LogKeys(LOG_NAME, [KEY.verifierKey]);
    expect(next?.size).toBe(1);
    expect(keys.open(next?.note ?? '').signedAt).toBeGreaterThan(keys.open(first?.note ?? '').signedAt ?? 0);
  });

  it('lets nobody change or delete what it wrote', async () => {
    const logged = await open(await databases.fresh(type));
    await logged.record(300);
    await logged.signed(300);
    for (const table of ['leaf', 'tile', 'checkpoint']) {
      const column = table === 'checkpoint' ? 'at' : 'idx';
      const change = `UPDATE sallyport_log_${table} SET ${column} = ${column} + 1`;
      await expect(logged.store.dataSource.query(change)).rejects.toThrow(/only ever added/);
      await expect(logged.store.dataSource.query(`DELETE FROM sallyport_log_${table}`)).rejects.toThrow();
    }
  });

  it('does not count records as removed that were sealed, when the log announces that seal', async () => {
    const database = await databases.fresh(type);
    const logged = await open(database);
    await logged.record(20);
    await logged.signed(20);
    await asOwner(database, async (owner) => {
      await owner.query(
        'DELETE FROM sallyport_audit WHERE seq IN (SELECT seq FROM sallyport_log_leaf WHERE idx < 10)',
      );
    });
    expect((await logged.log.verify()).findings).toMatchObject([
      { code: 'record_removed', index: 0, count: 10 },
    ]);
    await logged.store.dataSource.query(
      `INSERT INTO sallyport_log_seal (from_idx, to_idx, sha256, file, at) VALUES (0, 9, 'x', 'export.jsonl', 1)`,
    );
    expect(await logged.log.verify()).toMatchObject({
      findings: [{ code: 'seal_unannounced', index: 0 }],
      sealed: 10,
    });
    const details = { from: '0', to: '9', sha256: 'x', file: 'export.jsonl' };
    await logged.trail.record(administration({ action: 'audit.sealed', target: 'export.jsonl', details }));
    await logged.signed(21);
    expect(await logged.log.verify()).toMatchObject({ ok: true, leaves: 21, sealed: 10 });
  });

  it('proves a record to whoever has the verifier key', async () => {
    const database = await databases.fresh(type);
    const ids = await recordUnlogged(database, 300);
    const { record, signed, log } = await open(database);
    await record(1);
    await signed(301);
    for (const id of [ids[0] ?? '', ids[299] ?? '']) {
      const { leaf, proof, index, keys } = await log.prove(id);
      expect(JSON.parse(leaf)).toMatchObject({ id, kind: 'attempt' });
      expect(keys).toEqual([KEY.verifierKey]);
      expect(checkProof(Buffer.from(leaf), proof, KEY.verifierKey)).toMatchObject({
        index,
        size: 301,
        origin: LOG_NAME,
      });
      const forged = Buffer.from(leaf.replace('permit', 'refuse'));
      expect(() => checkProof(forged, proof, KEY.verifierKey)).toThrow(/does not hold/);
      const stranger = generateNoteKey(LOG_NAME).verifierKey;
      expect(() => checkProof(Buffer.from(leaf), proof, stranger)).toThrow(/does not hold/);
    }
    await expect(log.prove('nobody')).rejects.toThrow(/no record with the id/);
  });
});

describe.each(DIALECTS)('a process that only looks, on %s', (type) => {
  it('leaves the log to a server', async () => {
    const database = await databases.fresh(type);
    const server = await open(database);
    await server.record(1);
    await server.signed(1);
    const file = join(newDirectory(), 'state');
    const visitor = await openLoggedTrail(database, { state: { file } });
    visitor.log.standBack();
    await visitor.record(2);
    await visitor.close();
    await server.signed(3);
    // It has signed nothing: what it would have signed, it would have remembered.
    expect(existsSync(file)).toBe(false);
    expect(await server.log.verify()).toMatchObject({ ok: true, leaves: 3 });
  });

  it('continues the log at its end when there is no server', async () => {
    const database = await databases.fresh(type);
    const visitor = await openLoggedTrail(database);
    visitor.log.standBack();
    await visitor.record(2);
    await visitor.close();
    const { log } = await open(database);
    expect(await log.verify()).toMatchObject({ ok: true, leaves: 2, unsigned: 0, pending: 0 });
  });

  it('continues it after a while when it stays, and then lets go of the office', async () => {
    const database = await databases.fresh(type);
    const visitor = await open(database);
    visitor.log.standBack();
    await visitor.record(2);
    expect(visitor.log.status?.role).toBe('standby');
    await visitor.signed(2);
    await eventually(
      async () => visitor.log.status?.role,
      (role) => role === 'waiting',
    );
    const server = await open(database);
    await server.record(1);
    await server.signed(3);
    expect(server.log.status?.role).toBe('sequencing');
  });
});

it('a server that may not sign leaves the office to one that may', async () => {
  const database = await databases.fresh('postgres');
  const next = generateNoteKey(LOG_NAME);
  const known = { key: next.signerKey, verifiers: [KEY.verifierKey] };
  const first = await openLoggedTrail(database, known);
  await first.record(1);
  await first.close();
  const outdated = await open(database);
  await outdated.record(1);
  await eventually(
    async () => outdated.log.status,
    (status) => status?.refusal !== undefined,
  );
  const current = await open(database, known);
  await current.record(1);
  await current.signed(3);
  expect(await current.log.verify()).toMatchObject({ ok: true, leaves: 3 });
});

describe('a log that cannot be continued', () => {
  it('holds up no record when its state cannot be written, says so, and goes on when it can', async () => {
    const directory = newDirectory();
    // A directory in the place of the state.
    const file = join(directory, 'state');
    mkdirSync(file);
    const { record, rows, problems, log, signed } = await open(await databases.fresh('better-sqlite3'), {
      state: { file },
    });
    await record(3);
    await eventually(
      async () => problems,
      (said) => said.length > 0,
    );
    expect(await newestRow(rows)).toBeUndefined();
    expect(log.status?.failure).toContain('EISDIR');
    rmdirSync(file);
    await signed(3);
    expect(new LogKeys(LOG_NAME, [KEY.verifierKey]).open(readFileSync(file, 'utf8')).size).toBe(3);
  });

  it('holds up no record while PostgreSQL does not let it write', async () => {
    const database = await databases.fresh('postgres');
    const { record, signed, rows, log } = await open(database);
    await record(1);
    await signed(1);
    await asOwner(database, async (owner) => {
      const runner = owner.createQueryRunner();
      await runner.startTransaction();
      await runner.query('LOCK TABLE sallyport_log_leaf IN ACCESS EXCLUSIVE MODE');
      // Durable before the lock is let go of.
      await record(20);
      await runner.rollbackTransaction();
      await runner.release();
    });
    await signed(21);
    expect((await newestRow(rows))?.size).toBe(21);
    expect(await log.verify()).toMatchObject({ ok: true });
  });

  it('remembers what it signed before anybody sees it, for its owner alone', async () => {
    const file = join(newDirectory(), 'deep', 'state');
    const { record, signed } = await open(await databases.fresh('better-sqlite3'), { state: { file } });
    await record(2);
    await signed(2);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(new LogKeys(LOG_NAME, [KEY.verifierKey]).open(readFileSync(file, 'utf8')).size).toBe(2);
  });

  it('refuses to go on from a state that it cannot read', async () => {
    const file = join(newDirectory(), 'state');
    writeFileSync(file, 'nothing of ours');
    const { record, log, rows, problems } = await open(await databases.fresh('better-sqlite3'), {
      state: { file },
    });
    await record(1);
    await eventually(
      async () => log.status,
      (status) => status?.refusal !== undefined,
    );
    expect(log.status?.refusal?.code).toBe('log_memory');
    expect(problems.join()).toContain('not signed any more');
    expect(await newestRow(rows)).toBeUndefined();
    expect(await log.warnings()).toEqual([expect.stringContaining('The log is not signed.')]);
  });

  it('announces another key before the first checkpoint that it signs, once', async () => {
    const database = await databases.fresh('better-sqlite3');
    const first = await openLoggedTrail(database);
    await first.record(1);
    await first.close();
    const next = generateNoteKey(LOG_NAME);
    const second = await open(database, { key: next.signerKey, verifiers: [KEY.verifierKey] });
    await second.record(1);
    await second.signed(2);
    await second.record(1);
    await second.signed(3);
    expect(second.rotations).toEqual([{ from: KEY.verifierKey, to: next.verifierKey }]);
    expect(await second.log.verify()).toMatchObject({ ok: true });
  });
});
