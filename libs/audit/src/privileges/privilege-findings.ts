import type { DataSource } from 'typeorm';

import { AUDIT_TABLE } from '../audit-record.entity.js';
import { AuditSetupError } from '../audit.errors.js';
import { triggerNames } from './append-only.js';
import { postgresRights, qualified } from './postgres-rights.js';

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

/** A trigger that fires whatever the session pretends to be (`session_replication_role`) is enabled as `A`, not `O`. */
const TRIGGERS = `
  SELECT tgname::text AS name FROM pg_trigger
  WHERE tgrelid = ANY ($1::regclass[]) AND NOT tgisinternal AND tgenabled = 'A'`;

async function postgresFindings(dataSource: DataSource): Promise<string[]> {
  const tables = PROTECTED.map((table) => qualified(dataSource, table));
  const rows = await dataSource.query<{ name: string }[]>(TRIGGERS, [tables]);
  const present = new Set(rows.map(({ name }) => name));
  const missing = PROTECTED.flatMap((table) => triggerNames(table, 'postgres')).filter(
    (name) => !present.has(name),
  );
  return [
    ...(await postgresRights(dataSource, { appendOnly: APPEND_ONLY_TABLES, seals: SEALED_TABLES })),
    ...(missing.length === 0
      ? []
      : [`The triggers ${missing.join(', ')} are missing or disabled. ${REPAIR}`]),
  ];
}
