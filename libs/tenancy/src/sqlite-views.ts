import type { DataSource } from 'typeorm';

import { keyOf, type OpaqueView, type TenantTables } from './sql/tenant-table.js';
import { tokenize } from './sql/tokens.js';

interface View {
  readonly name: string;
  readonly sql: string;
}

/** The views that name a table of tenants, or another such view. What they show cannot be told apart by tenant. */
export async function viewsOver(
  dataSource: DataSource,
  tables: TenantTables,
): Promise<Map<string, OpaqueView>> {
  const views = await dataSource.query<View[]>(
    `SELECT name, sql FROM sqlite_master WHERE type = 'view' UNION ALL SELECT name, sql FROM sqlite_temp_master WHERE type = 'view'`,
  );
  const opaque = new Map<string, OpaqueView>();
  // Each round finds the views over those of the round before.
  for (let found = -1; found !== opaque.size;) {
    found = opaque.size;
    for (const { name, sql } of views) {
      if (names(sql, tables) || names(sql, opaque)) opaque.set(keyOf(name), { kind: 'opaque', path: name });
    }
  }
  return opaque;
}

function names(sql: string, tables: TenantTables): boolean {
  return tokenize(sql, 'sqlite').some(({ name }) => tables.has(name));
}
