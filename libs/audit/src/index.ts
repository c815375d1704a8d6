// Wiring: the module, and what it can be told.
export { AuditModule } from './audit.module.js';
export { AUDIT_OPTIONS, type AuditOptions } from './audit.options.js';

// The parts, for code that is not a Nest application: open a store, record with a trail, read with a reader.
export { AuditStore } from './audit.store.js';
export { TypeOrmAuditTrail } from './audit.trail.js';
export { AuditReader, type AuditCall, type AuditCallKind, type AuditFilter } from './audit.reader.js';

// Printing.
export { safeText } from './safe-text.js';

// What goes wrong, typed.
export { AuditSetupError, AuditUnavailableError, type AuditUnavailableReason } from './audit.errors.js';

// The table.
export { AuditRecord, type AuditKind } from './audit-record.entity.js';
