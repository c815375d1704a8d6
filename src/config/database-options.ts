import type { DataSourceOptions } from 'typeorm';
import { OFFICE_MIGRATIONS } from '../office/migrations/office.migrations.js';
import type { Configuration } from './configuration.js';

/**
 * TypeORM's options for the configured database. The directory of a SQLite file is made by the driver.
 *
 * `synchronize` stays off everywhere: a schema changes by migration, which runs before the first call is served.
 *
 * @example
 * ```ts
 * TypeOrmModule.forRoot({ ...databaseOptions(configuration), autoLoadEntities: true });
 * ```
 */
export function databaseOptions({ database }: Pick<Configuration, 'database'>): DataSourceOptions {
  const schema = { synchronize: false, migrationsRun: true, migrations: [...OFFICE_MIGRATIONS] };
  if (database.kind === 'postgres') return { type: 'postgres', url: database.url, ...schema };
  // Write-ahead logging lets readers go on while something is written; an in-memory database has no log.
  const enableWAL = database.path !== ':memory:';
  return { type: 'better-sqlite3', database: database.path, enableWAL, ...schema };
}
