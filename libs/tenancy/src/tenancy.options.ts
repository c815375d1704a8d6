import type { ScopeOptions } from './scope-to-tenant.js';

/** How rows of tenants are kept apart. */
export interface TenancyOptions extends ScopeOptions {
  /**
   * Names of further `DataSource`s with tenant-owned entities, as given to `TypeOrmModule.forRoot({ name })`, and how each
   * is scoped. The default one needs no name. Forgetting one stops the boot.
   */
  readonly dataSources?: Readonly<Record<string, ScopeOptions>>;
}
