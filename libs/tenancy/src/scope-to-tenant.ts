import { UnsafeWiringError, type Problem } from '@sallyport/mcp';
import { DataSource, type DataSourceOptions, type QueryRunner, type ReplicationMode } from 'typeorm';

import { ownedTables } from './owned-tables.js';
import { PostgresScope } from './postgres/postgres-runner.js';
import { rowLevelSecurityProblems } from './postgres/row-level-security.problems.js';
import { currentReach, peekReach, withReach } from './reach.js';
import { scopedRunner } from './scoped-runner.js';
import { refuseClear, Scopings } from './scopings.js';
import type { TenantTables } from './sql/tenant-table.js';
import { viewsOver } from './sqlite-views.js';
import { scopeSqlite } from './sqlite-runner.js';
import { TenancyError } from './tenancy.errors.js';
import { TenantFiller } from './tenant-filler.js';

/** How one `DataSource` is scoped. */
export interface ScopeOptions {
  /**
   * PostgreSQL: how `acrossTenants` connects, as another role, to whose policies apply that show every row. What is left
   * out is as in the `DataSource`. Default: `acrossTenants` is refused there.
   */
  readonly across?: { readonly url: string } | { readonly username: string; readonly password: string };
  /**
   * PostgreSQL: lets the server connect as the role that owns the tables. That role can switch row-level security off, so
   * what then protects a tenant from an injected statement is this layer alone. For development; refused with
   * `NODE_ENV=production`. A superuser, and a role with `BYPASSRLS`, is refused all the same.
   */
  readonly dangerouslyAllowOwnerRole?: boolean;
}

const scopedSources = new WeakSet<DataSource>();

/** Is this `DataSource` scoped? */
export function isScoped(dataSource: DataSource): boolean {
  return scopedSources.has(dataSource);
}

/**
 * Scopes an initialized `DataSource`, for good: from here on, whatever it sends reaches the rows of the caller's tenant
 * alone, and outside of a call nothing that belongs to a tenant. Without tenant-owned entities nothing changes.
 *
 * `TenancyModule` does this; call it yourself for a `DataSource` that Nest does not know.
 *
 * @throws UnsafeWiringError when an entity cannot be scoped, or PostgreSQL would not say it again
 *
 * @example
 * ```ts
 * const reports = await new DataSource(options).initialize();
 * await scopeToTenant(reports);
 * ```
 */
export async function scopeToTenant(dataSource: DataSource, options: ScopeOptions = {}): Promise<void> {
  if (scopedSources.has(dataSource)) return;
  const { tables, problems } = ownedTables(dataSource);
  if (tables.size === 0 && problems.length === 0) return;
  refuse([...problems, ...optionProblems(dataSource, options)]);
  if (dataSource.options.type === 'postgres') {
    refuse(await rowLevelSecurityProblems(dataSource, tables, options));
    scopePostgres(dataSource, tables, await connectAcross(dataSource, options.across));
  } else {
    const views = await viewsOver(dataSource, tables);
    replaceRunners(dataSource, sqliteRunners(dataSource, new Map([...views, ...tables])));
  }
  dataSource.subscribers.push(new TenantFiller());
  leaveSchemaWork(dataSource);
  scopedSources.add(dataSource);
}

function optionProblems({ options }: DataSource, { dangerouslyAllowOwnerRole }: ScopeOptions): Problem[] {
  const problems: Problem[] = [];
  if (options.type !== 'postgres' && options.type !== 'better-sqlite3')
    problems.push({
      code: 'tenancy_database',
      message: `Rows of tenants are kept apart on better-sqlite3 and postgres, not on ${options.type}: use one of them.`,
    });
  if (options.cache !== undefined && options.cache !== false)
    problems.push({
      code: 'tenancy_cache',
      message:
        'The query cache of TypeORM would answer one tenant with the rows of another: leave out cache.',
    });
  if (dangerouslyAllowOwnerRole === true && process.env['NODE_ENV'] === 'production')
    problems.push({
      code: 'tenancy_owner_role',
      message:
        'dangerouslyAllowOwnerRole is for development: connect as a role that does not own the tables.',
    });
  return problems;
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new UnsafeWiringError(problems);
}

type Runners = (mode: ReplicationMode) => QueryRunner;

