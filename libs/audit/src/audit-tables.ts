import type { StoreName, StoreTables } from '@sallyport/store';

import { AddSallyportAuditAdministration1790000000001 } from './add-administration.migration.js';
import { auditRecordEntity } from './audit-record.entity.js';
import { CreateSallyportAudit1790000000000 } from './create-audit.migration.js';

export const AUDIT_TABLES: StoreTables = {
  entities: (dialect) => [auditRecordEntity(dialect)],
  migrations: [CreateSallyportAudit1790000000000, AddSallyportAuditAdministration1790000000001],
};

export const AUDIT_STORE: StoreName = {
  of: 'the audit',
  option: 'audit',
  applicationName: 'sallyport-audit',
};
