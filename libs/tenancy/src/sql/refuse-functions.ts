import type { Token } from './tokens.js';
import { unscopable } from './unscopable.js';

/**
 * Functions that come with PostgreSQL or its extensions and run a text as a statement, or read tables whose name is a
 * text: what they touch stands nowhere that it could be narrowed, and what they set is set before the policies look.
 */
const RUN_A_TEXT = [
  /^(?:query|cursor|table|schema|database)_to_xml/,
  /^ts_(?:stat|rewrite)$/,
  /^dblink/,
  /^crosstab/,
  /^connectby/,
  /^xpath_table$/,
  /^pg_logical_/,
  /^lo_(?:import|export)$/,
  /^pg_(?:read_|ls_|stat_file)/,
  // SQLite.
  /^load_extension$/,
  /^sqlite_dbpage$/,
];

/**
 * Refuses their names wherever they stand, in quotes, with a schema, in capitals. Functions of the application are its
 * own: what those run is bound by the policies of row-level security alone.
 *
 * @throws TenancyError `unscopable`
 */
export function refuseFunctions(tokens: readonly Token[]): void {
  const found = tokens.some(
    ({ kind, name }) => (kind === 'word' || kind === 'quoted') && RUN_A_TEXT.some((form) => form.test(name)),
  );
  if (found) throw unscopable('a function that runs a text as a statement');
}
