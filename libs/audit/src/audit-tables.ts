import type { StoreName, StoreTables } from '@sallyport/store';

import { AddSallyportAuditAdministration1790000000001 } from './add-administration.migration.js';
import { auditRecordEntity } from './audit-record.entity.js';
import { CreateSallyportAudit1790000000000 } from './create-audit.migration.js';
import { auditFollowerEntity } from './export/follow/audit-follower.entity.js';
import { CreateSallyportAuditFollower1790000000020 } from './export/follow/create-audit-follower.migration.js';
import { auditKeyEntity } from './keyed/audit-key.entity.js';
import { KeySallyportAudit1790000000010 } from './keyed/key-audit.migration.js';
import { CreateSallyportLog1790000000100 } from './log/create-log.migration.js';
import { KeepSallyportLogRows1790000000102 } from './log/keep-log-rows.migration.js';
import { ProtectSallyportAudit1790000000011 } from './privileges/protect-audit.migration.js';

export const AUDIT_TABLES: StoreTables = {
  entities: (dialect) => [auditRecordEntity(dialect), auditKeyEntity, auditFollowerEntity],
  migrations: [
    CreateSallyportAudit1790000000000,
    AddSallyportAuditAdministration1790000000001,
    KeySallyportAudit1790000000010,
    ProtectSallyportAudit1790000000011,
    CreateSallyportAuditFollower1790000000020,
    CreateSallyportLog1790000000100,
    KeepSallyportLogRows1790000000102,
  ],
};

export const AUDIT_STORE: StoreName = {
  of: 'the audit',
  option: 'audit',
  applicationName: 'sallyport-audit',
};
