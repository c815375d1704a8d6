import type { DataSource, QueryRunner, ReplicationMode } from 'typeorm';

import { runnerAcross } from './across.js';
import { ownedTables, type OwnedTables } from './owned-tables.js';
import { PostgresScope } from './postgres/postgres-runner.js';
import { Sessions } from './postgres/sessions.js';
import { currentReach, peekReach } from './reach.js';
import { scopedRunner, type ScopedRunner } from './scoped-runner.js';
import { Scopings } from './scopings.js';
import { keyOf } from './sql/tenant-table.js';
import { scopeSqlite } from './sqlite-runner.js';
import { TenancyError } from './tenancy.errors.js';

/** A `DataSource` whose statements go through this library. */
export interface ScopedSource {
  readonly owned: OwnedTables;
  /** Closed at first: what touches rows of tenants is refused. */
  readonly scopings: Scopings;
  readonly sessions: Sessions;
  /** A runner of the driver as it was. */
  readonly plainRunner: () => QueryRunner;
  across: DataSource | undefined;
}

const sources = new WeakMap<DataSource, ScopedSource>();

/** Does what this `DataSource` sends go through this library? */
export function isHeld(dataSource: DataSource): boolean {
  return sources.has(dataSource);
}

/**
 * Holds what an initialized `DataSource` sends for rows of tenants, from here on and for good, until its scopings are
 * opened. `undefined`: it has none.
 */
export function holdSource(dataSource: DataSource): ScopedSource | undefined {
  const known = sources.get(dataSource);
  if (known !== undefined) return known;
  const owned = ownedTables(dataSource);
  if (owned.tables.size === 0 && owned.problems.length === 0) return undefined;
  const { driver } = dataSource;
  const create = driver.createQueryRunner.bind(driver);
  const isPostgres = dataSource.options.type === 'postgres';
  const shared = dataSource.entityMetadatas.map(({ tablePath }) => keyOf(tablePath));
  const source: ScopedSource = {
    owned,
    scopings: new Scopings(isPostgres ? 'postgres' : 'sqlite', owned.tables, new Set(shared)),
    sessions: new Sessions(),
    plainRunner: () => create('master'),
    across: undefined,
  };
  sources.set(dataSource, source);
  const runners = isPostgres
    ? postgresRunners(dataSource, source, create)
    : sqliteRunners(source.scopings, create);
  // Every statement of a `DataSource`, of its managers, repositories and builders goes through a runner of its driver.
  Object.assign(driver, { createQueryRunner: runners });
  // better-sqlite3 has one runner for all, which somebody may hold already.
  if (!isPostgres) runners('master');
  return source;
}

type Runners = (mode: ReplicationMode) => QueryRunner;

function sqliteRunners(scopings: Scopings, create: Runners): Runners {
  const scoped = new WeakSet<QueryRunner>();
  return (mode) => {
    const runner = create(mode);
    if (scoped.has(runner)) return runner;
    scoped.add(runner);
    const query = scopeSqlite(scopedRunner(runner), scopings);
    return Object.assign(runner, { query, clearTable: guardedClear(runner, scopings) });
  };
}

function postgresRunners(dataSource: DataSource, source: ScopedSource, create: Runners): Runners {
  const { scopings, sessions } = source;
  return (mode) => {
    const reach = peekReach()?.kind;
    const everyone = reach === 'everyone';
    const runner = everyone ? runnerAcross(dataSource, source.across, mode) : create(mode);
    const plain = scopedRunner(runner);
    const scope = new PostgresScope(plain, scopings, sessions, everyone ? 'everyone' : 'tenant');
    const stream = runner.stream.bind(runner);
    return Object.assign(runner, {
      query: scope.query,
      clearTable: guardedClear(runner, scopings),
      stream: async (...given: Parameters<typeof stream>) => {
        refuseStream(scopings, given[0]);
        return scope.free(() => stream(...given));
      },
      ...(reach === 'schema' && { release: releaseClosing(plain) }),
    });
  };
}

/** What work on the schema has set, or made for itself, ends with its connection. */
function releaseClosing({ runner, discard }: ScopedRunner) {
  const release = runner.release.bind(runner);
  return async () => {
    if (!runner.isReleased) await discard();
    await release();
  };
}

function guardedClear(runner: QueryRunner, scopings: Scopings) {
  const clearTable = runner.clearTable.bind(runner);
  return async (...given: Parameters<typeof clearTable>): Promise<void> => {
    const reach = peekReach()?.kind;
    if (reach === undefined || reach === 'tenant') scopings.refuseClear(given[0]);
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
