import { TenancyError } from '../tenancy.errors.js';
import { Parameters } from './parameters.js';
import { rowsOfTenant } from './rows-of-tenant.js';
import { sql, type Edit } from './scoped-sql.js';
import type { TableName } from './table-names.js';
import type { LinkTable, RowTable } from './tenant-table.js';
import type { Token } from './tokens.js';
import { unscopable } from './unscopable.js';

/** The table that a statement changes. */
export interface Target {
  readonly tokens: readonly Token[];
  readonly name: TableName;
  readonly table: RowTable | LinkTable;
}

export interface ScopedUpdate {
  readonly edits: readonly Edit[];
  /** Indexes, from 0, of parameters that must be the tenant that the row has. */
  readonly kept: readonly number[];
}

/**
 * Limits an UPDATE to the tenant's rows. No row moves to another tenant: its column takes a parameter that is the tenant
 * itself, as TypeORM sends one with a foreign key of both, and nothing else.
 */
export function scopeUpdate(target: Target): ScopedUpdate {
  const { tokens, table } = target;
  if (table.kind === 'links') throw unscopable('an UPDATE of links between rows: delete and insert them');
  const set = findWord(tokens, 'set', aliasEnd(target));
  if (set === undefined) throw unscopable('an UPDATE without SET');
  const column = table.column.toLowerCase();
  const parameters = new Parameters(tokens);
  const kept = assignments(tokens, set)
    .filter((index) => tokens[index]?.name === column)
    .map((index) => parameters.indexOf(keptTenant(tokens, index)));
  return { edits: limitToTenant(target, aliasOf(target), set), kept };
}

/** The parameter of `tenant = $1`, when that is all there is to it. */
function keptTenant(tokens: readonly Token[], at: number): Token {
  const [equals, value, next] = tokens.slice(at + 1, at + 4);
  if (equals?.text !== '=' || value?.kind !== 'parameter' || !endsAssignment(next)) throw tenantColumn();
  return value;
}

/** Does another assignment follow, or the next clause? */
export function endsAssignment(next: Token | undefined): boolean {
  return next === undefined || next.text === ',' || (next.kind === 'word' && AFTER_SET.has(next.name));
}

const AFTER_SET = new Set(['where', 'returning', 'from']);

/** Limits a DELETE to the tenant's rows. */
export function scopeDelete(target: Target): Edit[] {
  return limitToTenant(target, aliasOf(target), aliasEnd(target));
}

/**
 * Adds `AND` the tenant to the WHERE that follows `after`, at the level of the statement: behind a parenthesis that
 * closes over all that was asked, and on a line of its own, out of reach of a comment.
 */
export function limitToTenant({ tokens, table }: Target, alias: string, after: number): Edit[] {
  const own = rowsOfTenant(table, alias);
  const where = findWord(tokens, 'where', after);
  const returning = findWord(tokens, 'returning', where ?? after);
  const end = tokens[(returning ?? tokens.length) - 1]?.end ?? 0;
  if (where === undefined) return [{ start: end, end, by: sql`\nWHERE (${own})\n` }];
  const begin = tokens[where]?.end ?? 0;
  return [
    { start: begin, end: begin, by: [' ('] },
    { start: end, end, by: sql`\n) AND (${own})\n` },
  ];
}

/** Indexes of the names that are set. */
export function assignments(tokens: readonly Token[], set: number): number[] {
  const depth = tokens[set]?.depth ?? 0;
  const end = findWord(tokens, 'where', set) ?? findWord(tokens, 'returning', set) ?? tokens.length;
  const names: number[] = [];
  for (let index = set; index < end; index += 1) {
    const token = tokens[index];
    if (index !== set && (token?.text !== ',' || token.depth !== depth)) continue;
    // PostgreSQL can set several at once: SET (a, b) = (…).
    if (tokens[index + 1]?.text === '(') throw unscopable('several columns set at once');
    names.push(index + 1);
  }
  return names;
}

/** What the target is called in the rest of the statement, as written. */
export function aliasOf(target: Target): string {
  return target.tokens[aliasEnd(target)]?.text ?? '';
}

/** Index of the last token of the target and its alias. What follows is looked for behind it: an alias may be `set`. */
function aliasEnd({ tokens, name }: Target): number {
  return firstAfterAlias(tokens, name.last) - 1;
}

/** Index of what follows the name of a target, whose last token is at `last`, and its alias if it has one. */
export function firstAfterAlias(tokens: readonly Token[], last: number): number {
  const next = tokens[last + 1];
  if (next?.kind === 'word' && next.name === 'as') return last + 3;
  const isAlias = next?.kind === 'quoted' || (next?.kind === 'word' && !AFTER_TARGET.has(next.name));
  return isAlias ? last + 2 : last + 1;
}

const AFTER_TARGET = new Set(['set', 'using', 'where', 'returning', 'from', 'values', 'select', 'default']);

/** The first such keyword after `after`, at the level of the statement. */
export function findWord(tokens: readonly Token[], word: string, after: number): number | undefined {
  const depth = tokens[after]?.depth ?? 0;
  const found = tokens.findIndex(
    (token, index) =>
      index > after &&
      token.kind === 'word' &&
      token.name === word &&
      token.depth === depth &&
      tokens[index - 1]?.text !== '.',
  );
  return found === -1 ? undefined : found;
}

export function tenantColumn(): TenancyError {
  return new TenancyError(
    'tenant_column',
    'The tenant of a row does not change: leave its column out of the update.',
  );
}
