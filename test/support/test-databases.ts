import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import { startPostgres, type PostgresOptions, type RunningPostgres } from './postgres.js';

/** Both databases that every store is tested on. */
export const DIALECTS = ['better-sqlite3', 'postgres'] as const;
export type Dialect = (typeof DIALECTS)[number];

type SqliteOptions = Extract<DataSourceOptions, { readonly type: 'better-sqlite3' }>;

/** Databases for the tests of one file, on a PostgreSQL and in a directory that are gone with its last test. */
export interface TestDatabases {
  readonly postgres: RunningPostgres;
  /** An empty database that no other test has. */
  fresh(dialect: 'better-sqlite3'): Promise<SqliteOptions>;
  fresh(dialect: 'postgres'): Promise<PostgresOptions>;
  fresh(dialect: Dialect): Promise<SqliteOptions | PostgresOptions>;
  /** The path of a file that is not there yet. */
  file(extension: string): string;
  /** Closed after the test that is running, the last one first. */
  closeAfterTest(close: () => Promise<unknown>): void;
}

/** To be called at the beginning of a file of tests, where it registers what begins and ends them. */
export function testDatabases(name: string): TestDatabases {
  let postgres: RunningPostgres;
  let directory: string;
  let count = 0;
  const opened: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    [postgres, directory] = await Promise.all([
      startPostgres(),
      mkdtemp(join(tmpdir(), `sallyport-${name}-`)),
    ]);
  });
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const nextName = () => `${name}_${(count += 1)}`;
  const file: TestDatabases['file'] = (extension) => join(directory, `${nextName()}.${extension}`);
  const sqlite = async (): Promise<SqliteOptions> => ({ type: 'better-sqlite3', database: file('sqlite') });
  const onPostgres = () => postgres.createDatabase(nextName());
  function fresh(dialect: 'better-sqlite3'): Promise<SqliteOptions>;
  function fresh(dialect: 'postgres'): Promise<PostgresOptions>;
  function fresh(dialect: Dialect): Promise<SqliteOptions | PostgresOptions>;
  function fresh(dialect: Dialect): Promise<SqliteOptions | PostgresOptions> {
    return dialect === 'postgres' ? onPostgres() : sqlite();
  }
  return {
    get postgres() {
      return postgres;
    },
    fresh,
    file,
    closeAfterTest: (close) => opened.push(close),
  };
}
