import { firstAfterAlias } from './scope-change.js';
import type { Token } from './tokens.js';
import { unscopable } from './unscopable.js';

/** Indexes of the first and the last token of an expression; of an empty one, `last` is before `first`. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** The parts of `INSERT INTO table (columns) VALUES (…), (…)`. */
export interface InsertValues {
  /** Lower case. */
  readonly columns: readonly string[];
  /** Index of the parenthesis that closes the columns. */
  readonly columnsEnd: number;
  readonly rows: readonly InsertRow[];
  /** Index of the last token. */
  readonly end: number;
}

export interface InsertRow {
  readonly values: readonly Span[];
  /** Index of the parenthesis that closes it. */
  readonly end: number;
}

/** Reads what follows the name of the table, whose last token is at `after`. */
export function readInsertValues(tokens: readonly Token[], after: number): InsertValues {
  const columns = readList(tokens, firstAfterAlias(tokens, after));
  if (tokens[columns.end + 1]?.name !== 'values') throw unscopable('an INSERT without VALUES');
  const rows = [readList(tokens, columns.end + 2)];
  let end = rows[0]?.end ?? 0;
  while (tokens[end + 1]?.text === ',') {
    const row = readList(tokens, end + 2);
    rows.push(row);
    end = row.end;
  }
  const names = columns.values.map(({ first }) => tokens[first]?.name ?? '');
  return { columns: names, columnsEnd: columns.end, rows, end };
}

/** Reads `(…, …)` from its opening parenthesis on. */
function readList(tokens: readonly Token[], open: number): InsertRow {
  const inside = (tokens[open]?.depth ?? 0) + 1;
  if (tokens[open]?.text !== '(') throw unscopable('an INSERT without a list of columns and values');
  const values: Span[] = [];
  let first = open + 1;
  for (let index = first; index < tokens.length; index += 1) {
    const { text, depth } = tokens[index] ?? { text: '', depth: 0 };
    const closes = text === ')' && depth === inside - 1;
    if (!closes && (text !== ',' || depth !== inside)) continue;
    values.push({ first, last: index - 1 });
    if (closes) return { values, end: index };
    first = index + 1;
  }
  throw unscopable('a list that does not end');
}
