import { ConfigurableModuleBuilder, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Revocations } from '@sallyport/mcp';
import { errorCodeOf, Store, StoreSetupError, storeSettings, type StoreOptions } from '@sallyport/store';
import type { DataSource } from 'typeorm';
import { LiveRevocations } from './live.revocations.js';
import { RevocationLog } from './revocation.log.js';
import { REVOCATION_STORE, REVOCATION_TABLES } from './revocation.tables.js';

/** Where revocations are kept. Default: the application's database, over a connection of their own. */
export type RevocationOptions = StoreOptions;

/** Nest injection token of {@link RevocationOptions}. */
export const REVOCATION_OPTIONS = Symbol.for('sallyport:revocation-options');

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<RevocationOptions>({
  optionsInjectionToken: REVOCATION_OPTIONS,
}).build();

async function openLog(
  options: RevocationOptions,
  application: DataSource | undefined,
): Promise<RevocationLog> {
  const database = options.database ?? application?.options;
  if (database === undefined) {
    throw new StoreSetupError(
      'The revocations have no database. Import TypeOrmModule.forRoot(…), or give revocations.database the options of one.',
    );
  }
  const logger = new Logger('RevocationModule');
  const onConnectionLost = (error: unknown) =>
    logger.warn(`A connection of the revocations was lost (${errorCodeOf(error) ?? 'no code'}).`);
  const settings = { ...storeSettings(options, REVOCATION_STORE.option), onConnectionLost };
  return new RevocationLog(await Store.open(database, REVOCATION_STORE, [REVOCATION_TABLES], settings));
}

/** Ends the looking before the connection it looks through. */
class RevocationLifecycle implements OnApplicationShutdown {
  constructor(
    private readonly live: LiveRevocations,
    private readonly log: RevocationLog,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    this.live.stop();
    await this.log.close();
  }
}

/** Knows what is revoked, in this process and in every other one on the same database. */
@Module({
  providers: [
    {
      provide: RevocationLog,
      inject: [REVOCATION_OPTIONS, { token: getDataSourceToken(), optional: true }],
      useFactory: openLog,
    },
    {
      provide: LiveRevocations,
      inject: [RevocationLog],
      useFactory: (log: RevocationLog) => new LiveRevocations(log),
    },
    { provide: Revocations, useExisting: LiveRevocations },
    {
      provide: RevocationLifecycle,
      inject: [LiveRevocations, RevocationLog],
      useFactory: (live: LiveRevocations, log: RevocationLog) => new RevocationLifecycle(live, log),
    },
  ],
  exports: [Revocations, LiveRevocations, RevocationLog],
})
export class RevocationModule extends ConfigurableModuleClass {}
