// Marking what belongs to a tenant.
export { TenantOwned, tenantOwned, type TenantOwnedOptions } from './tenant-owned.decorator.js';

// Scoping a database, by module or by hand.
export {
  TenancyModule,
  type TenancyModuleAsyncOptions,
  type TenancyModuleOptions,
} from './tenancy.module.js';
export type { TenancyOptions } from './tenancy.options.js';
export { isScoped, scopeToTenant, type ScopeOptions } from './scope-to-tenant.js';

// Work outside of a call, and what goes wrong.
export { Tenancy, type CrossingOptions } from './tenancy.js';
export { TenancyError, type TenancyErrorCode } from './tenancy.errors.js';

// Saying it again on PostgreSQL, in migrations.
export {
  enableTenantLinks,
  enableTenantRows,
  grantRows,
  type TenantLinksOptions,
  type TenantRowsOptions,
} from './postgres/enable-tenant-rows.js';
