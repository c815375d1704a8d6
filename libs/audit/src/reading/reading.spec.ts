import { DataSource } from 'typeorm';

import { attempt } from '../../../../test/support/audit-events.js';
import { testDatabases } from '../../../../test/support/test-databases.js';
import { AuditReader } from '../audit.reader.js';
import { AuditStore } from '../audit.store.js';
import { TypeOrmAuditTrail } from '../audit.trail.js';
import { RecordWalk } from './record-walk.js';
import { SettledRecords } from './settled-records.js';

const databases = testDatabases('reading');

async function openOnPostgres() {
  const database = await databases.fresh('postgres');
  const store = await AuditStore.open(database, { migrations: 'run', timeoutMs: 5000 });
  databases.closeAfterTest(() => store.close());
  const trail = new TypeOrmAuditTrail(store, { timeoutMs: 5000, maxQueued: 100 });
  return { database, store, trail, walk: new RecordWalk(store, new AuditReader(store)) };
}

/** A record whose number is taken, and whose commit is for later. */
async function startRecord(database: ConstructorParameters<typeof DataSource>[0]) {
  const connection = await new DataSource(database).initialize();
  databases.closeAfterTest(() => connection.destroy());
  const runner = connection.createQueryRunner();
  await runner.startTransaction();
  await runner.query(
    "INSERT INTO sallyport_audit (id, at, kind, via, server, resource) VALUES ('late', 0, 'list', 'http', 's', 'r')",
  );
  return { commit: () => runner.commitTransaction() };
}

describe('Whoever reads from now on, beside a record that is committed after one of a higher number,', () => {
  it('begins before it, and knows what was there already', async () => {
    const { database, store, trail, walk } = await openOnPostgres();
    await trail.record(attempt());
    const late = await startRecord(database);
    await trail.record(attempt());
    const settled = new SettledRecords(store, walk, 0);
    expect(await settled.beginning()).toEqual({ top: 3, after: 1, seen: new Set([3]) });
    await late.commit();
    expect(await settled.upTo(1)).toBe(3);
    expect((await walk.read({ after: 1, upTo: 3 }, 10)).map(({ id }) => id)).toContain('late');
  });

  it('ends before it when it does not come, and behind it when it does', async () => {
    const { database, store, trail, walk } = await openOnPostgres();
    await trail.record(attempt());
    const late = await startRecord(database);
    await trail.record(attempt());
    expect(await new SettledRecords(store, walk, 0).top(300)).toBe(1);
    const waiting = new SettledRecords(store, walk, 0).top();
    await late.commit();
    expect(await waiting).toBe(3);
  });
});

it('A record waits for no reader, however long those take', async () => {
  const { store, trail } = await openOnPostgres();
  await trail.record(attempt());
  let reading = 6;
  const reads = Array.from({ length: reading }, () =>
    store.readingSource.query('SELECT pg_sleep(1)').finally(() => (reading -= 1)),
  );
  await trail.record(attempt());
  expect(reading).toBe(6);
  await Promise.all(reads);
});

it('A read that takes longer than a statement may is ended', async () => {
  const database = await databases.fresh('postgres');
  const store = await AuditStore.open(database, { migrations: 'run', timeoutMs: 300 });
  databases.closeAfterTest(() => store.close());
  await expect(store.readingSource.query('SELECT pg_sleep(30)')).rejects.toThrow(/statement timeout/);
});
