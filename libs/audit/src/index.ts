// Wiring: the module, and what it can be told.
export { AUDIT_RECORDER, AuditModule } from './audit.module.js';
export { AUDIT_OPTIONS, type AuditOptions } from './audit.options.js';

// The parts, for code that is not a Nest application: open a store, record with a trail, read with a reader.
export { AuditStore } from './audit.store.js';
export { TypeOrmAuditTrail } from './audit.trail.js';
export { AuditReader, type AuditCall, type AuditCallKind, type AuditFilter } from './audit.reader.js';

// What names people, and how it is erased.
export { AuditErasure, NothingToEraseError, type ErasureAuthor } from './keyed/erasure.js';
export { openEraser } from './keyed/open-eraser.js';
export { ERASED, UNREADABLE, type PersonalState } from './keyed/sealed-record.js';

// Who may change a record: nobody.
export { auditGrants, type GrantOptions } from './privileges/grants.js';

// The tamper-evident log over the records, and what goes wrong with it.
export { AuditLog } from './log/audit-log.js';
export type { AuditLogOptions } from './log/log.options.js';
export { LogKeys } from './log/log-keys.js';
export { AuditLogError, RefusedSigning, type RefusedSigningCode } from './log/log.errors.js';
export type { LogStatus } from './log/sequencer.js';
export type { LogReport } from './log/verify/verify-log.js';
export type { VerifyProgress } from './log/verify/verify-progress.js';
export type { NotCompared, WitnessedNote } from './log/verify/outside.js';
export type { LogFinding, LogFindingCode } from './log/verify/log-findings.js';
export type { RecordProof } from './log/prove-record.js';
export { checkProof, type CheckedProof } from './log/check-proof.js';
export { leafOf } from './log/record-leaf.js';

// Retention: what leaves the database is exported, announced in the log, and can be verified by itself.
export { AuditSealing, type SealReport, type SealRequest } from './seal/audit-sealing.js';
export type { SealedRange } from './seal/announcement.js';
export type { SealLimit, SealPlan } from './seal/seal-plan.js';
export type { SealedPlace } from './seal/whereabouts.js';
export { checkSealedFile, type CheckedSealedFile, type SealedFileCheck } from './seal/check-sealed-file.js';
export { SealedFileError } from './seal/sealed-file.error.js';
export type { SealedHeader } from './seal/sealed-header.js';

// Where checkpoints go.
export type { CheckpointPublisher, PublishedCheckpoint } from './log/publish/checkpoint-publisher.js';
export { checkpointFile } from './log/publish/checkpoint-file.js';
export { checkpointUrl, type CheckpointUrlOptions } from './log/publish/checkpoint-url.js';
export { checkpointDatabase } from './log/publish/checkpoint-database.js';
export { tileDirectory } from './log/publish/tile-directory.js';

// Showing records to people, which is recorded as well.
export { AuditDisclosure, type AuditViewer } from './reading/audit-disclosure.js';

// The records one by one, as lines, in a file, and shipped elsewhere.
export { RecordWalk, type RecordFilter, type RecordRange } from './reading/record-walk.js';
export type { ReadRecord } from './reading/read-record.js';
export { SettledRecords } from './reading/settled-records.js';
export { exportLines, type ExportOptions } from './export/export-records.js';
export { exportToFile } from './export/export-file.js';
export { EXPORT_FORMATS, isExportFormat, lineOf, type ExportFormat } from './export/export-format.js';
export { ocsfEvent } from './export/ocsf/ocsf-event.js';
export { OCSF_VERSION, type OcsfEvent } from './export/ocsf/ocsf-class.js';
export { AuditFollowers } from './export/follow/audit-followers.js';
export type { FollowerStatus } from './export/follow/follower.js';
export { SinkError, type AuditSink, type SinkBatch } from './export/follow/audit-sink.js';
export { fileSink, type FileSinkOptions } from './export/follow/file.sink.js';
export { httpSink, type HttpSinkOptions } from './export/follow/http.sink.js';
export { AUDIT_FOLLOWER_TABLE } from './export/follow/audit-follower.entity.js';

// Printing.
export { looksStored, safeCell, safeText } from './safe-text.js';

// What goes wrong, typed.
export { AuditSetupError, AuditUnavailableError, type AuditUnavailableReason } from './audit.errors.js';

// The table.
export { AuditRecord, type AuditKind } from './audit-record.entity.js';
