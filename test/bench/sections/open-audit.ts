import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuditLog, AuditModule, AuditStore, TypeOrmAuditTrail } from '@sallyport/audit';
import { attempt, call, entry, outcome, server } from '../../support/audit-events.js';
import { toolNames } from '../tools.js';
import { principals, turnOf } from './bench-application.js';
import type { Database } from './settings.js';

/** The audit of a server, by itself. */
export interface OpenAudit {
  readonly store: AuditStore;
  readonly trail: TypeOrmAuditTrail;
  readonly log: AuditLog;
  recordCount(): Promise<number>;
  /** How many records the newest checkpoint covers. */
  signedSize(): Promise<number>;
  close(): Promise<void>;
}

/** `key`: of the signer; without it nothing is signed. The database is measured and thrown away. */
export async function openAudit(database: Database, key?: string): Promise<OpenAudit> {
  @Module({
    imports: [
      AuditModule.register({
        database,
        server,
        ...(key === undefined ? {} : { log: { key, dangerouslyForgetful: true } }),
      }),
    ],
  })
  class Audit {}
  const context = await NestFactory.createApplicationContext(Audit, { logger: ['error', 'fatal'] });
  const store = context.get(AuditStore);
  const number = async (expression: string, table: string) => {
    const [row] = await store.dataSource.query<{ value: unknown }[]>(
      `SELECT ${expression} AS value FROM ${table}`,
    );
    return Number(row?.value ?? 0);
  };
  return {
    store,
    trail: context.get(TypeOrmAuditTrail),
    log: context.get(AuditLog),
    recordCount: () => number('count(*)', 'sallyport_audit'),
    signedSize: () => number('max(size)', 'sallyport_log_checkpoint'),
    close: () => context.close(),
  };
}

const ARGUMENTS = Object.freeze({ recordId: 'record-17', limit: 10 });
const entries = toolNames(20).map((name) => Object.freeze(entry({ name })));

/** Both records of one call. */
export function eventsOfCall(turn: number) {
  const principal = turnOf(principals, turn);
  const called = call({ principal, entry: turnOf(entries, turn), arguments: ARGUMENTS });
  const tried = attempt({ call: called });
  return [tried, outcome(tried)] as const;
}
