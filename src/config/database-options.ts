import { grantRows } from 'sallyport';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { OFFICE_MIGRATIONS } from '../office/migrations/office.migrations.js';
import { OFFICE_TABLES } from '../office/migrations/office.tables.js';
import type { Configuration } from './configuration.js';

/**
 * TypeORM's options for the configured database. The directory of a SQLite file is made by the driver.
 *
 * `synchronize` stays off everywhere: a schema changes by migration, which runs before the first call is served.
 */
export function databaseOptions({
  database,
  databaseOwner,
}: Pick<Configuration, 'database' | 'databaseOwner'>): DataSourceOptions {
  const migrations = [...OFFICE_MIGRATIONS];
  const schema = { synchronize: false, migrationsRun: databaseOwner === undefined, migrations };
  if (database.kind === 'postgres') return { type: 'postgres', url: database.url, ...schema };
  // Write-ahead logging lets readers go on while something is written; an in-memory database has no log.
  const enableWAL = database.path !== ':memory:';
  return { type: 'better-sqlite3', database: database.path, enableWAL, ...schema };
}

/**
 * The same, once the owner of the tables has brought them up to date, if it is another role than that of the server: who
 * owns a table can switch its row-level security off.
 *
 * @example
 * ```ts
 * TypeOrmModule.forRootAsync({ useFactory: () => preparedDatabase(configuration) });
 * ```
 */
export async function preparedDatabase(
  config: Pick<Configuration, 'database' | 'databaseOwner'>,
): Promise<DataSourceOptions> {
  const { database, databaseOwner } = config;
  if (databaseOwner?.kind === 'postgres' && database.kind === 'postgres')
    await migrateAsOwner(databaseOwner.url, decodeURIComponent(new URL(database.url).username));
  return databaseOptions(config);
}

async function migrateAsOwner(url: string, role: string): Promise<void> {
  const migrations = [...OFFICE_MIGRATIONS];
  const owner = await new DataSource({ type: 'postgres', url, migrations }).initialize();
  try {
    await owner.runMigrations();
    const runner = owner.createQueryRunner();
    for (const table of OFFICE_TABLES) await grantRows(runner, table, role);
    await runner.release();
  } finally {
    await owner.destroy();
  }
}
