import { readFile } from 'node:fs/promises';

import type { DataSourceOptions } from 'typeorm';

import { attempt, call, principal } from '../../../../test/support/audit-events.js';
import { eventually } from '../../../../test/support/eventually.js';
import { DIALECTS, testDatabases } from '../../../../test/support/test-databases.js';
import type { AuditProtection } from '../audit.options.js';
import { AuditReader } from '../audit.reader.js';
import { AuditStore } from '../audit.store.js';
import { TypeOrmAuditTrail } from '../audit.trail.js';
import { secretWrapping } from './key-wrapping.js';
import { personText } from './person.js';

const SECRET = 'a secret of the operator, long enough';
const ALICE = { tenant: 'acme', issuer: 'https://id.acme.example', subject: 'alice' };

const databases = testDatabases('person_keys');

async function open(database: DataSourceOptions, protection: AuditProtection = { secret: SECRET }) {
  const store = await AuditStore.open(database, { migrations: 'run', timeoutMs: 2000, ...protection });
  databases.closeAfterTest(() => store.close());
  const trail = new TypeOrmAuditTrail(store, { timeoutMs: 2000, maxQueued: 1000 });
  return { store, trail, reader: new AuditReader(store) };
}

function callOf(subject: string) {
  return attempt({ call: call({ principal: principal({ subject }) }) });
}

/** Everything in the tables of the audit, as text. */
async function everything(store: AuditStore): Promise<string> {
  const tables = ['sallyport_audit', 'sallyport_audit_key'];
  const rows = await Promise.all(tables.map((table) => store.dataSource.query(`SELECT * FROM ${table}`)));
  return JSON.stringify(rows);
}

