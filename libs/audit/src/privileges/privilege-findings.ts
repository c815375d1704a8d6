import type { DataSource } from 'typeorm';

import { AUDIT_TABLE } from '../audit-record.entity.js';
import { AuditSetupError } from '../audit.errors.js';
import { triggerNames } from './append-only.js';

/** Ranges of records that may be deleted. Nobody but an operator may add one. */
export const SEALED_TABLES = ['sallyport_audit_sealed', 'sallyport_log_seal'] as const;
/** Tables to which a server only adds rows. */
export const APPEND_ONLY_TABLES = [
  AUDIT_TABLE,
  'sallyport_log_leaf',
  'sallyport_log_tile',
  'sallyport_log_checkpoint',
] as const;
const PROTECTED = [...APPEND_ONLY_TABLES, ...SEALED_TABLES];

/**
 * Why a record could be changed or deleted by this server, in sentences. Empty: the database would refuse it.
 *
 * @throws {AuditSetupError} with all of them, when `check` asks for none
 */
export async function privilegeFindings(dataSource: DataSource, mode: 'check' | 'warn'): Promise<string[]> {
  const isPostgres = dataSource.options.type === 'postgres';
  const findings = isPostgres ? await postgresFindings(dataSource) : await sqliteFindings(dataSource);
  if (mode === 'warn' || findings.length === 0) return findings;
  throw new AuditSetupError(
    `audit.privileges is 'check', and this server could change its own audit:\n${findings.map((finding) => `- ${finding}`).join('\n')}`,
  );
}

const REPAIR = 'Only a migration by hand brings them back: see libs/audit, append-only.ts.';

async function sqliteFindings(dataSource: DataSource): Promise<string[]> {
  const rows = await dataSource.query<{ name: string }[]>(
    "SELECT name FROM sqlite_schema WHERE type = 'trigger'",
  );
  const present = new Set(rows.map(({ name }) => name));
  const expected = PROTECTED.flatMap((table) => triggerNames(table, 'better-sqlite3'));
  const missing = [...expected, `${AUDIT_TABLE}_no_replace`].filter((name) => !present.has(name));
  return missing.length === 0 ? [] : [`The triggers ${missing.join(', ')} are missing. ${REPAIR}`];
}

/** What PostgreSQL would let the connected role do to these tables, and which triggers stop it. */
interface Rights {
  readonly role: string;
  readonly superuser: boolean;
  readonly owned: string[] | null;
  readonly schemas: string[] | null;
  readonly changeable: string[] | null;
  readonly sealable: string[] | null;
  readonly triggers: string[] | null;
}

/** A trigger that fires whatever the session pretends to be (`session_replication_role`) is enabled as `A`, not `O`. */
const RIGHTS = `
  WITH protected AS (
    SELECT name::regclass AS id, ordinality > $2::int AS is_seal
    FROM unnest($1::text[]) WITH ORDINALITY AS t (name, ordinality)
  )
  SELECT current_user AS role,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
    (SELECT array_agg(relname::text) FROM protected JOIN pg_class ON oid = id
      WHERE pg_has_role(current_user, relowner, 'MEMBER')) AS owned,
    (SELECT array_agg(DISTINCT nspname::text) FROM protected JOIN pg_class c ON c.oid = id
      JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE pg_has_role(current_user, n.nspowner, 'MEMBER')) AS schemas,
    (SELECT array_agg(id::text) FROM protected
      WHERE has_table_privilege(id, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
        OR has_any_column_privilege(id, 'UPDATE')) AS changeable,
    (SELECT array_agg(id::text) FROM protected
      WHERE is_seal AND has_any_column_privilege(id, 'INSERT')) AS sealable,
    (SELECT array_agg(tgname::text) FROM protected JOIN pg_trigger ON tgrelid = id
      WHERE NOT tgisinternal AND tgenabled = 'A') AS triggers`;

async function postgresFindings(dataSource: DataSource): Promise<string[]> {
  const tables = PROTECTED.map((table) => qualified(dataSource, table));
  const [rights] = await dataSource.query<Rights[]>(RIGHTS, [tables, APPEND_ONLY_TABLES.length]);
  if (rights === undefined) return ['PostgreSQL does not say what this server may do.'];
  const present = new Set(rights.triggers);
  const missing = PROTECTED.flatMap((table) => triggerNames(table, 'postgres')).filter(
    (name) => !present.has(name),
  );
  return [
    ...rightsFindings(rights),
    ...(missing.length === 0
      ? []
      : [`The triggers ${missing.join(', ')} are missing or disabled. ${REPAIR}`]),
  ];
}

const OTHER_ROLE =
  "run the migrations as another role, give this one what `sallyport audit grants` prints, and write audit: { migrations: 'check', privileges: 'check' }.";

function rightsFindings({ role, superuser, owned, schemas, changeable, sealable }: Rights): string[] {
  if (superuser) return [`The role "${role}" is a superuser, whom no trigger stops: ${OTHER_ROLE}`];
  if (owned !== null) {
    return [`The role "${role}" owns ${owned.join(', ')}, so it may take the triggers away: ${OTHER_ROLE}`];
  }
  return [
    ...(schemas === null
      ? []
      : [
          `The role "${role}" owns the schema ${schemas.join(', ')} (or the database, which comes to the same), so it may drop the tables: ${OTHER_ROLE}`,
        ]),
    ...(changeable === null
      ? []
      : [`The role "${role}" may change or delete rows of ${changeable.join(', ')}: ${OTHER_ROLE}`]),
    ...(sealable === null
      ? []
      : [
          `The role "${role}" may write to ${sealable.join(', ')}, and so make records deletable: ${OTHER_ROLE}`,
        ]),
  ];
}

function qualified(dataSource: DataSource, table: string): string {
  const { driver } = dataSource;
  const parts = driver.buildTableName(table, driver.schema).split('.');
  return parts.map((part) => driver.escape(part)).join('.');
}
