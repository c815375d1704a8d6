import { sallyport, type Contender, type Surroundings } from './contenders.js';

const TOOLS = 20;
const BASELINES = new Set(['audit-off-sqlite', 'audit-off-postgres']);

/**
 * Governed calls with the audit, next to the same without any: on each database the baseline comes first. The records
 * go where the application's own tables are, as they do by default.
 */
export function auditContenders(surroundings: Surroundings, postgres: PostgresDatabases): Contender[] {
  return [...onSqlite(surroundings), ...onPostgres(surroundings, postgres)];
}

/** A database of its own for each server, by the id of its row. */
export type PostgresDatabases = (id: string) => string;

export const POSTGRES_ROWS = ['audit-off-postgres', 'audit-postgres', 'audit-signed-postgres'] as const;

export function isAuditBaseline(id: string): boolean {
  return BASELINES.has(id);
}

function onSqlite(surroundings: Surroundings): Contender[] {
  const row = (id: string, label: string, audit: Audit) =>
    sallyport(id, label, surroundings, { tools: TOOLS, audit });
  return [
    row('audit-off-sqlite', 'SQLite: nothing recorded', 'off'),
    row('audit-sqlite', 'SQLite: strict', 'durable'),
    row('audit-signed-sqlite', 'SQLite: strict, and signed', 'signed'),
  ];
}

function onPostgres(surroundings: Surroundings, databaseOf: PostgresDatabases): Contender[] {
  const row = (id: (typeof POSTGRES_ROWS)[number], label: string, audit: Audit) =>
    sallyport(id, label, surroundings, { tools: TOOLS, audit, postgres: databaseOf(id) });
  return [
    row('audit-off-postgres', 'PostgreSQL: nothing recorded', 'off'),
    row('audit-postgres', 'PostgreSQL: strict', 'durable'),
    row('audit-signed-postgres', 'PostgreSQL: strict, and signed', 'signed'),
  ];
}

type Audit = NonNullable<Parameters<typeof sallyport>[3]['audit']>;
