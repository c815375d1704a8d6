import { UnsafeWiringError } from '@sallyport/mcp';
import { DataSource, type DataSourceOptions, type QueryRunner, type ReplicationMode } from 'typeorm';

import { TenancyError } from './tenancy.errors.js';

/** How `acrossTenants` connects on PostgreSQL. */
export type Across = { readonly url: string } | { readonly username: string; readonly password: string };

/** The options of a connection of its own: without entities, and nothing is made or migrated. */
const BARE = {
  entities: [],
  subscribers: [],
  migrations: [],
  migrationsRun: false,
  synchronize: false,
  dropSchema: false,
  installExtensions: false,
  replication: undefined,
};

/** Connects as another role, or to another server of a replication. */
export async function connectAs({ options }: DataSource, given: object): Promise<DataSource> {
  const base: object = Object.assign({}, options, masterOf(options));
  const merged: DataSourceOptions = Object.assign({}, base, urlOf(base, given), given, BARE);
  return new DataSource(merged).initialize();
}

/** For TypeORM, the user within a URL comes before the one beside it. */
function urlOf(base: object, given: object): object {
  const url: unknown = Reflect.get(base, 'url');
  if (typeof url !== 'string' || !('username' in given) || !('password' in given)) return {};
  const changed = new URL(url);
  changed.username = encodeURIComponent(String(given.username));
  changed.password = encodeURIComponent(String(given.password));
  return { url: changed.href };
}

/** With replication, the members of one server are not those of the options themselves. */
function masterOf(options: DataSourceOptions): object {
  return options.type === 'postgres' && options.replication !== undefined ? options.replication.master : {};
}

/**
 * The connection of `acrossTenants`, which ends with that of the server.
 *
 * @throws UnsafeWiringError when it is not the role that was named
 */
export async function connectAcross(dataSource: DataSource, given: Across): Promise<DataSource> {
  const across = await connectAs(dataSource, given);
  const [row] = await across.query<{ role: string }[]>('SELECT current_user AS "role"');
  if ('username' in given && row?.role !== given.username) {
    await across.destroy();
    const message = `acrossTenants connects as ${String(row?.role)} and not as ${given.username}: write tenancy: { across: { url } }.`;
    throw new UnsafeWiringError([{ code: 'row_security_across', message }]);
  }
  const destroy = dataSource.destroy.bind(dataSource);
  Object.assign(dataSource, {
    destroy: async () => {
      await destroy();
      await across.destroy();
    },
  });
  return across;
}

/** With the metadata and the subscribers of the one `DataSource`, and a connection of the other. */
export function runnerAcross(
  dataSource: DataSource,
  across: DataSource | undefined,
  mode: ReplicationMode,
): QueryRunner {
  if (across === undefined)
    throw new TenancyError(
      'no_across_connection',
      'On PostgreSQL, acrossTenants needs a role of its own: write tenancy: { across: { url } }.',
    );
  return Object.assign(across.driver.createQueryRunner(mode), { dataSource });
}
