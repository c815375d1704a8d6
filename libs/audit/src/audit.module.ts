import { ConfigurableModuleBuilder, Logger, Module } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AuditTrail } from '@sallyport/mcp';
import { errorCodeOf } from '@sallyport/store';
import type { DataSource, DataSourceOptions } from 'typeorm';

import { AuditSetupError } from './audit.errors.js';
import { AUDIT_OPTIONS, auditSettings, type AuditOptions } from './audit.options.js';
import { AuditReader } from './audit.reader.js';
import { AuditStore } from './audit.store.js';
import { TypeOrmAuditTrail } from './audit.trail.js';
import { AuditFollowers } from './export/follow/audit-followers.js';
import { AuditLog } from './log/audit-log.js';
import { openAuditLog } from './log/open-audit-log.js';
import { NothingTrail } from './nothing.trail.js';
import { RecordWalk } from './reading/record-walk.js';

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<AuditOptions>({
  optionsInjectionToken: AUDIT_OPTIONS,
}).build();

/** Injection token of what records, also where another {@link AuditTrail} is put around it. */
export const AUDIT_RECORDER = Symbol.for('sallyport:audit-recorder');

/** Nest waits for this provider, so no request is served before the tables are there. */
async function openStore(options: AuditOptions, application: DataSource | undefined): Promise<AuditStore> {
  const database = options.database ?? application?.options;
  if (!database)
    throw new AuditSetupError(
      'The audit has no database. Import TypeOrmModule.forRoot(…), or give audit.database the options of one.',
    );
  refuseVolatile(database, options);
  const logger = new Logger('AuditModule');
  const onConnectionLost = (error: unknown) =>
    logger.warn(`A connection of the audit was lost (${errorCodeOf(error) ?? 'no code'}).`);
  const store = await AuditStore.open(database, { ...auditSettings(options), onConnectionLost });
  for (const warning of [...store.warnings, ...store.protectionWarnings]) logger.warn(warning);
  return store;
}

/** Nobody should learn after a crash that there is nothing to learn from. */
function refuseVolatile(database: DataSourceOptions, options: AuditOptions): void {
  const isVolatile = database.type === 'better-sqlite3' && ['', ':memory:'].includes(database.database);
  if (!isVolatile || options.dangerouslyVolatile === true || options.dangerouslyRecordNothing === true)
    return;
  throw new AuditSetupError(
    'The audit would be in memory, and every record gone when the process ends. Give it a file or a PostgreSQL: ' +
      "audit: { database: { type: 'better-sqlite3', database: 'data/audit.sqlite' } }. " +
      'Where nobody will have to account for anything, such as in a test, write audit: { dangerouslyVolatile: true }.',
  );
}

/**
 * The audit trail of a server.
 *
 * @example
 * AuditModule.register({})                                                       // the application's database
 * AuditModule.register({ database: { type: 'better-sqlite3', database: 'data/audit.sqlite' } })
 */
@Module({
  providers: [
    {
      provide: AuditStore,
      inject: [AUDIT_OPTIONS, { token: getDataSourceToken(), optional: true }],
      useFactory: openStore,
    },
    {
      provide: TypeOrmAuditTrail,
      inject: [AuditStore, AUDIT_OPTIONS],
      useFactory: (store: AuditStore, options: AuditOptions) =>
        new TypeOrmAuditTrail(store, auditSettings(options)),
    },
    {
      provide: AUDIT_RECORDER,
      inject: [TypeOrmAuditTrail, AUDIT_OPTIONS],
      useFactory: (trail: TypeOrmAuditTrail, { dangerouslyRecordNothing }: AuditOptions) =>
        dangerouslyRecordNothing === true ? new NothingTrail() : trail,
    },
    { provide: AuditTrail, useExisting: AUDIT_RECORDER },
    {
      provide: AuditReader,
      inject: [AuditStore],
      useFactory: (store: AuditStore) => new AuditReader(store),
    },
    {
      provide: RecordWalk,
      inject: [AuditStore, AuditReader],
      useFactory: (store: AuditStore, reader: AuditReader) => new RecordWalk(store, reader),
    },
    {
      provide: AuditFollowers,
      inject: [AuditStore, AuditReader, AUDIT_OPTIONS],
      useFactory: (store: AuditStore, reader: AuditReader, options: AuditOptions) => {
        const { timeoutMs } = auditSettings(options);
        return new AuditFollowers(store, reader, { sinks: options.followers ?? [], timeoutMs });
      },
    },
    {
      provide: AuditLog,
      inject: [AuditStore, TypeOrmAuditTrail, AUDIT_OPTIONS],
      useFactory: openAuditLog,
    },
  ],
  exports: [
    AuditTrail,
    AUDIT_RECORDER,
    TypeOrmAuditTrail,
    AuditReader,
    AuditStore,
    AuditLog,
    RecordWalk,
    AuditFollowers,
  ],
})
export class AuditModule extends ConfigurableModuleClass {}
