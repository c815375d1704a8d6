import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { errorCodeOf, Store, StoreSetupError, storeSettings, type StoreName } from '@sallyport/store';
import type { DataSource } from 'typeorm';
import type { IdentityOptions } from './identity.options.js';

/** Injection token of the {@link Store} of the sources; `undefined` where none of them has a table. */
export const IDENTITY_STORE = Symbol.for('sallyport.identity.store');

const NAME: StoreName = {
  of: 'the identity sources',
  option: 'identityStore',
  applicationName: 'sallyport-identity',
};

/** One store for all sources, opened before the first of them is asked anything. */
export async function openIdentityStore(
  { sources, storage = {} }: IdentityOptions,
  application: DataSource | undefined,
): Promise<Store | undefined> {
  const tables = sources.flatMap((source) => source.tables ?? []);
  if (tables.length === 0) return undefined;
  const database = storage.database ?? application?.options;
  if (database === undefined) {
    throw new StoreSetupError(
      `The identity sources have no database. Import TypeOrmModule.forRoot(…), or give ${NAME.option}.database the options of one.`,
    );
  }
  const logger = new Logger('Identity');
  const onConnectionLost = (error: unknown) =>
    logger.warn(`A connection of the identity sources was lost (${errorCodeOf(error) ?? 'no code'}).`);
  return Store.open(database, NAME, tables, { ...storeSettings(storage, NAME.option), onConnectionLost });
}

/** Closes the store when the servers are closed, so that no call is left to ask it. */
export class IdentityStoreLifecycle implements OnApplicationShutdown {
  constructor(private readonly store: Store | undefined) {}

  async onApplicationShutdown(): Promise<void> {
    await this.store?.close();
  }
}
