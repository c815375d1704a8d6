import { rename } from 'node:fs/promises';
import { renameSync } from 'node:fs';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { lockFile } from './broken-audit.js';
import { TIMEOUT_MS, type Fault, type FaultyDatabase, type Repair } from './faulty-database.js';
import { newDatabaseFile } from './server.js';

/** What is asked of a better-sqlite3 handle. */
interface Handle {
  pragma(source: string, options?: { simple: boolean }): unknown;
  function(name: string, work: () => unknown): unknown;
}

/** Called by a trigger, and so in the middle of the server's own statement. */
const HOOK = 'test_hook';
const CALL_HOOK = `SELECT ${HOOK}()`;
/** Pages of 4 KiB: enough for a few records, and not for the ballast. */
const ROOM = 100;
/** Pages that no file of a test comes to. */
const PLENTY = 1_000_000;

/** A file that the server and its owner have open at once. */
export class FaultySqlite implements FaultyDatabase {
  readonly file = newDatabaseFile();
  readonly direct: DataSourceOptions = { type: 'better-sqlite3', database: this.file };
  readonly processOptions = this.direct;
  readonly options: DataSourceOptions = {
    type: 'better-sqlite3',
    database: this.file,
    prepareDatabase: (handle: Handle) => {
      this.#handle = handle;
      handle.function(HOOK, () => {
        this.#hook();
        return 0;
      });
    },
  };
  #handle: Handle | undefined;
  #hook: () => void = () => undefined;
  #owner: DataSource | undefined;

  /** As the owner of the file, over another connection. */
  async sql(statement: string): Promise<void> {
    this.#owner ??= await new DataSource({ ...this.direct }).initialize();
    await this.#owner.query(statement);
  }

  /** Before each record, or each outcome, that is written. */
  async onRecord(which: 'every' | 'outcome', body: string): Promise<Repair> {
    const when = which === 'every' ? '' : `WHEN NEW.kind = 'outcome'`;
    await this.sql(`CREATE TRIGGER test_fault BEFORE INSERT ON sallyport_audit ${when} BEGIN ${body}; END`);
    return () => this.sql('DROP TRIGGER test_fault');
  }

  /** In the middle of the statement that writes an outcome. */
  onOutcome(hook: () => void): Promise<Repair> {
    this.#hook = hook;
    return this.onRecord('outcome', CALL_HOOK);
  }

  /** What is written needs more room than the file may take, and SQLite itself says that it is full. */
  async fill(which: 'every' | 'outcome'): Promise<Repair> {
    await this.sql('CREATE TABLE IF NOT EXISTS test_ballast (bytes BLOB)');
    const lift = await this.onRecord(which, 'INSERT INTO test_ballast VALUES (zeroblob(1000000))');
    this.#limit(Number(this.#handle?.pragma('page_count', { simple: true })) + ROOM);
    return async () => {
      this.#limit(PLENTY);
      await lift();
    };
  }

  /** One handle for each `DataSource`. */
  connections(): Promise<number> {
    return Promise.resolve(1);
  }

  async stop(): Promise<void> {
    await this.#owner?.destroy();
  }

  /** Of this connection alone, so it must be the server's own. */
  #limit(pages: number): void {
    this.#handle?.pragma(`max_page_count = ${pages}`);
  }
}

/** What a server in a process of its own offers to triggers: it kills that process in the middle of the statement. */
export const KILL = 'test_kill';

async function loseTable(database: FaultySqlite): Promise<Repair> {
  await database.sql('ALTER TABLE sallyport_audit RENAME TO lost_audit');
  return () => database.sql('ALTER TABLE lost_audit RENAME TO sallyport_audit');
}

async function moveAway({ file }: FaultySqlite): Promise<Repair> {
  await rename(file, `${file}.away`);
  return () => rename(`${file}.away`, file);
}

/**
 * There is no connection to lose. What comes closest: the file is not where it was, as after a volume was mounted over
 * it, while the server still holds what nobody will ever find again.
 */
export const SQLITE_FAULTS: readonly Fault<FaultySqlite>[] = [
  {
    name: 'answers with an error',
    strike: loseTable,
    during: [
      {
        how: '',
        arm: (database) => database.onRecord('outcome', `SELECT RAISE(ABORT, 'something is wrong')`),
        leads: 'unrecorded',
      },
    ],
  },
  {
    name: 'hangs, as another process holds its lock',
    strike: ({ file }) => lockFile(file),
    during: [
      {
        // Nothing else runs meanwhile either, the clock of the call included.
        how: ', inside of SQLite itself',
        arm: (database) => database.onOutcome(() => block(3 * TIMEOUT_MS)),
        leads: 'answered',
      },
    ],
  },
  {
    name: 'is no longer where it was',
    strike: moveAway,
    during: [
      {
        how: '',
        arm: async (database) => {
          const { file } = database;
          const lift = await database.onOutcome(() => renameSync(file, `${file}.away`));
          return async () => {
            renameSync(`${file}.away`, file);
            await lift();
          };
        },
        leads: 'recorded',
      },
    ],
  },
  {
    name: 'is full',
    strike: (database) => database.fill('every'),
    during: [{ how: '', arm: (database) => database.fill('outcome'), leads: 'unrecorded' }],
  },
];

function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
