import type { DataSource } from 'typeorm';

import { AUDIT_TABLE } from '../audit-record.entity.js';
import { AUDIT_KEY_TABLE } from '../keyed/audit-key.entity.js';

/** What is protected, by names without schema. */
export interface ProtectedTables {
  readonly appendOnly: readonly string[];
  readonly seals: readonly string[];
}

/** How a role of PostgreSQL could change the audit. */
type Power =
  | 'superuser'
  | 'createrole'
  | 'server_program'
  | 'owns_table'
  | 'owns_schema'
  | 'owns_database'
  | 'owns_function'
  | 'changes'
  | 'seals'
  | 'changes_keys'
  | 'sets_numbers';

interface Held {
  readonly power: Power;
  /** As whom: the connected role, or one that it can turn into. */
  readonly holder: string;
  readonly connected: string;
  readonly object: string;
}

/**
 * Everything that this connection could do, also as another role: as the one that signed in, which `SET ROLE NONE` brings back
 * whatever `-c role=` says, or as any that either is a member of. `MEMBER` and not `USAGE`, as `NOINHERIT` only asks for a
 * `SET ROLE` first.
 */
const HELD = `
  WITH reachable AS (
    SELECT oid, rolname::text AS holder, rolsuper, rolcreaterole FROM pg_roles
    WHERE pg_has_role(session_user, oid, 'MEMBER') OR pg_has_role(current_user, oid, 'MEMBER')
  ), given AS (
    SELECT name::regclass AS id, sort FROM unnest($1::text[], $2::text[]) AS t (name, sort)
  ), held AS (
    SELECT 'superuser' AS power, holder, '' AS object FROM reachable WHERE rolsuper
    UNION ALL SELECT 'createrole', holder, '' FROM reachable WHERE rolcreaterole
    UNION ALL SELECT 'server_program', holder, holder FROM reachable
      WHERE holder IN ('pg_execute_server_program', 'pg_write_server_files')
    UNION ALL SELECT 'owns_table', holder, relname::text FROM given
      JOIN pg_class c ON c.oid = id JOIN reachable r ON r.oid = relowner
    UNION ALL SELECT 'owns_schema', holder, nspname::text FROM given
      JOIN pg_class c ON c.oid = id JOIN pg_namespace n ON n.oid = relnamespace JOIN reachable r ON r.oid = nspowner
    UNION ALL SELECT 'owns_database', holder, datname::text FROM pg_database
      JOIN reachable r ON r.oid = datdba WHERE datname = current_database()
    UNION ALL SELECT 'owns_function', holder, proname::text FROM given
      JOIN pg_trigger ON tgrelid = id AND NOT tgisinternal JOIN pg_proc p ON p.oid = tgfoid JOIN reachable r ON r.oid = proowner
    UNION ALL SELECT 'changes', holder, id::text FROM given, reachable r
      WHERE sort IN ('added', 'seal') AND (has_table_privilege(r.oid, id, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
        OR has_any_column_privilege(r.oid, id, 'UPDATE'))
    UNION ALL SELECT 'seals', holder, id::text FROM given, reachable r
      WHERE sort = 'seal' AND has_any_column_privilege(r.oid, id, 'INSERT')
    UNION ALL SELECT 'changes_keys', holder, id::text FROM given, reachable r
      WHERE sort = 'key' AND (has_table_privilege(r.oid, id, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
        OR has_any_column_privilege(r.oid, id, 'UPDATE'))
    UNION ALL SELECT 'sets_numbers', holder, id::text FROM given, reachable r
      WHERE sort = 'numbers' AND has_sequence_privilege(r.oid, id, 'UPDATE')
  )
  SELECT DISTINCT ON (power, object) power, holder, current_user::text AS connected, object FROM held
  ORDER BY power, object, holder <> current_user, holder <> session_user, holder`;

