import { isOwnSetting } from './refuse-settings.js';
import type { TenantTables } from './tenant-table.js';
import type { Dialect, Token } from './tokens.js';
import { unscopable } from './unscopable.js';

/** Says of a statement of its verb whether the code of a call may send it. */
type Allowed = (tokens: readonly Token[]) => boolean;

const always: Allowed = () => true;

/**
 * Verbs beside SELECT, INSERT, UPDATE, DELETE and those of transactions. What is not here changes a schema, a session that
 * others will use, or copies tables as a whole, and is for migrations.
 */
const ALLOWED: Readonly<Record<Dialect, ReadonlyMap<string, Allowed>>> = {
  postgres: new Map([
    ['set', isOwnOfTransaction],
    ['show', always],
    ['notify', always],
    ['merge', always],
    ['lock', always],
    ['call', always],
    // Without CASCADE, which reaches tables that it does not name.
    ['truncate', (tokens: readonly Token[]) => !tokens.some(({ name }) => name === 'cascade')],
  ]),
  sqlite: new Map([['pragma', readsSchema]]),
};

/** Of SQLite, what TypeORM reads a schema with, and begins a transaction with. */
const PRAGMAS = new Set([
  'database_list',
  'foreign_key_list',
  'index_info',
  'index_list',
  'index_xinfo',
  'read_uncommitted',
  'table_info',
  'table_list',
  'table_xinfo',
]);

/** `PRAGMA table_info("ticket")`, `PRAGMA "main".table_info("ticket")`. */
function readsSchema([, first, dot, second]: readonly Token[]): boolean {
  return PRAGMAS.has((dot?.text === '.' ? second : first)?.name ?? '');
}

/** `SET TRANSACTION …`, `SET CONSTRAINTS …`, and `SET LOCAL` of what a transaction may have for itself. */
function isOwnOfTransaction(tokens: readonly Token[]): boolean {
  const [, second, third] = tokens;
  if (second?.kind === 'word' && ['transaction', 'constraints'].includes(second.name)) return true;
  if (second?.kind !== 'word' || second.name !== 'local' || third === undefined) return false;
  if (third.name === 'time' && tokens[3]?.name === 'zone') return true;
  const end = tokens.findIndex(({ text, name }) => text === '=' || name === 'to');
  return isOwnSetting(
    tokens
      .slice(2, end)
      .map(({ name }) => name)
      .join(''),
  );
}

/**
 * Refuses every verb that is not known to be harmless, and those that name a table of tenants.
 *
 * @throws TenancyError `unscopable`
 */
export function refuseOthers(tokens: readonly Token[], dialect: Dialect, tables: TenantTables): void {
  const [first] = tokens;
  if (first === undefined) return;
  const allowed = first.kind === 'word' ? ALLOWED[dialect].get(first.name) : undefined;
  if (allowed?.(tokens) !== true)
    throw unscopable('another verb than SELECT, INSERT, UPDATE or DELETE, which is for migrations');
  // A schema is nobody's, and a PRAGMA that reads it says the name of a table.
  if (dialect === 'postgres' && tokens.some(({ kind, name }) => kind !== 'string' && tables.has(name)))
    throw unscopable('another verb than SELECT, INSERT, UPDATE or DELETE');
}
