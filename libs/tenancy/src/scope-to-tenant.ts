import { UnsafeWiringError, type Problem } from '@sallyport/mcp';
import type { DataSource } from 'typeorm';

import { connectAcross, type Across } from './across.js';
import { checkConnections } from './postgres/check-connections.js';
import { withReach } from './reach.js';
import { leaveSchemaWork } from './schema-work.js';
import { holdSource } from './scoped-source.js';
import { viewsOver } from './sqlite-views.js';
import { TenantFiller } from './tenant-filler.js';

/** How one `DataSource` is scoped. */
export interface ScopeOptions {
  /**
   * PostgreSQL: how `acrossTenants` connects, as another role, to whose policies apply that show every row. What is left
   * out is as in the `DataSource`. Default: `acrossTenants` is refused there.
   */
  readonly across?: Across;
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
 * alone, and outside of a call nothing that belongs to a tenant. Without tenant-owned entities nothing changes. What
 * cannot be scoped answers nothing about rows of tenants any more.
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
  leaveSchemaWork();
  const source = holdSource(dataSource);
  if (source === undefined) return;
  const { owned, scopings } = source;
  refuse([...owned.problems, ...optionProblems(dataSource, options)]);
  if (dataSource.options.type === 'postgres') {
    const { problems, opaque } = await checkConnections(dataSource, source, options);
    refuse(problems);
    if (options.across !== undefined) source.across = await connectAcross(dataSource, options.across);
    scopings.open(opaque);
  } else {
    const views = () => viewsOver(source.plainRunner(), owned.tables);
    scopings.open(await withReach({ kind: 'schema' }, views));
  }
  dataSource.subscribers.push(new TenantFiller());
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