/** What the connected role could do to the audit, in sentences that say what to write instead. Empty: nothing. */
export async function postgresRights(dataSource: DataSource, tables: ProtectedTables): Promise<string[]> {
  const given = [
    ...tables.appendOnly.map((name) => [name, 'added']),
    ...tables.seals.map((name) => [name, 'seal']),
    [AUDIT_KEY_TABLE, 'key'],
    [`${AUDIT_TABLE}_seq_seq`, 'numbers'],
  ];
  const held = await dataSource.query<Held[]>(HELD, [
    given.map(([name = '']) => qualified(dataSource, name)),
    given.map(([, sort]) => sort),
  ]);
  return findingsOf(held);
}

/** A superuser may do everything, and the owner of the tables nearly so: then the rest is noise. */
function findingsOf(held: readonly Held[]): string[] {
  const decisive = DECISIVE.find((power) => held.some((one) => one.power === power));
  const shown = decisive === undefined ? held : held.filter(({ power }) => power === decisive);
  const groups = new Map<string, { readonly first: Held; readonly objects: string[] }>();
  for (const one of shown) {
    const id = `${one.power}\n${one.holder}`;
    const group = groups.get(id) ?? { first: one, objects: [] };
    group.objects.push(one.object);
    groups.set(id, group);
  }
  return [...groups.values()].map(({ first, objects }) => sentence(first, objects.join(', ')));
}

const DECISIVE = ['superuser', 'owns_table'] as const;

function sentence({ power, holder, connected }: Held, objects: string): string {
  const who =
    holder === connected
      ? `The role "${connected}"`
      : `The role "${connected}" can become "${holder}", which`;
  return `${who} ${DOES[power](objects)}`;
}

const OTHER_ROLE =
  "run the migrations as another role, give this one what `sallyport audit grants` prints, and write audit: { migrations: 'check', privileges: 'check' }.";
const NO_MEMBER = 'sign in as a role that is a member of none such.';

const DOES: Readonly<Record<Power, (objects: string) => string>> = {
  superuser: () => `is a superuser, whom no trigger stops: ${OTHER_ROLE}`,
  createrole: () =>
    `has CREATEROLE, and may so become a role that can change the audit: ALTER ROLE … NOCREATEROLE, or ${NO_MEMBER}`,
  server_program: (roles) =>
    `may run programs or write files on the database server (${roles}), and so everything: REVOKE ${roles}, or ${NO_MEMBER}`,
  owns_table: (tables) => `owns ${tables}, so it may take the triggers away: ${OTHER_ROLE}`,
  owns_schema: (schemas) =>
    `owns the schema ${schemas} (or the database, which comes to the same), so it may drop the tables: ${OTHER_ROLE}`,
  owns_database: (databases) =>
    `owns the database ${databases}, so it may drop it: ALTER DATABASE … OWNER TO another role, and ${OTHER_ROLE}`,
  owns_function: (functions) =>
    `owns ${functions}, so it may make the triggers do nothing: ALTER FUNCTION … OWNER TO the owner of the tables.`,
  changes: (tables) => `may change or delete rows of ${tables}: ${OTHER_ROLE}`,
  seals: (tables) => `may write to ${tables}, and so make records deletable: ${OTHER_ROLE}`,
  changes_keys: (tables) =>
    `may change or destroy the keys of people in ${tables}: what \`sallyport audit grants --erase\` prints is for another role, as which SALLYPORT_AUDIT_DATABASE lets \`sallyport audit erase\` work. Here: ${OTHER_ROLE}`,
  sets_numbers: (sequences) =>
    `may set the numbers of records (UPDATE on ${sequences}), so that readers pass them over: ${OTHER_ROLE}`,
};

/** As PostgreSQL takes a name, in the schema of the options. */
export function qualified(dataSource: DataSource, table: string): string {
  const { driver } = dataSource;
  const parts = driver.buildTableName(table, driver.schema).split('.');
  return parts.map((part) => driver.escape(part)).join('.');
}
