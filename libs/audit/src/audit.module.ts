import { ConfigurableModuleBuilder, Logger, Module } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AuditTrail } from '@sallyport/mcp';
import { errorCodeOf } from '@sallyport/store';
import type { DataSource } from 'typeorm';

import { AuditSetupError } from './audit.errors.js';
import { AUDIT_OPTIONS, auditSettings, type AuditOptions } from './audit.options.js';
import { AuditReader } from './audit.reader.js';
import { AuditStore } from './audit.store.js';
import { TypeOrmAuditTrail } from './audit.trail.js';

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<AuditOptions>({
  optionsInjectionToken: AUDIT_OPTIONS,
}).build();

/** Nest waits for this provider, so no request is served before the tables are there. */
function openStore(options: AuditOptions, application: DataSource | undefined): Promise<AuditStore> {
  const database = options.database ?? application?.options;
  if (!database)
    throw new AuditSetupError(
      'The audit has no database. Import TypeOrmModule.forRoot(…), or give audit.database the options of one.',
    );
  const logger = new Logger('AuditModule');
  const onConnectionLost = (error: unknown) =>
    logger.warn(`A connection of the audit was lost (${errorCodeOf(error) ?? 'no code'}).`);
  return AuditStore.open(database, { ...auditSettings(options), onConnectionLost });
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
    { provide: AuditTrail, useExisting: TypeOrmAuditTrail },
    {
      provide: AuditReader,
      inject: [AuditStore],
      useFactory: (store: AuditStore) => new AuditReader(store),
    },
  ],
  exports: [AuditTrail, TypeOrmAuditTrail, AuditReader, AuditStore],
})
export class AuditModule extends ConfigurableModuleClass {}
