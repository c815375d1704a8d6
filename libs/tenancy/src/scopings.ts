import { BoundedMap } from '@sallyport/mcp';

import { scopeStatement, type ScopedStatement, type Scoping } from './sql/scope-statement.js';
import { quotedPath, type TenantTables } from './sql/tenant-table.js';
import type { Dialect } from './sql/tokens.js';
import { TenancyError } from './tenancy.errors.js';

/** Statements are few and come again: an application has some hundred of them. */
const MOST_KNOWN = 2000;
/** A statement of many rows is long, and seldom the same twice. */
const LONGEST_KEPT = 20_000;

/** What is to be done with each statement of one `DataSource`; remembered, since it costs more than looking it up. */
export class Scopings {
  readonly #known = new BoundedMap<Scoping>(MOST_KNOWN);

  constructor(
    private readonly dialect: Dialect,
    private readonly tables: TenantTables,
  ) {}

  /** @throws TenancyError for what cannot be scoped */
  of(statement: string): Scoping {
    const known = this.#known.get(statement);
    if (known !== undefined) return known;
    const scoping = scopeStatement(statement, this.dialect, this.tables);
    if (statement.length <= LONGEST_KEPT) this.#known.set(statement, scoping);
    return scoping;
  }
}

/** TypeORM empties a table by TRUNCATE on one database and by DELETE on the other: neither means the rows of one tenant. */
export function refuseClear(scopings: Scopings, path: string): void {
  scopings.of(`TRUNCATE TABLE ${quotedPath(path)}`);
}

/** @throws TenancyError when an INSERT says another tenant than that of the call */
export function checkOwn({ own }: ScopedStatement, parameters: readonly unknown[], tenant: string): void {
  if (own.every((index) => parameters[index] === tenant)) return;
  throw new TenancyError(
    'other_tenant',
    'A row was to be inserted for another tenant than that of the call: leave the tenant out, it is filled in.',
  );
}

/** @throws TenancyError when an upsert has left out a row, which only happens when that is another tenant's */
export function checkUpserts({ upserts }: ScopedStatement, result: unknown): void {
  if (upserts === undefined || typeof result !== 'object' || result === null) return;
  const affected: unknown = Reflect.get(result, 'affected');
  const records: unknown = Reflect.get(result, 'records');
  const written = affected ?? (Array.isArray(records) ? records.length : undefined);
  if (typeof written !== 'number' || written >= upserts) return;
  throw new TenancyError('conflict', 'An upsert met a row that it may not overwrite: choose another key.');
}
