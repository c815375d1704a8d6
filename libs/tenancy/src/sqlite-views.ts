import type { QueryRunner } from 'typeorm';

import { ask } from './ask.js';
import { keyOf, quoted, type OpaqueView, type TenantTables } from './sql/tenant-table.js';
import { tokenize } from './sql/tokens.js';

interface View {
  readonly name: string;
  readonly type: 'view' | 'virtual' | 'shadow';
  /** `null` for what SQLite made by itself. */
  readonly sql: string | null;
}

/** Every schema has its own; `temp` calls it otherwise. */
function viewsIn(schema: string): string {
  const master = schema === 'temp' ? 'sqlite_temp_master' : `${quoted(schema)}.sqlite_master`;
  return `SELECT l.name, l.type, s.sql FROM pragma_table_list l LEFT JOIN ${master} s ON s.name = l.name
    WHERE l.type IN ('view', 'virtual', 'shadow') AND l.schema = '${schema.replaceAll("'", "''")}'`;
}

/** Samples of the rows that ANALYZE has seen, whosever they were. */
const SAMPLES = ['sqlite_stat3', 'sqlite_stat4'];

/**
 * The views that name a table of tenants, or another such view; virtual tables as well, such as a search index with
 * `content=ticket`, and the tables in which those keep what they know. What they show cannot be told apart by tenant.
 */
export async function viewsOver(runner: QueryRunner, tables: TenantTables): Promise<Map<string, OpaqueView>> {
  const schemas = await ask<{ name: string }>(runner, 'SELECT name FROM pragma_database_list');
  const views: View[] = [];
  for (const { name } of schemas) views.push(...(await ask<View>(runner, viewsIn(name))));
  const opaque = new Map<string, OpaqueView>(SAMPLES.map((path) => [path, { kind: 'opaque', path }]));
  // Each round finds the views over those of the round before.
  for (let found = -1; found !== opaque.size;) {
    found = opaque.size;
    for (const view of views) {
      if (isOver(view, tables) || isOver(view, opaque))
        opaque.set(keyOf(view.name), { kind: 'opaque', path: view.name });
    }
  }
  return opaque;
}

function isOver({ name, type, sql }: View, tables: TenantTables): boolean {
  // SQLite names them after their virtual table: `ticket_search_content`.
  if (type === 'shadow') return [...tables.keys()].some((key) => name.toLowerCase().startsWith(`${key}_`));
  return sql !== null && tokenize(sql, 'sqlite').some((token) => tables.has(token.name));
}
