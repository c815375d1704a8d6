import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generateNoteKey } from '@sallyport/tlog';
import type { DataSourceOptions } from 'typeorm';

import { attempt } from '../../../../test/support/audit-events.js';
import { eventually } from '../../../../test/support/eventually.js';
import { AuditStore } from '../audit.store.js';
import { TypeOrmAuditTrail } from '../audit.trail.js';
import { AuditLog } from './audit-log.js';
import { logSettings, type AuditLogOptions } from './log.options.js';
import { pooledConnection } from './log-connection.js';
import { LogRows, type StoredCheckpoint } from './log-rows.js';

export const LOG_NAME = 'audit.test/log';
export const KEY = generateNoteKey(LOG_NAME);

/** Whoever runs a command. */
export const OPERATOR = { via: 'cli', address: undefined, actor: undefined } as const;

export function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'sallyport-log-'));
}

/** The newest checkpoint, whatever stands in it. */
export async function newestRow(rows: LogRows): Promise<StoredCheckpoint | undefined> {
  return (await rows.checkpointsBefore(undefined, 1))[0];
}

/** Trail and log as the module wires them. */
export interface LoggedTrail {
  readonly store: AuditStore;
  readonly trail: TypeOrmAuditTrail;
  readonly log: AuditLog;
  readonly rows: LogRows;
  readonly problems: string[];
  readonly rotations: { from: string; to: string }[];
  /** What was recorded before it was remembered again. */
  readonly remembered: { size: number; places: string[] }[];
  /** Records so many attempts, one commit for all. */
  readonly record: (count: number) => Promise<void>;
  /** Until a checkpoint covers so many leaves. */
  readonly signed: (size: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** State files of databases that were given none. */
const states = new Map<string, string>();

/** Of one database always the same, as a server has it. */
function stateOf(database: DataSourceOptions): { file: string } {
  const name = JSON.stringify(database);
  const file = states.get(name) ?? join(newDirectory(), 'state');
  states.set(name, file);
  return { file };
}

/** With a state file of its own unless the options say what remembers. */
export async function openLoggedTrail(
  database: DataSourceOptions,
  options: Partial<AuditLogOptions> = {},
): Promise<LoggedTrail> {
  const remembers = options.state ?? options.publish ?? options.dangerouslyForgetful;
  const timeoutMs = 5000;
  const store = await AuditStore.open(database, { migrations: 'run', timeoutMs });
  const trail = new TypeOrmAuditTrail(store, { timeoutMs, maxQueued: 10_000 });
  const problems: string[] = [];
  const rotations: { from: string; to: string }[] = [];
  const remembered: LoggedTrail['remembered'] = [];
  const log = new AuditLog({
    store: store.store,
    settings: await logSettings({
      key: KEY.signerKey,
      ...(remembers === undefined ? { state: stateOf(database) } : {}),
      ...options,
    }),
    timeoutMs,
    onKeyRotation: (change) => Promise.resolve(void rotations.push(change)),
    onRemember: (_, size, places) => Promise.resolve(void remembered.push({ size, places: [...places] })),
    onProblem: (sentence) => problems.push(sentence),
  });
  trail.onCommit = () => log.wake();
  const rows = new LogRows(pooledConnection(store.store), store.dataSource);
  return {
    store,
    trail,
    log,
    rows,
    problems,
    rotations,
    remembered,
    record: async (count) => {
      await Promise.all(Array.from({ length: count }, () => trail.record(attempt())));
    },
    signed: async (size) => {
      await eventually(
        () => newestRow(rows),
        (newest) => newest !== undefined && newest.size >= size,
      );
    },
    close: () => trail.onApplicationShutdown(),
  };
}
