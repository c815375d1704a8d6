import { sql, TENANT, type Fragment } from './scoped-sql.js';
import { quoted, quotedPath, type LinkEnd, type LinkTable, type RowTable } from './tenant-table.js';

/**
 * True for the rows of the tenant. `alias` is what the table is called here, quoted. A link belongs to the tenant when
 * every row that it points at does.
 */
export function rowsOfTenant(table: RowTable | LinkTable, alias: string): Fragment {
  if (table.kind === 'rows') return sql`${alias}.${quoted(table.column)} = ${TENANT}`;
  const ends = table.ends.map((end) => existsForTenant(end, `${alias}.${quoted(end.column)}`));
  return ends.flatMap((end, index) => (index === 0 ? end : [' AND ', ...end]));
}

function existsForTenant(end: LinkEnd, value: string): Fragment {
  return sql`EXISTS (${keyForTenant(end, [value])})`;
}

const END = '"sallyport_end"';

/** Selects the key that a link points at, if that row is the tenant's; otherwise nothing. */
export function keyForTenant({ key, table }: LinkEnd, value: Fragment): Fragment {
  const column = `${END}.${quoted(key)}`;
  return sql`SELECT ${column} FROM ${quotedPath(table.path)} ${END} WHERE ${column} = ${value} AND ${rowsOfTenant(table, END)}`;
}
