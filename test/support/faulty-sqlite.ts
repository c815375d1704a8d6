import { rename } from 'node:fs/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { lockFile, release } from './broken-audit.js';
import { TIMEOUT_MS, type Fault, type FaultyDatabase } from './faulty-database.js';
import { newDatabaseFile } from './server.js';

/** What is asked of a better-sqlite3 handle. */
interface Handle {
  pragma(source: string, options?: { simple: boolean }): unknown;
  function(name: string, work: () => unknown): unknown;
}

/** Called by a trigger, so in the middle of the server's own transaction. */
const HOOK = 'test_hook';
/** Pages that no file here comes to. */
const PLENTY = 1_000_000;

/** A file that the server and its owner have open at once. */
export class FaultySqlite implements FaultyDatabase {
  readonly file = newDatabaseFile();
  /** What the hook of the trigger does. */
  hook: () => void = () => undefined;
  unlock: () => Promise<void> = () => Promise.resolve();
  /** The server's own connection. */
  handle: Handle | undefined;
  private owner: DataSource | undefined;

  get direct(): DataSourceOptions {
    return { type: 'better-sqlite3', database: this.file };
  }

  readonly options: DataSourceOptions = {
    type: 'better-sqlite3',
    database: this.file,
    prepareDatabase: (handle: Handle) => {
      this.handle = handle;
      handle.function(HOOK, () => {
        this.hook();
        return 0;
      });
    },
  };

  /** As the owner of the file, over another connection. */
  async sql(statement: string): Promise<void> {
    this.owner ??= await new DataSource({ ...this.direct }).initialize();
    await this.owner.query(statement);
  }

  /** Before each record that is written, or before each outcome. */
  async onRecord(body: string, which: 'every' | 'outcomes'): Promise<void> {
    const when = which === 'outcomes' ? `WHEN NEW.kind = 'outcome'` : '';
    await this.sql(`CREATE TRIGGER test_fault BEFORE INSERT ON sallyport_audit ${when} BEGIN ${body}; END`);
  }

  async stop(): Promise<void> {
    await this.owner?.destroy();
  }

  connections(): Promise<number> {
    return Promise.resolve(1);
  }
}

/** What needs more room than there is: the file may not grow by a page. SQLite itself says that it is full. */
async function fill(database: FaultySqlite, which: 'every' | 'outcomes'): Promise<void> {
  await database.sql('CREATE TABLE IF NOT EXISTS test_ballast (bytes BLOB)');
  await database.onRecord('INSERT INTO test_ballast VALUES (zeroblob(1000000))', which);
  const pages = database.handle?.pragma('page_count', { simple: true });
  database.handle?.pragma(`max_page_count = ${Number(pages)}`);
}

const RAISE = `SELECT RAISE(ABORT, 'something is wrong')`;
const CALL_HOOK = `SELECT ${HOOK}()`;

function moveAway({ file }: FaultySqlite): Promise<void> {
  return rename(file, `${file}.away`);
}

export const SQLITE_FAULTS: readonly Fault<FaultySqlite>[] = [
  {
    name: 'the database answers with an error',
    strike: (database) => database.sql('ALTER TABLE sallyport_audit RENAME TO lost_audit'),
    during: [{ name: '', arm: (database) => database.onRecord(RAISE, 'outcomes'), leads: 'unrecorded' }],
    repair: async (database) => {
      await database.sql('DROP TRIGGER IF EXISTS test_fault');
      const [lost] = await databaseTables(database, 'lost_audit');
      if (lost !== undefined) await database.sql('ALTER TABLE lost_audit RENAME TO sallyport_audit');
    },
  },
];
