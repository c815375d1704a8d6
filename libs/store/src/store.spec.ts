import { existsSync } from 'node:fs';
import { copyFile, rename, rm } from 'node:fs/promises';

import { DataSource, EntitySchema, type DataSourceOptions, type QueryRunner } from 'typeorm';

import { DIALECTS, testDatabases } from '../../../test/support/test-databases.js';
import type { StoreTables } from './store-tables.js';
import { Store } from './store.js';
import { storeSettings } from './store.options.js';

class Note {
  id!: string;
  text!: string;
}

class Tag {
  id!: string;
  text!: string;
}

class CreateNotes1790000000101 {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE notes (id text PRIMARY KEY, text text NOT NULL)');
  }
  async down(): Promise<void> {}
}

/** Older than the other owner's, and run after it. */
class CreateTags1780000000000 {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE tags (id text PRIMARY KEY, text text NOT NULL)');
  }
  async down(): Promise<void> {}
}

function tablesOf(target: typeof Note, tableName: string, migration: StoreTables['migrations'][number]) {
  return {
    entities: () => [
      new EntitySchema({
        target,
        name: target.name,
        tableName,
        columns: { id: { type: 'text', primary: true }, text: { type: 'text' } },
      }),
    ],
    migrations: [migration],
  } satisfies StoreTables;
}

const NOTES = tablesOf(Note, 'notes', CreateNotes1790000000101);
const TAGS = tablesOf(Tag, 'tags', CreateTags1780000000000);
const name = { of: 'the notes', option: 'notes', applicationName: 'sallyport-notes' };

const databases = testDatabases('store');

async function open(
  database: DataSourceOptions,
  tables: readonly StoreTables[] = [NOTES],
  settings: Partial<Parameters<typeof Store.open>[3]> = {},
): Promise<Store> {
  const store = await Store.open(database, name, tables, { migrations: 'run', timeoutMs: 5000, ...settings });
  databases.closeAfterTest(() => store.close());
  return store;
}

function add(store: Store, id: string): Promise<unknown> {
  return store.run((manager) => manager.insert(Note, { id, text: 'kept' }));
}

describe.each(DIALECTS)('a store on %s', (type) => {
  it('keeps the migrations of two owners apart in one table', async () => {
    const database = await databases.fresh(type);
    const notes = await open(database, [NOTES]);
    await expect(open(database, [TAGS], { migrations: 'check' })).rejects.toMatchObject({
      message: expect.stringContaining('CreateTags1780000000000 pending'),
    });
    await open(database, [TAGS]);
    await open(database, [NOTES], { migrations: 'check' });
    await open(database, [NOTES, TAGS], { migrations: 'check' });
    expect(await notes.query('SELECT name FROM sallyport_migrations ORDER BY id', [])).toEqual([
      { name: 'CreateNotes1790000000101' },
      { name: 'CreateTags1780000000000' },
    ]);
  });

  it('may be opened by two owners at once on an empty database', async () => {
    const database = await databases.fresh(type);
    const [notes] = await Promise.all([open(database, [NOTES]), open(database, [TAGS]), open(database)]);
    await add(notes, 'n');
    expect(await notes.query('SELECT id FROM notes', [])).toEqual([{ id: 'n' }]);
  });

  it('says how many rows a statement changed', async () => {
    const store = await open(await databases.fresh(type));
    await add(store, 'n');
    const change = (id: string) =>
      store.run((manager) => manager.update(Note, { id, text: 'kept' }, { text: 'new' }));
    expect((await change('n')).affected).toBe(1);
    expect((await change('n')).affected).toBe(0);
  });

  it('rejects with the error of the driver, without the parameters', async () => {
    const store = await open(await databases.fresh(type));
    await add(store, 'canary-7f3a');
    const error: unknown = await add(store, 'canary-7f3a').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: expect.stringMatching(/unique/i) });
    expect(error).not.toHaveProperty('parameters');
    expect(error).not.toHaveProperty('query');
  });

  it('does the last work of its users before it closes, whatever that throws', async () => {
    const database = await databases.fresh(type);
    const store = await open(database);
    store.beforeClose(() => Promise.reject(new Error('too late')));
    store.beforeClose(async () => void (await add(store, 'last')));
    await store.close();
    await store.close();
    const again = await open(database);
    expect(await again.query('SELECT id FROM notes', [])).toEqual([{ id: 'last' }]);
  });

  it('says in the words of its owner what is wrong', async () => {
    const database = await databases.fresh(type);
    await expect(open(database, [NOTES], { migrations: 'check' })).rejects.toMatchObject({
      name: 'StoreSetupError',
      message: expect.stringMatching(
        /^The tables of the notes are not up to date .*notes\.migrations: 'run'/,
      ),
    });
  });
});

