import { readInsertValues, type InsertValues, type Span } from './insert-values.js';
import { keyForTenant } from './rows-of-tenant.js';
import { aliasOf, assignments, findWord, limitToTenant, tenantColumn, type Target } from './scope-change.js';
import { sql, TENANT, type Edit } from './scoped-sql.js';
import { quoted, type LinkTable, type RowTable } from './tenant-table.js';
import type { Token } from './tokens.js';
import { unscopable } from './unscopable.js';

export interface ScopedInsert {
  readonly edits: readonly Edit[];
  /** Indexes, from 0, of parameters that must be the tenant. */
  readonly own: readonly number[];
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
  const upsert = scopeUpsert(target, values.end);
  if (table.kind === 'links') {
    if (upsert.edits.length > 0) throw unscopable('an upsert of links between rows');
    return { edits: scopeLinks(tokens, values, table), own: [], upserts: undefined };
  }
  const { edits, own } = scopeRows(tokens, values, table);
  return {
    edits: [...edits, ...upsert.edits],
    own,
    upserts: upsert.mustWrite ? values.rows.length : undefined,
  };
}

function scopeRows(tokens: readonly Token[], { columns, columnsEnd, rows }: InsertValues, table: RowTable) {
  const at = columns.indexOf(table.column.toLowerCase());
  const own: number[] = [];
  if (at === -1) return { edits: addedColumn(tokens, columnsEnd, rows, table), own };
  const edits = rows.flatMap(({ values }): Edit[] => {
    const token = onlyToken(tokens, values[at]);
    if (token.kind === 'parameter') own.push(parameterIndex(tokens, token));
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
    const ends = next === undefined || next.text === ',' || ['where', 'returning'].includes(next.name);
    if (!same || !ends) throw tenantColumn();
  }
}

function onlyToken(tokens: readonly Token[], span: Span | undefined): Token {
  const token = span === undefined || span.first !== span.last ? undefined : tokens[span.first];
  if (token === undefined) throw unscopable('an expression where a plain value belongs');
  return token;
}

/** `$2` is at 1; a `?` is at as many as stand before it. */
function parameterIndex(tokens: readonly Token[], token: Token): number {
  if (token.text.startsWith('$')) return Number(token.text.slice(1)) - 1;
  if (token.text !== '?') throw unscopable('a parameter with a name or a number');
  return tokens.filter(({ text, kind, start }) => kind === 'parameter' && text === '?' && start < token.start)
    .length;
}
