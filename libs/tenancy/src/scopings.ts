import { BoundedMap } from '@sallyport/mcp';

import { tenantColumn } from './sql/scope-change.js';
import { scopeStatement, type ScopedStatement, type Scoping } from './sql/scope-statement.js';
import { readTableNames } from './sql/table-names.js';
import { keyOf, type TenantTables } from './sql/tenant-table.js';
import { tokenize, type Dialect } from './sql/tokens.js';
import { unscopable } from './sql/unscopable.js';
import { TenancyError } from './tenancy.errors.js';

/** Statements are few and come again: an application has some hundred of them. */
const MOST_KNOWN = 2000;
/** A statement of many rows is long, and seldom the same twice. */
const LONGEST_KEPT = 20_000;

/** What is to be done with each statement of one `DataSource`; remembered, since it costs more than looking it up. */
export class Scopings {
  readonly #known = new BoundedMap<Scoping>(MOST_KNOWN);
  /** Until it is known what else shows rows of tenants, only tables of entities are read that have none. */
  #isOpen = false;

  constructor(
    private readonly dialect: Dialect,
    private tables: TenantTables,
    private readonly shared: ReadonlySet<string>,
  ) {}

  /** Adds what cannot be narrowed, and lets statements through from here on. */
  open(opaque: TenantTables): void {
    this.tables = new Map([...opaque, ...this.tables]);
    this.#isOpen = true;
  }

  /** @throws TenancyError for what cannot be scoped */
  of(statement: string): Scoping {
    const known = this.#known.get(statement);
    if (known !== undefined) return known;
    const scoping = scopeStatement(statement, this.dialect, this.tables);
    if (!this.#isOpen) return this.#whileClosed(statement, scoping);
    if (statement.length <= LONGEST_KEPT) this.#known.set(statement, scoping);
    return scoping;
  }

  /** TypeORM empties a table by TRUNCATE on one database and by DELETE on the other: neither means the rows of one tenant. */
  refuseClear(path: string): void {
    if (this.tables.has(keyOf(path))) throw unscopable('the rows of a whole table to be removed');
  }

  #whileClosed(statement: string, scoping: Scoping): Scoping {
    if (scoping.kind === 'transaction') return scoping;
    const { names } = readTableNames(tokenize(statement, this.dialect), this.dialect);
    if (scoping.kind === 'free' && names.every(({ name }) => this.shared.has(name))) return scoping;
    throw new TenancyError(
      'not_scoped',
      'A DataSource with rows of tenants was queried before it was scoped: query it once the application is up ' +
        '(onApplicationBootstrap), and if it has a name, name it in tenancy: { dataSources: { … } }.',
    );
  }
}

/** @throws TenancyError when a statement says another tenant than that of the call */
export function checkOwn(
  { own, kept }: ScopedStatement,
  parameters: readonly unknown[],
  tenant: string,
): void {
  if (!kept.every((index) => parameters[index] === tenant)) throw tenantColumn();
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
