import { readInsertValues, type InsertValues, type Span } from './insert-values.js';
import { Parameters } from './parameters.js';
import { keyForTenant } from './rows-of-tenant.js';
import {
  aliasOf,
  assignments,
  endsAssignment,
  findWord,
  limitToTenant,
  tenantColumn,
  type Target,
} from './scope-change.js';
import { sql, TENANT, type Edit } from './scoped-sql.js';
import { quoted, type LinkTable, type RowTable } from './tenant-table.js';
import type { Token } from './tokens.js';
import { unscopable } from './unscopable.js';

export interface ScopedInsert {
  readonly edits: readonly Edit[];
  /** Indexes, from 0, of parameters that must be the tenant. */
  readonly own: readonly number[];
  /** The same of an UPDATE, which may name the tenant that the row has. */
  readonly kept: readonly number[];
  /** Rows that an upsert must have written, or it met a row of another tenant. `undefined`: not known. */
  readonly upserts: number | undefined;
}

/**
 * Gives each row the tenant, and keeps an upsert off the rows of others. A link is inserted only between rows of the
 * tenant: a key of another's row becomes NULL, which no link table takes.
 */
export function scopeInsert(target: Target): ScopedInsert {
  const { tokens, name, table } = target;
  // SQLite: INSERT OR REPLACE, and REPLACE for short, delete whatever row is in the way.
  if (tokens[name.first - 2]?.name !== 'insert') throw unscopable('INSERT OR …, or REPLACE: use upsert');
  const values = readInsertValues(tokens, name.last);
  refuseMoreThanRows(tokens, values.end + 1);
  const upsert = scopeUpsert(target, values.end);
  if (table.kind === 'links') {
    if (upsert.edits.length > 0) throw unscopable('an upsert of links between rows');
    return { edits: scopeLinks(tokens, values, table), own: [], kept: [], upserts: undefined };
  }
  const { edits, own } = scopeRows(tokens, values, table);
  return {
    edits: [...edits, ...upsert.edits],
    own,
    kept: [],
    upserts: upsert.mustWrite ? values.rows.length : undefined,
  };
}

/** `VALUES (…) UNION ALL SELECT …` is a query whose first row has the tenant, and whose others have any. */
function refuseMoreThanRows(tokens: readonly Token[], at: number): void {
  const [next, after] = tokens.slice(at, at + 2);
  if (next === undefined || (next.kind === 'word' && next.name === 'returning')) return;
  const isUpsert = next.kind === 'word' && next.name === 'on' && after?.name === 'conflict';
  if (!isUpsert) throw unscopable('an INSERT of more than rows of values');
}

function scopeRows(tokens: readonly Token[], { columns, columnsEnd, rows }: InsertValues, table: RowTable) {
  const at = columns.indexOf(table.column.toLowerCase());
  const own: number[] = [];
  const parameters = new Parameters(tokens);
  if (at === -1) return { edits: addedColumn(tokens, columnsEnd, rows, table), own };
  const edits = rows.flatMap(({ values }): Edit[] => {
    const token = onlyToken(tokens, values[at]);
    if (token.kind === 'parameter') own.push(parameters.indexOf(token));
    else if (token.name === 'null' || token.name === 'default')
      return [{ start: token.start, end: token.end, by: [TENANT] }];
    else throw unscopable('an expression for the tenant: leave it out');
    return [];
  });
  return { edits, own };
}

function addedColumn(
  tokens: readonly Token[],
  columnsEnd: number,
  rows: InsertValues['rows'],
  { column }: RowTable,
): Edit[] {
  const before = (index: number, by: Edit['by']): Edit => {
    const start = tokens[index]?.start ?? 0;
    return { start, end: start, by };
  };
  return [
    before(columnsEnd, [`, ${quoted(column)}`]),
    ...rows.map(({ end }) => before(end, sql`, ${TENANT}`)),
  ];
}

function scopeLinks(tokens: readonly Token[], { columns, rows }: InsertValues, table: LinkTable): Edit[] {
  return table.ends.flatMap((end) => {
    const at = columns.indexOf(end.column.toLowerCase());
    if (at === -1) throw unscopable('a link without one of its ends');
    return rows.map(({ values }) => {
      const token = onlyToken(tokens, values[at]);
      return { start: token.start, end: token.end, by: sql`(${keyForTenant(end, [token.text])})` };
    });
  });
}

/** `DO UPDATE` changes a row that is there already: only one of the tenant. */
function scopeUpsert(target: Target, after: number): { edits: Edit[]; mustWrite: boolean } {
  const { tokens, table } = target;
  const conflict = findWord(tokens, 'conflict', after);
  if (conflict === undefined) return { edits: [], mustWrite: false };
  if (findWord(tokens, 'conflict', conflict) !== undefined) throw unscopable('several ON CONFLICT');
  const does = findWord(tokens, 'do', conflict) ?? conflict;
  if (tokens[does + 1]?.name === 'nothing') return { edits: [], mustWrite: false };
  const set = does + 2;
  if (tokens[does + 1]?.name !== 'update' || tokens[set]?.name !== 'set')
    throw unscopable('ON CONFLICT without DO');
  if (table.kind === 'rows') refuseOtherTenant(tokens, set, table);
  const mustWrite = findWord(tokens, 'where', set) === undefined;
  return { edits: limitToTenant(target, aliasOf(target), set), mustWrite };
}

/** The tenant of the row that was to be inserted is the tenant of the call, so that much may be set. */
function refuseOtherTenant(tokens: readonly Token[], set: number, { column }: RowTable): void {
  const name = column.toLowerCase();
  for (const at of assignments(tokens, set)) {
    if (tokens[at]?.name !== name) continue;
    const [equals, excluded, dot, own, next] = tokens.slice(at + 1, at + 6);
    const same =
      equals?.text === '=' && excluded?.name === 'excluded' && dot?.text === '.' && own?.name === name;
    if (!same || !endsAssignment(next)) throw tenantColumn();
  }
}

function onlyToken(tokens: readonly Token[], span: Span | undefined): Token {
  const token = span === undefined || span.first !== span.last ? undefined : tokens[span.first];
  if (token === undefined) throw unscopable('an expression where a plain value belongs');
  return token;
}