/** Every statement of a `DataSource`, of its managers, repositories and builders goes through a runner of its driver. */
function replaceRunners({ driver }: DataSource, runners: Runners): void {
  Object.assign(driver, { createQueryRunner: runners });
  // better-sqlite3 has one runner for all, which somebody may hold already.
  runners('master');
}

function sqliteRunners({ driver }: DataSource, tables: TenantTables): Runners {
  const create = driver.createQueryRunner.bind(driver);
  const scopings = new Scopings('sqlite', tables);
  const scoped = new WeakSet<QueryRunner>();
  return (mode) => {
    const runner = create(mode);
    if (scoped.has(runner)) return runner;
    scoped.add(runner);
    const query = scopeSqlite(scopedRunner(runner), scopings);
    return Object.assign(runner, { query, clearTable: guardedClear(runner, scopings) });
  };
}

function scopePostgres(dataSource: DataSource, tables: TenantTables, across: DataSource | undefined): void {
  const { driver } = dataSource;
  const create = driver.createQueryRunner.bind(driver);
  const scopings = new Scopings('postgres', tables);
  Object.assign(driver, {
    createQueryRunner: (mode: ReplicationMode) => {
      const everyone = peekReach()?.kind === 'everyone';
      const runner = everyone ? runnerAcross(dataSource, across, mode) : create(mode);
      const scope = new PostgresScope(scopedRunner(runner), scopings, everyone ? 'everyone' : 'tenant');
      const stream = runner.stream.bind(runner);
      return Object.assign(runner, {
        query: scope.query,
        clearTable: guardedClear(runner, scopings),
        stream: async (...given: Parameters<typeof stream>) => {
          refuseStream(scopings, given[0]);
          return stream(...given);
        },
      });
    },
  });
}

function guardedClear(runner: QueryRunner, scopings: Scopings) {
  const clearTable = runner.clearTable.bind(runner);
  return async (...given: Parameters<typeof clearTable>): Promise<void> => {
    if (peekReach() === undefined || currentReach().kind === 'tenant') refuseClear(scopings, given[0]);
    return clearTable(...given);
  };
}

/** A stream outlives the transaction that would have to name its tenant. */
function refuseStream(scopings: Scopings, statement: string): void {
  if (scopings.of(statement).kind !== 'scoped' || currentReach().kind !== 'tenant') return;
  throw new TenancyError(
    'unscopable',
    'Rows of a tenant cannot be streamed: read them in pages, with take and skip.',
  );
}

/** With the metadata and the subscribers of the one `DataSource`, and a connection of the other. */
function runnerAcross(
  dataSource: DataSource,
  across: DataSource | undefined,
  mode: ReplicationMode,
): QueryRunner {
  if (across === undefined)
    throw new TenancyError(
      'no_across_connection',
      'On PostgreSQL, acrossTenants needs a role of its own: write tenancy: { across: { url } }.',
    );
  return Object.assign(across.driver.createQueryRunner(mode), { dataSource });
}

async function connectAcross(
  dataSource: DataSource,
  given: ScopeOptions['across'],
): Promise<DataSource | undefined> {
  if (given === undefined) return undefined;
  const own = { entities: [], subscribers: [], migrations: [] };
  const never = { migrationsRun: false, synchronize: false, dropSchema: false, installExtensions: false };
  const options: DataSourceOptions = Object.assign({}, dataSource.options, given, own, never);
  const across = await new DataSource(options).initialize();
  const destroy = dataSource.destroy.bind(dataSource);
  Object.assign(dataSource, {
    destroy: async () => {
      await destroy();
      await across.destroy();
    },
  });
  return across;
}

/** A schema belongs to no tenant: what changes it runs as it is. */
function leaveSchemaWork(dataSource: DataSource): void {
  Object.assign(dataSource, {
    runMigrations: schemaWork(dataSource.runMigrations.bind(dataSource)),
    undoLastMigration: schemaWork(dataSource.undoLastMigration.bind(dataSource)),
    showMigrations: schemaWork(dataSource.showMigrations.bind(dataSource)),
    synchronize: schemaWork(dataSource.synchronize.bind(dataSource)),
    dropDatabase: schemaWork(dataSource.dropDatabase.bind(dataSource)),
  });
}

function schemaWork<Given extends unknown[], Result>(work: (...given: Given) => Promise<Result>) {
  return (...given: Given) => withReach({ kind: 'schema' }, () => work(...given));
}
