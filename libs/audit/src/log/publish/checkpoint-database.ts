import { Store, storeSettings, type StoreName } from '@sallyport/store';
import type { DataSourceOptions } from 'typeorm';

import { pooledConnection, type LogConnection } from '../log-connection.js';
import { forDialect } from '../log-names.js';
import type { CheckpointPublisher } from './checkpoint-publisher.js';
import { CreateSallyportPublishedCheckpoints1790000000101 } from './published-checkpoints.migration.js';

const NAME: StoreName = {
  of: 'published checkpoints',
  option: 'checkpointDatabase',
  applicationName: 'sallyport-checkpoints',
};
const TABLES = { entities: () => [], migrations: [CreateSallyportPublishedCheckpoints1790000000101] };

/**
 * Adds each checkpoint to a table of another database (`sallyport_published_checkpoint`), which may hold those of many
 * logs. It is opened when it is first needed, and again when that failed.
 *
 * @param database TypeORM options of a better-sqlite3 or postgres database, not the one of the audit
 * @param origin name of the log, as in its key
 */
export function checkpointDatabase(database: DataSourceOptions, origin: string): CheckpointPublisher {
  const table = new PublishedCheckpoints(database);
  return {
    name: `the database of checkpoints (${database.type})`,
    publish: ({ size, note }) => table.add(origin, size, note),
    latest: () => table.newest(origin),
    close: () => table.close(),
  };
}

class PublishedCheckpoints {
  private opening: Promise<Store> | undefined;

  constructor(private readonly database: DataSourceOptions) {}

  async add(origin: string, size: number, note: string): Promise<void> {
    await this.query('INSERT INTO $ (origin, size, at, note) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', [
      origin,
      size,
      Date.now(),
      note,
    ]);
  }

  async newest(origin: string): Promise<string | undefined> {
    const [row] = await this.query<{ note: string }>(
      'SELECT note FROM $ WHERE origin = ? ORDER BY size DESC, at DESC LIMIT 1',
      [origin],
    );
    return row?.note;
  }

  async close(): Promise<void> {
    const opening = this.opening;
    this.opening = undefined;
    // One that could not be opened has nothing to close.
    const store = await opening?.catch(() => undefined);
    await store?.close();
  }

  private async query<Row>(statement: string, parameters: readonly unknown[]): Promise<Row[]> {
    const store = await this.open();
    const { driver, options } = store.dataSource;
    const path = driver.buildTableName('sallyport_published_checkpoint', driver.schema).split('.');
    const table = path.map((part) => driver.escape(part)).join('.');
    const connection: LogConnection = pooledConnection(store);
    const isPostgres = options.type === 'postgres';
    return connection.query<Row>(forDialect(statement.replace('$', table), isPostgres), parameters);
  }

  private open(): Promise<Store> {
    this.opening ??= Store.open(this.database, NAME, [TABLES], storeSettings({}, NAME.option)).catch(
      (error: unknown) => {
        this.opening = undefined;
        throw error;
      },
    );
    return this.opening;
  }
}
