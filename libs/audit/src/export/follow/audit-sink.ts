import type { ExportFormat } from '../export-format.js';

/** Records that follow each other. */
export interface SinkBatch {
  /** One JSON object each, without line ends. */
  readonly lines: readonly string[];
  /** `seq` of the first and of the last record. */
  readonly first: number;
  readonly last: number;
}

/** Somewhere else, where the records go. */
export interface AuditSink {
  /** How far it has received the records is kept under this name: it must be unique, and holds no secret. */
  readonly name: string;
  readonly format: ExportFormat;
  /**
   * Resolves when all lines are safe there. Rejects otherwise, and is given the same records again, in batches that may
   * be others: what was delivered may be delivered again, so a receiver tells records apart by their `id`
   * (`metadata.uid` in OCSF).
   *
   * @param signal aborted when it takes too long, or when the server stops
   */
  deliver(batch: SinkBatch, signal: AbortSignal): Promise<void>;
}

/** A sink did not take a batch; the message is for the operator's log, and holds no secret. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  readonly code = 'audit_sink';
}
