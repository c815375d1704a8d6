import { isPlainObject } from '@sallyport/mcp';

import type { AuditRecord } from '../audit-record.entity.js';
import type { OpenedRecord, PersonalState } from '../keyed/sealed-record.js';
import { safeValue } from '../safe-text.js';

/**
 * A record with its JSON columns read and what names people opened. What can no longer be read is `erased`, or
 * `unreadable` with the secrets that there are.
 */
export interface ReadRecord extends Omit<
  AuditRecord,
  | 'at'
  | 'actors'
  | 'scopesGranted'
  | 'scopesRequired'
  | 'roles'
  | 'checks'
  | 'fields'
  | 'details'
  | 'about'
  | 'personal'
  | 'argumentHashes'
> {
  readonly at: Date;
  readonly actors: unknown;
  readonly scopesGranted: readonly string[];
  readonly scopesRequired: readonly string[];
  readonly roles: readonly string[];
  readonly checks: unknown;
  readonly fields: unknown;
  readonly details: unknown;
  /** Name of each argument that is not in `fields`, and a hash that its value has in this person's calls alone. */
  readonly argumentHashes: unknown;
  /** Whether subject, address, credential and fields can be read. */
  readonly personal: PersonalState;
}

/** Never throws: a reader of evidence shows what is there. */
export function readRecord({ by, ...record }: OpenedRecord<AuditRecord>): ReadRecord {
  return {
    ...record,
    at: new Date(record.at),
    scopesGranted: words(record.scopesGranted),
    scopesRequired: words(record.scopesRequired),
    roles: words(record.roles),
    checks: parsed(record.checks),
    argumentHashes: parsed(record.argumentHashes),
    // Safe when they are recorded; those of before were not, once their JSON was read.
    fields: safeValue(parsed(record.fields)),
    details: detailsOf(record.details, by),
  };
}

function detailsOf(details: string | null, by: string | null): unknown {
  const read = parsed(details);
  if (by === null) return read;
  return { by, ...(isPlainObject(read) ? read : {}) };
}

function words(text: string | null): string[] {
  return text ? text.split(' ') : [];
}

function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    // Not as we wrote it. A reader of evidence shows what is there.
    return text;
  }
}
