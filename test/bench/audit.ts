import { sallyport, type Contender, type Surroundings } from './contenders.js';
import type { Databases } from './databases.js';

const TOOLS = 20;
const BASELINES = new Set(['audit-off-sqlite', 'audit-off-postgres']);

/**
 * Governed calls with the audit, next to the same without any: on each database the baseline comes first. The records
 * go where the application's own tables are, as they do by default.
 */
export async function auditContenders(
  surroundings: Surroundings,
  databases: Pick<Databases, 'postgres'>,
): Promise<Contender[]> {
  return [...onSqlite(surroundings), ...(await onPostgres(surroundings, databases))];
}

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

function onPostgres(
  surroundings: Surroundings,
  databases: Pick<Databases, 'postgres'>,
): Promise<Contender[]> {
  const row = async (id: string, label: string, audit: Audit) => {
    const { url } = await databases.postgres(id);
    return sallyport(id, label, surroundings, { tools: TOOLS, audit, postgres: url });
  };
  return Promise.all([
    row('audit-off-postgres', 'PostgreSQL: nothing recorded', 'off'),
    row('audit-postgres', 'PostgreSQL: strict', 'durable'),
    row('audit-signed-postgres', 'PostgreSQL: strict, and signed', 'signed'),
  ]);
}

type Audit = NonNullable<Parameters<typeof sallyport>[3]['audit']>;
