import { refuseOthers } from './allowed-statements.js';
import { refuseFunctions } from './refuse-functions.js';
import { refuseSettings } from './refuse-settings.js';
import { rowsOfTenant } from './rows-of-tenant.js';
import { scopeDelete, scopeUpdate } from './scope-change.js';
import { scopeInsert, type ScopedInsert } from './scope-insert.js';
import { edited, sql, type Edit, type Fragment } from './scoped-sql.js';
import { readTableNames, type Reading, type TableName } from './table-names.js';
import type { TenantTable, TenantTables } from './tenant-table.js';
import { tokenize, type Dialect, type Token } from './tokens.js';
import { transactionStep, type TransactionStep } from './transaction-step.js';
import { unscopable } from './unscopable.js';

/** What is to be done with a statement. */
export type Scoping =
  /** It touches no table of a tenant: send it as it is. */
  | { readonly kind: 'free' }
  /** It begins, marks or ends a transaction. */
  | { readonly kind: 'transaction'; readonly does: TransactionStep }
  | ScopedStatement;

export interface ScopedStatement extends Omit<ScopedInsert, 'edits'> {
  readonly kind: 'scoped';
  readonly sql: Fragment;
}

/**
 * Narrows one statement to the rows of one tenant, whoever wrote it: each table of a tenant that it reads is replaced by
 * the tenant's part of it, each row that it inserts gets the tenant, and each change is limited to the tenant's rows.
 * What cannot be narrowed is refused.
 *
 * Working on the text of the statement, and not on what builds it, leaves one place to get right: all that TypeORM has,
 * and all that it will have, ends in a statement.
 *
 * @throws TenancyError `unscopable`, `tenant_column`
 */
export function scopeStatement(statement: string, dialect: Dialect, tables: TenantTables): Scoping {
  const tokens = tokenize(statement, dialect);
  const step = transactionStep(tokens);
  if (step !== undefined) return { kind: 'transaction', does: step };
  refuseSettings(statement, tokens);
  refuseFunctions(tokens);
  const reading = readTableNames(tokens, dialect);
  if (reading.verb === 'other') {
    refuseOthers(tokens, dialect, tables);
    return { kind: 'free' };
  }
  const named = reading.names.flatMap((name) => {
    const table = tables.get(name.name);
    return table === undefined ? [] : [{ name, table }];
  });
  if (named.length === 0) return { kind: 'free' };
  if (tokens.some((token, index) => tables.has(token.name) && isQueryName(tokens, index)))
    throw unscopable('a WITH query of the name of a table');
  if (reading.nestedWrite) throw unscopable('a change within another statement');
  return scopeNamed(statement, tokens, reading, named);
}

/**
 * Is it defined here, as `name AS (…)` or `name (…) AS (…)`? It would stand in for the table where links look for the rows
 * that they point at.
 */
function isQueryName(tokens: readonly Token[], at: number): boolean {
  const opens = tokens[at + 1]?.text === '(';
  const depth = tokens[at + 1]?.depth;
  const end = opens
    ? tokens.findIndex((token, index) => index > at + 1 && token.depth === depth && token.text === ')')
    : at;
  if (tokens[end + 1]?.name !== 'as') return false;
  const next = tokens.slice(end + 2).find(({ name }) => name !== 'not' && name !== 'materialized');
  return next?.text === '(';
}

interface Named {
  readonly name: TableName;
  readonly table: TenantTable;
}

function scopeNamed(
  statement: string,
  tokens: readonly Token[],
  { verb }: Reading,
  named: readonly Named[],
): ScopedStatement {
  const target = named.find(({ name }) => name.role === 'target');
  const reads = named.filter((one) => one !== target).map((read) => scopeRead(statement, tokens, read));
  const { edits, ...checks } = target === undefined ? NO_TARGET : scopeTarget(tokens, verb, target);
  return { kind: 'scoped', sql: edited(statement, [...reads, ...edits]), ...checks };
}

const NO_TARGET: ScopedInsert = { edits: [], own: [], kept: [], upserts: undefined };

function scopeTarget(tokens: readonly Token[], verb: Reading['verb'], { name, table }: Named): ScopedInsert {
  if (table.kind === 'opaque') throw unscopable('a view over rows of tenants');
  const target = { tokens, name, table };
  switch (verb) {
    case 'insert':
      return scopeInsert(target);
    case 'update':
      return { ...NO_TARGET, ...scopeUpdate(target) };
    case 'delete':
      return { ...NO_TARGET, edits: scopeDelete(target) };
    default:
      throw unscopable('a target that is not understood');
  }
}

/** `"ticket"` becomes `(SELECT * FROM "ticket" WHERE "ticket"."tenant" = …)`, under the same alias. */
function scopeRead(statement: string, tokens: readonly Token[], { name, table }: Named): Edit {
  const first = tokens[name.first];
  const last = tokens[name.last];
  if (name.role !== 'read') throw unscopable('a whole table where rows belong');
  if (table.kind === 'opaque') throw unscopable('a view over rows of tenants');
  if (first === undefined || last === undefined || last.kind === 'string')
    throw unscopable('the name of a table written as a text');
  const path = statement.slice(first.start, last.end);
  const alias = hasAlias(tokens[name.last + 1]) ? '' : ` AS ${last.text}`;
  const by = sql`(SELECT * FROM ${path} WHERE ${rowsOfTenant(table, last.text)})${alias}`;
  return { start: first.start, end: last.end, by };
}

const NO_ALIAS = new Set(
  (
    'where join inner left right full outer cross natural on using group having order limit offset fetch for union ' +
    'intersect except window returning set indexed not tablesample'
  ).split(' '),
);

/** A wrong guess is a syntax error, and nothing worse. */
function hasAlias(next: Token | undefined): boolean {
  if (next === undefined) return false;
  return next.kind === 'quoted' || (next.kind === 'word' && !NO_ALIAS.has(next.name));
}
