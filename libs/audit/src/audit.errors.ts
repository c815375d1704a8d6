/** Why a record could not be made durable. */
export type AuditUnavailableReason =
  /** The store answered with an error, or not at all. */
  | 'store'
  /** The record was not durable within `timeoutMs`. */
  | 'timeout'
  /** More than `maxQueued` records wait already. */
  | 'overloaded'
  /** The server is shutting down. */
  | 'stopped'
  /** The event has no form that can be recorded, such as arguments without a canonical JSON form. */
  | 'unrecordable';

const SENTENCES: Readonly<Record<AuditUnavailableReason, string>> = {
  store: 'The audit record could not be stored.',
  timeout: 'The audit record was not stored in time.',
  overloaded: 'Too many audit records are waiting to be stored.',
  stopped: 'The audit trail is closed: the server is shutting down.',
  unrecordable: 'The event cannot be recorded.',
};

/**
 * A record did not become durable, so what it stands for must be refused. The message says nothing of the store;
 * what the driver said is the `cause`, for the operator's log.
 */
export class AuditUnavailableError extends Error {
  override readonly name = 'AuditUnavailableError';
  readonly code = 'audit_unavailable';
  readonly status = 503;

  constructor(
    readonly reason: AuditUnavailableReason,
    cause?: unknown,
  ) {
    super(SENTENCES[reason], { cause });
  }
}

/** The audit cannot start as it is wired; the message says what to write or to start. Holds no password. */
export class AuditSetupError extends Error {
  override readonly name = 'AuditSetupError';
  readonly code = 'audit_setup';
}
