import { errorCodeOf, Store, StoreSetupError } from '@sallyport/store';

import { AUDIT_STORE, AUDIT_TABLES } from '../audit-tables.js';
import { AuditUnavailableError } from '../audit.errors.js';
import { pooledConnection } from '../log/log-connection.js';
import { logNames } from '../log/log-names.js';
import { LogRows } from '../log/log-rows.js';
import { AuditLogError } from '../log/log.errors.js';
import { SealRows } from './seal-rows.js';

/** A connection that may seal: that of the server, or of a role that may do more than it. */
export interface Maintenance {
  readonly log: LogRows;
  readonly seals: SealRows;
  close(): Promise<void>;
}

const HOW =
  'Run it as the owner of the tables, or as a role that has what `sallyport audit grants --role keeper --seal` prints: ' +
  'set SALLYPORT_AUDIT_DATABASE, or say --database, with postgres://keeper:…@host/database.';

/**
 * @param url of the same PostgreSQL, as another role; `undefined`: as the server
 * @throws AuditLogError when the role may not seal, naming what it lacks
 */
export async function openMaintenance(
  server: Store,
  url: string | undefined,
  timeoutMs: number,
): Promise<Maintenance> {
  const store = url === undefined ? server : await openAs(server, url, timeoutMs);
  const close = () => (store === server ? Promise.resolve() : store.close());
  try {
    await requireRights(store);
  } catch (error) {
    await close();
    throw error;
  }
  const connection = pooledConnection(store);
  return {
    log: new LogRows(connection, store.dataSource),
    seals: new SealRows(connection, store.dataSource),
    close,
  };
}

/** The same tables, as a role that may do more than the server. `how`: what to do where that does not work. */
export async function openAs(server: Store, url: string, timeoutMs: number, how = HOW): Promise<Store> {
  const { options } = server.dataSource;
  if (options.type !== 'postgres')
    throw new AuditLogError('The audit is in an SQLite file, which has no roles: leave --database out.');
  if (!/^postgres(ql)?:\/\/\S+$/.test(url))
    throw new AuditLogError(
      '--database is no address of a PostgreSQL: write postgres://role:password@host/database.',
    );
  const { schema, ssl, driver } = options;
  try {
    return await Store.open({ type: 'postgres', url, schema, ssl, driver }, AUDIT_STORE, [AUDIT_TABLES], {
      migrations: 'check',
      timeoutMs,
    });
  } catch (error) {
    // What is said of the server's own database is not what is to be done here.
    if (error instanceof StoreSetupError)
      throw new AuditLogError(
        `The database of --database cannot be used for the audit: ${error.message} ${how}`,
      );
    throw error;
  }
}

interface Right {
  readonly role: string;
  readonly missing: string[] | null;
}

const RIGHTS = `
  SELECT current_user AS role, array_agg(needed.kind || ' on ' || needed.name) AS missing
  FROM unnest($1::text[], $2::text[]) AS needed (name, kind)
  WHERE NOT has_table_privilege(needed.name, needed.kind)`;

/** Asked before anything is written, so that no seal is announced that is then refused. */
async function requireRights({ dataSource }: Store): Promise<void> {
  if (dataSource.options.type !== 'postgres') return;
  const { record, seal, sealed, leaf } = logNames(dataSource);
  const needed = [
    [record, 'SELECT'],
    [record, 'DELETE'],
    [leaf, 'SELECT'],
    [seal, 'SELECT'],
    [seal, 'INSERT'],
    [sealed, 'SELECT'],
    [sealed, 'INSERT'],
  ] as const;
  const [right] = await dataSource.query<Right[]>(RIGHTS, [
    needed.map(([name]) => name),
    needed.map(([, kind]) => kind),
  ]);
  if (right === undefined) throw new AuditLogError('PostgreSQL does not say what this role may do.');
  if (right.missing === null) return;
  throw new AuditLogError(
    `The role "${right.role}" may not seal: it lacks ${right.missing.join(', ')}. ${HOW}`,
  );
}

/** The database failed half way: a full disk, a lost connection. Each step can be gone on from. */
export function sealingStopped(error: unknown): AuditLogError | undefined {
  // It says itself what to do.
  if (error instanceof AuditLogError) return error;
  const cause = error instanceof AuditUnavailableError ? error.cause : error;
  const code = errorCodeOf(cause) ?? (error instanceof AuditUnavailableError ? error.code : undefined);
  if (code === undefined) return undefined;
  return new AuditLogError(
    `The database failed while records were sealed (${code}). Nothing is lost: each record is in the database, or in the file of --out. Once the database works again, run it again with the same --out.`,
  );
}

/** For whoever was refused all the same. */
export function sealingRefused(error: unknown): AuditLogError | undefined {
  if (errorCodeOf(error) !== '42501') return undefined;
  return new AuditLogError(`The database refuses to let the records go. ${HOW}`);
}
