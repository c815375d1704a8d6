import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { INestApplicationContext } from '@nestjs/common';
import { AuditStore } from '@sallyport/audit';
import { DataSource } from 'typeorm';

/** Whatever runs an application. */
interface Running {
  readonly app: INestApplicationContext;
}

/** Ways in which the records of a server in an SQLite file can become impossible, and how they end. */
export const SQLITE_FAULTS = [
  'its table is gone',
  'its connection is read-only',
  'another process holds the lock',
] as const;
export type SqliteFault = (typeof SQLITE_FAULTS)[number];

/** Breaks the audit of a running server. Gives what repairs it. */
export async function breakAudit(server: Running, fault: SqliteFault): Promise<() => Promise<void>> {
  if (fault === 'its table is gone') return loseTable(server);
  if (fault === 'its connection is read-only') return denyWrites(server);
  return lockFile(databaseFile(server));
}

/** Takes the table away over the application's own connection, as a careless migration would. */
export async function loseTable(server: Running): Promise<() => Promise<void>> {
  const { app } = server;
  await app.get(DataSource).query('ALTER TABLE sallyport_audit RENAME TO lost_audit');
  return async () => {
    await app.get(DataSource).query('ALTER TABLE lost_audit RENAME TO sallyport_audit');
  };
}

async function denyWrites({ app }: Running): Promise<() => Promise<void>> {
  const { dataSource } = app.get(AuditStore);
  await dataSource.query('PRAGMA query_only = ON');
  return async () => {
    await dataSource.query('PRAGMA query_only = OFF');
  };
}

function databaseFile({ app }: Running): string {
  const { database } = app.get(DataSource).options;
  if (typeof database !== 'string') throw new Error('This server has no database file.');
  return database;
}

const LOCKER = `
  const Database = require(process.argv[1]);
  const database = new Database(process.argv[2], { timeout: 10000 });
  database.exec('BEGIN IMMEDIATE');
  console.log('locked');
  process.stdin.resume().on('end', () => { database.exec('COMMIT'); database.close(); });
`;

/** Another process holds the write lock of an SQLite file, until what this gives is called. */
export async function lockFile(file: string): Promise<() => Promise<void>> {
  const driver = createRequire(import.meta.url).resolve('better-sqlite3');
  const locker = spawn(process.execPath, ['-e', LOCKER, driver, file]);
  await once(locker.stdout, 'data');
  return () => release(locker);
}

async function release(locker: ChildProcessWithoutNullStreams): Promise<void> {
  const gone = once(locker, 'exit');
  locker.stdin.end();
  await gone;
}