describe('a store on SQLite', () => {
  it('waits for a transaction of the application without blocking it', async () => {
    const database = await databases.fresh('better-sqlite3');
    const store = await open(database);
    const application = await new DataSource({ ...database }).initialize();
    databases.closeAfterTest(() => application.destroy());
    await application.query('BEGIN IMMEDIATE');
    let done = false;
    const added = add(store, 'n').then(() => (done = true));
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(done).toBe(false);
    await application.query('COMMIT');
    await added;
  });

  it('gives up when the lock is held past its limit', async () => {
    const database = await databases.fresh('better-sqlite3');
    const store = await open(database, [NOTES], { timeoutMs: 100 });
    const application = await new DataSource({ ...database }).initialize();
    databases.closeAfterTest(() => application.destroy());
    await application.query('BEGIN IMMEDIATE');
    await expect(add(store, 'n')).rejects.toMatchObject({ code: 'SQLITE_BUSY' });
    await application.query('ROLLBACK');
    await add(store, 'n');
  });
});

describe('a store in a file that is open', () => {
  async function openFile() {
    const file = databases.file('sqlite');
    return { file, store: await open({ type: 'better-sqlite3', database: file }) };
  }

  it('writes nothing while the file is elsewhere, and goes on when it is back', async () => {
    const { file, store } = await openFile();
    await rename(file, `${file}.away`);
    await expect(add(store, 'lost')).rejects.toMatchObject({ code: 'SQLITE_READONLY_DBMOVED' });
    await rename(`${file}.away`, file);
    await add(store, 'kept');
    expect(await store.query('SELECT id FROM notes', [])).toEqual([{ id: 'kept' }]);
  });

  it('does not take another file of that name for its own', async () => {
    const { file, store } = await openFile();
    await copyFile(file, `${file}.copy`);
    await rename(`${file}.copy`, file);
    await expect(add(store, 'lost')).rejects.toThrow('put it back, or start again');
  });

  it('does not say that something was written when the file went meanwhile', async () => {
    const { file, store } = await openFile();
    const written = store.run(async (manager) => {
      await manager.query(`INSERT INTO notes VALUES ('late', 'x')`);
      await rm(file);
    });
    await expect(written).rejects.toMatchObject({ name: 'DatabaseMovedError' });
  });
});

describe.each(['-wal', '-shm'])('a store whose %s file is not the one it has open', (suffix) => {
  const MOVED = { name: 'DatabaseMovedError', code: 'SQLITE_READONLY_DBMOVED' };

  async function openWritten() {
    const file = databases.file('sqlite');
    const store = await open({ type: 'better-sqlite3', database: file });
    await add(store, 'kept');
    return { beside: `${file}${suffix}`, store };
  }

  it('acknowledges nothing while it is gone, and goes on when it is back', async () => {
    const { beside, store } = await openWritten();
    await rename(beside, `${beside}.away`);
    await expect(add(store, 'lost')).rejects.toMatchObject(MOVED);
    await rename(`${beside}.away`, beside);
    await add(store, 'back');
    expect(await store.query('SELECT id FROM notes ORDER BY id', [])).toEqual([
      { id: 'back' },
      { id: 'kept' },
    ]);
  });

  it('does not take another one for it', async () => {
    const { beside, store } = await openWritten();
    await copyFile(beside, `${beside}.copy`);
    await rename(`${beside}.copy`, beside);
    await expect(add(store, 'lost')).rejects.toThrow(`The ${suffix} file of the database was moved`);
  });

  it('does not say that something was written when it went meanwhile', async () => {
    const { beside, store } = await openWritten();
    const written = store.run(async (manager) => {
      await manager.query(`INSERT INTO notes VALUES ('late', 'x')`);
      await rm(beside);
    });
    await expect(written).rejects.toMatchObject(MOVED);
  });
});

it('opens a file again whose -wal SQLite took away when its last connection was closed', async () => {
  const database = await databases.fresh('better-sqlite3');
  const first = await open(database);
  await add(first, 'one');
  await first.close();
  expect(existsSync(`${database.database}-wal`)).toBe(false);
  const again = await open(database);
  const beside = await open(database);
  await add(again, 'two');
  await beside.close();
  await again.dataSource.query('PRAGMA wal_checkpoint(TRUNCATE)');
  await add(again, 'three');
  expect(await again.query('SELECT count(*) AS notes FROM notes', [])).toEqual([{ notes: 3 }]);
});

it('ends a connection to PostgreSQL on which nothing answers, and uses another', async () => {
  const options = await databases.fresh('postgres');
  const store = await open({ ...options, extra: { statement_timeout: 0 } } as DataSourceOptions, [NOTES], {
    timeoutMs: 500,
  });
  const application = await new DataSource(options).initialize();
  databases.closeAfterTest(() => application.destroy());
  const runner = application.createQueryRunner();
  await runner.startTransaction();
  await runner.query('LOCK TABLE notes IN ACCESS EXCLUSIVE MODE');
  await expect(add(store, 'n')).rejects.toThrow(/terminated/i);
  await runner.rollbackTransaction();
  await runner.release();
  await add(store, 'm');
});

it.each([
  ['another way of migrating', { migrations: 'sometimes' as 'run' }, /notes\.migrations must be/],
  ['no time at all', { timeoutMs: 0 }, /notes\.timeoutMs must be/],
  ['more time than a timer takes', { timeoutMs: 2 ** 31 }, /notes\.timeoutMs must be/],
])('refuses %s', (_, options, sentence) => {
  expect(() => storeSettings(options, 'notes')).toThrow(sentence);
});
