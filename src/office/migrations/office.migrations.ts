import { Office1760000000000 } from './1760000000000-office.migration.js';
import { TenantRows1770000000000 } from './1770000000000-tenant-rows.migration.js';

/** Every migration of the office, in order. */
export const OFFICE_MIGRATIONS = [Office1760000000000, TenantRows1770000000000] as const;