describe.each(DIALECTS)('the keys of people on %s', (type) => {
  it('are one for each person in a tenant, however many ask at once in however many processes', async () => {
    const database = await databases.fresh(type);
    const stores = await Promise.all([open(database), open(database), open(database)]);
    const asked = stores.flatMap(({ store }) =>
      Array.from({ length: 20 }, async () => (await store.keys.ring([ALICE]))(ALICE)),
    );
    const keys = await Promise.all(asked);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
    expect(new Set(keys.map((key) => key.hash('d', 'v'))).size).toBe(1);
    const others = [{ ...ALICE, tenant: 'globex' }, { ...ALICE, issuer: 'https://x.example' }, {}];
    const ring = await stores[0]!.store.keys.ring(others);
    expect(new Set([keys[0]!.id, ...others.map((other) => ring(other).id)]).size).toBe(4);
  });

  it('leave no name in any table', async () => {
    const { store, trail, reader } = await open(await databases.fresh(type));
    const actors = [{ issuer: 'https://id.acme.example', subject: 'canary-actor' }];
    const credential = { kind: 'jwt', id: 'canary-credential' };
    const caller = principal({ subject: 'canary-subject', actors, credential });
    await trail.record(attempt({ call: call({ principal: caller, address: '203.0.113.77' }) }));
    expect(await everything(store)).not.toMatch(/canary|203\.0\.113\.77/);
    expect(await reader.list({ limit: 1, subject: 'canary-subject' })).toMatchObject([
      { subject: 'canary-subject', actors, credential: 'canary-credential', address: '203.0.113.77' },
    ]);
  });

  it('make a record unreadable when they are destroyed, everywhere within a second, and come anew', async () => {
    const database = await databases.fresh(type);
    const [one, other] = [await open(database), await open(database)];
    await one.trail.record(callOf('alice'));
    await other.trail.record(callOf('alice'));
    await one.trail.record(callOf('bob'));
    const rows = await one.store.dataSource.query('SELECT * FROM sallyport_audit ORDER BY seq');
    const ids = await one.store.keys.idsOf(ALICE);
    await one.store.keys.destroy(ids);
    expect(ids).toHaveLength(1);
    expect((await other.reader.list({ limit: 10 })).map(({ subject }) => subject)).toEqual([
      'erased',
      'erased',
      'bob',
    ]);
    expect(await other.reader.list({ limit: 10, subject: 'alice' })).toEqual([]);
    expect(await one.store.dataSource.query('SELECT * FROM sallyport_audit ORDER BY seq')).toEqual(rows);
    expect(await one.store.dataSource.query('SELECT * FROM sallyport_audit_key WHERE key IS NULL')).toEqual([
      expect.objectContaining({ id: ids[0], lookup: null, subject_lookup: null }),
    ]);
    const fresh = await eventually(
      async () => (await other.store.keys.ring([ALICE]))(ALICE).id,
      (id) => id !== ids[0],
    );
    await one.trail.record(callOf('alice'));
    expect(await one.reader.list({ limit: 10, subject: 'alice' })).toMatchObject([{ person: fresh }]);
  });

  it('refuse the record when they cannot be had, and only then', async () => {
    const { store, trail } = await open(await databases.fresh(type));
    await trail.record(callOf('alice'));
    await store.dataSource.query('ALTER TABLE sallyport_audit_key RENAME TO lost_key');
    await expect(trail.record(callOf('bob'))).rejects.toMatchObject({ name: 'AuditUnavailableError' });
    expect(await store.dataSource.query('SELECT kind FROM sallyport_audit')).toHaveLength(1);
    await store.dataSource.query('ALTER TABLE lost_key RENAME TO sallyport_audit_key');
    await trail.record(callOf('bob'));
    expect(await store.dataSource.query('SELECT kind FROM sallyport_audit')).toHaveLength(2);
  });

  it('open with the secret they were wrapped with alone', async () => {
    const database = await databases.fresh(type);
    const first = await open(database);
    await first.trail.record(callOf('alice'));
    const next = { secret: 'another secret of the operator, long' };
    const without = await open(database, next);
    expect(without.store.protectionWarnings).toContainEqual(expect.stringContaining('previousSecrets'));
    expect(await without.reader.list({ limit: 1 })).toMatchObject([
      { subject: 'unreadable', personal: 'unreadable', tenant: 'acme' },
    ]);
    const rotated = await open(database, { ...next, previousSecrets: [SECRET] });
    expect(rotated.store.protectionWarnings).not.toContainEqual(expect.stringContaining('previousSecrets'));
    await rotated.trail.record(callOf('alice'));
    expect(await rotated.reader.list({ limit: 9, subject: 'alice' })).toHaveLength(2);
    expect(await rotated.store.keys.idsOf(ALICE)).toHaveLength(2);
  });

  it('stand in the clear without a secret, and the store says so', async () => {
    const database = await databases.fresh(type);
    const bare = await open(database, {});
    await bare.trail.record(callOf('alice'));
    expect(bare.store.protectionWarnings).toContainEqual(expect.stringContaining('audit: { secret:'));
    const guarded = await open(database);
    expect(await guarded.reader.list({ limit: 1, subject: 'alice' })).toMatchObject([{ subject: 'alice' }]);
    await guarded.trail.record(callOf('alice'));
    expect(await guarded.reader.list({ limit: 9, subject: 'alice' })).toHaveLength(2);
  });

  it('erase a person by every name under which they are spoken of', async () => {
    const { store } = await open(await databases.fresh(type));
    const vague = [{ tenant: 'acme', subject: 'alice' }, { subject: 'alice' }];
    const stranger = { tenant: 'globex', issuer: ALICE.issuer, subject: 'alice' };
    const ring = await store.keys.ring([ALICE, ...vague, stranger]);
    const ids = await store.keys.idsOf(ALICE);
    expect(new Set(ids)).toEqual(new Set([ALICE, ...vague].map((person) => ring(person).id)));
  });
});

it('leaves no name in the bytes of an SQLite file', async () => {
  const database = await databases.fresh('better-sqlite3');
  const { trail } = await open(database);
  await trail.record(callOf('canary-7f3a'));
  const files = await Promise.all(['', '-wal'].map((suffix) => readFile(`${database.database}${suffix}`)));
  for (const bytes of files) expect(bytes.includes('canary-7f3a')).toBe(false);
});

describe('secretWrapping', () => {
  it('opens only under the id it was wrapped for, with the secret it was wrapped with', () => {
    const wrapping = secretWrapping(SECRET);
    const key = Buffer.alloc(32, 7);
    const wrapped = wrapping.wrap('id-1', key);
    expect(wrapping.unwrap('id-1', wrapped)).toEqual(key);
    expect(() => wrapping.unwrap('id-2', wrapped)).toThrow();
    expect(() => secretWrapping(`${SECRET}!`).unwrap('id-1', wrapped)).toThrow();
    expect(wrapped).not.toContain(key.toString('base64url'));
  });

  it('finds a name by a lookup that nobody can make without the secret', () => {
    const text = personText(ALICE);
    expect(secretWrapping(SECRET).lookup('person', text)).toBe(secretWrapping(SECRET).lookup('person', text));
    expect(secretWrapping(SECRET).lookup('person', text)).not.toBe(
      secretWrapping('x').lookup('person', text),
    );
    expect(secretWrapping(SECRET).lookup('person', text)).not.toBe(
      secretWrapping(SECRET).lookup('subject', text),
    );
  });
});
