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
  /** How many records the newest checkpoint covers. */
  signedSize(): Promise<number>;
  close(): Promise<void>;
}

/** `key`: of the signer; without it nothing is signed. */
export async function openAudit(database: Database, key?: string): Promise<OpenAudit> {
  @Module({
    imports: [AuditModule.register({ database, server, ...(key === undefined ? {} : { log: { key } }) })],
  })
  class Audit {}
  const context = await NestFactory.createApplicationContext(Audit, { logger: ['error', 'fatal'] });
  const store = context.get(AuditStore);
  return {
    store,
    trail: context.get(TypeOrmAuditTrail),
    log: context.get(AuditLog),
    signedSize: async () => {
      const [row] = await store.dataSource.query<{ size: unknown }[]>(
        'SELECT max(size) AS size FROM sallyport_log_checkpoint',
      );
      return Number(row?.size ?? 0);
    },
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
