import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { AuditLog, AuditModule, type AuditLogOptions, type AuditSink } from '@sallyport/audit';
import { AuditTrail, type AuditEvent } from '@sallyport/mcp';
import { generateNoteKey } from '@sallyport/tlog';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { attempt, server } from './audit-events.js';
import { eventually } from './eventually.js';

/** On SQLite the log does not go on while it is verified. */
const VERIFY_PAUSE_MS = 150;

export const LOG_KEY = generateNoteKey('audit.test/log');

/** The audit of a server and its log, wired as a server does. */
export interface RunningLog {
  readonly log: AuditLog;
  readonly context: INestApplicationContext;
  record(...events: AuditEvent[]): Promise<void>;
  /** Records so many attempts, and waits until they are signed. */
  grow(count: number): Promise<void>;
  /** Until everything is in the log and signed. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const states = new Map<string, string>();

/** The state file of a database that was given none: of one database always the same, as a server has it. */
export function stateOf(database: DataSourceOptions): { readonly file: string } {
  const name = JSON.stringify(database);
  const file = states.get(name) ?? join(mkdtempSync(join(tmpdir(), 'sallyport-state-')), 'state');
  states.set(name, file);
  return { file };
}

/** Unless the options say what remembers, a state file of its own does. */
export async function startLog(
  database: DataSourceOptions,
  options: Partial<AuditLogOptions> = {},
  followers: readonly AuditSink[] = [],
): Promise<RunningLog> {
  const remembers = options.state ?? options.publish ?? options.dangerouslyForgetful;
  const memory = remembers === undefined ? { state: stateOf(database) } : {};
  const signed = { key: LOG_KEY.signerKey, ...memory, ...options };
  @Module({ imports: [AuditModule.register({ database, server, log: signed, followers })] })
  class Application {}
  const context = await NestFactory.createApplicationContext(Application, {
    logger: false,
    abortOnError: false,
  });
  const log = context.get(AuditLog);
  const trail = context.get(AuditTrail);
  const record = async (...events: AuditEvent[]) => {
    await Promise.all(events.map((event) => trail.record(event)));
  };
  const settled = async () => {
    // One after the other: a verification that begins before the last leaf is there may end after it.
    await eventually(
      () => log.verify(),
      ({ pending }) => pending === 0,
      VERIFY_PAUSE_MS,
    );
    await eventually(
      () => log.verify(),
      // What the signing itself records, such as another key, is pending when it is signed.
      ({ pending, unsigned }) => pending === 0 && unsigned === 0,
      VERIFY_PAUSE_MS,
    );
  };
  return {
    log,
    context,
    record,
    settled,
    grow: async (count) => {
      await record(...Array.from({ length: count }, () => attempt()));
      await settled();
    },
    close: () => context.close(),
  };
}

/** Somebody who owns the database, and has taken away what protects its rows. */
export async function asOwner<T>(
  database: DataSourceOptions,
  work: (owner: DataSource) => Promise<T>,
): Promise<T> {
  const owner = await new DataSource({ ...database }).initialize();
  try {
    if (database.type === 'postgres') {
      const tables = await owner.query<{ tablename: string }[]>(
        `SELECT tablename FROM pg_tables WHERE tablename LIKE 'sallyport_%'`,
      );
      for (const { tablename } of tables) await owner.query(`ALTER TABLE ${tablename} DISABLE TRIGGER USER`);
    } else {
      const triggers = await owner.query<{ name: string }[]>(
        `SELECT name FROM sqlite_master WHERE type = 'trigger'`,
      );
      for (const { name } of triggers) await owner.query(`DROP TRIGGER "${name}"`);
    }
    return await work(owner);
  } finally {
    await owner.destroy();
  }
}
