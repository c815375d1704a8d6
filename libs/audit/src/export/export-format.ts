import type { ReadRecord } from '../reading/read-record.js';
import { safeText } from '../safe-text.js';
import { ocsfEvent } from './ocsf/ocsf-event.js';

/** `jsonl`: records as they are; `ocsf`: events of OCSF 1.8. Either is one JSON object in each line. */
export const EXPORT_FORMATS = ['jsonl', 'ocsf'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export function isExportFormat(value: unknown): value is ExportFormat {
  return EXPORT_FORMATS.some((format) => format === value);
}

/**
 * One line, without its end. What could change how a terminal shows it is escaped as JSON does, so the line means the
 * same; what is `null` is left out.
 *
 * @example
 * lineOf(record, 'jsonl') // {"seq":7,"id":"019…","at":"2026-11-21T08:00:00.000Z","kind":"attempt",…}
 */
export function lineOf(record: ReadRecord, format: ExportFormat): string {
  const value = format === 'ocsf' ? ocsfEvent(record) : plainRecord(record);
  return safeText(JSON.stringify(value));
}

/** A database that others can write to may hold a time that is none: then it is left out. */
function plainRecord({ seq, id, at, ...rest }: ReadRecord): Record<string, unknown> {
  const members = Object.entries({ seq, id, at: isoTime(at), ...rest });
  return Object.fromEntries(members.filter(([, value]) => value !== null));
}

function isoTime(at: Date): string | null {
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}
