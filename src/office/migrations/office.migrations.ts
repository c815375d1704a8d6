import { Office1760000000000 } from './1760000000000-office.migration.js';

/** Every migration of the office, in order. */
export const OFFICE_MIGRATIONS = [Office1760000000000] as const;
