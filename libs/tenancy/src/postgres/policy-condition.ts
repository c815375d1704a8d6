import { keyOf, type LinkTable, type RowTable } from '../sql/tenant-table.js';
import type { PolicyRow } from './catalog.queries.js';

/** As PostgreSQL writes out what `enableTenantRows` has written, with the casts that the type of the column needs: no lossy one. */
const SETTING = String.raw`\(?NULLIF\(current_setting\('sallyport\.tenant'::text, true\), ''::text\)\)?`;
const AS_TEXT = String.raw`(?:::text|::character varying)?`;
/** For an enum, its type, which TypeORM names so. */
const AS_COLUMN = String.raw`(?:::text|::character varying|::uuid|::(?:[\w"]+\.)?"?\w+_enum"?)?`;

/**
 * Does this policy show and take the rows of the tenant alone? What is worded in another way counts as loose, since
 * nobody can tell in general.
 */
export function isTenantCondition(
  { command, using, check }: Pick<PolicyRow, 'command' | 'using' | 'check'>,
  table: RowTable | LinkTable,
): boolean {
  // PostgreSQL: without WITH CHECK, USING is both; INSERT has no USING, SELECT and DELETE no WITH CHECK.
  const needed = command === 'a' ? [check] : [using, ...(check === null ? [] : [check])];
  return needed.every((condition) => condition !== null && isExpected(condition, table));
}

function isExpected(condition: string, table: RowTable | LinkTable): boolean {
  return table.kind === 'rows' ? comparesTenant(condition, table) : followsEnds(condition, table);
}

function comparesTenant(condition: string, { column }: RowTable): boolean {
  const name = escaped(/^[a-z_][a-z0-9_]*$/.test(column) ? column : `"${column}"`);
  return new RegExp(String.raw`^\(\(?"?${name}"?\)?${AS_TEXT} = ${SETTING}${AS_COLUMN}\)$`).test(condition);
}

/** One EXISTS for each end, joined with AND: each row of another table is there only if its own policies show it. */
function followsEnds(condition: string, { ends }: LinkTable): boolean {
  const parts = condition.split(/\bEXISTS\b/).length - 1;
  const named = ends.every(({ column, table }) => {
    return condition.includes(column) && condition.toLowerCase().includes(keyOf(table.path));
  });
  return parts >= ends.length && named && !/\bOR\b|\bNOT\b|\btrue\b/i.test(condition);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
