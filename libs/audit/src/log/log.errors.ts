/** Why the log is not signed. */
export type RefusedSigningCode =
  /** Fewer records than were signed before: an older copy of the database. */
  | 'log_went_backwards'
  /** As many, but others. */
  | 'log_forked'
  /** What was signed before cannot be read, was signed by a key that is not known, or nobody remembers it. */
  | 'log_memory'
  /** A tile, a leaf or a checkpoint that is none of ours stands in the way. */
  | 'log_put_in';

/** The log contradicts what was signed before. Nothing is signed until an operator has decided what is true. */
export class RefusedSigning extends Error {
  override readonly name = 'RefusedSigning';

  constructor(
    readonly code: RefusedSigningCode,
    message: string,
  ) {
    super(message);
  }
}

/** What was asked of the log cannot be done; the message says what to do. */
export class AuditLogError extends Error {
  override readonly name = 'AuditLogError';
  readonly code = 'audit_log';
}
