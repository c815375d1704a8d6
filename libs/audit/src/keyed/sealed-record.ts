import type { AdministrationEvent, Principal } from '@sallyport/mcp';

import type { AuditRecord, NewAuditRecord } from '../audit-record.entity.js';
import { boundedText } from '../safe-text.js';
import type { PersonKey } from './person-key.js';
import { actorsOf } from './person.js';
import type { KeyRing } from './person-keys.js';

/** Columns that name a person, or hold what they sent. They are stored in `personal` alone. */
const PERSONAL_COLUMNS = ['subject', 'address', 'credential', 'fields'] as const;
type PersonalColumn = (typeof PERSONAL_COLUMNS)[number];

/** In the place of what nobody can read any more. */
export const ERASED = 'erased';
/** In the place of what cannot be read with the secrets of this server. */
export const UNREADABLE = 'unreadable';

/** Whether what names people can be read. */
export type PersonalState = 'shown' | typeof ERASED | typeof UNREADABLE;

const LONGEST_IDENTITY = 512;

/**
 * Moves what names the person out of the columns, and seals it with their key. Changes the record that it is given, and
 * returns it. `by`: of an administrative change.
 */
export function sealRecord(record: NewAuditRecord, key: PersonKey, by?: string): NewAuditRecord {
  const told: Record<string, string> = {};
  let isNothing = true;
  for (const column of PERSONAL_COLUMNS) {
    const value = record[column];
    if (value === null) continue;
    told[column] = value;
    record[column] = null;
    isNothing = false;
  }
  if (by !== undefined) told['by'] = by;
  record.person = key.id;
  record.personal = isNothing && by === undefined ? null : key.seal(`${record.id}\npersonal`, told);
  return record;
}

/** Each actor under a key of its own: it may be a person whose data is erased at another time. */
export function sealedActors(recordId: string, principal: Principal, ring: KeyRing): string | null {
  if (principal.actors.length === 0) return null;
  const actors = actorsOf(principal).map(({ issuer, person }, index) => {
    const key = ring(person);
    const subject = boundedText(person.subject ?? '', LONGEST_IDENTITY);
    return {
      ...(issuer === undefined ? {} : { issuer: boundedText(issuer, LONGEST_IDENTITY) }),
      person: key.id,
      sealed: key.seal(`${recordId}\nactor ${index}`, { subject }),
    };
  });
  return JSON.stringify(actors);
}

/** The person that an administrative change is about, under a key of their own. */
export function sealedTarget(recordId: string, target: string, key: PersonKey): string {
  return JSON.stringify({ person: key.id, sealed: key.seal(`${recordId}\nabout`, { target }) });
}

/** Everybody whose key the record of this change needs, beside whoever made it. */
export function peopleAbout({ about }: Pick<AdministrationEvent, 'about'>) {
  return about === undefined ? [] : [about];
}

/** A record with its names back in their columns, or a word for why they are not. */
export type OpenedRecord<R extends NewAuditRecord> = Omit<R, 'personal' | 'actors' | 'about'> & {
  readonly actors: unknown;
  readonly by: string | null;
  readonly personal: PersonalState;
};

/** Keys by id, as `PersonKeys.withIds` gives them. */
export type OpenKeys = ReadonlyMap<string, PersonKey | undefined>;

/** Ids of all keys that are needed to open these records. */
export function keyIdsIn(records: readonly NewAuditRecord[]): string[] {
  const ids = records.flatMap(({ person, actors, about }) => [
    ...(person === null ? [] : [person]),
    ...sealedParts(actors).flatMap((part) => part.person ?? []),
    ...sealedParts(about).flatMap((part) => part.person ?? []),
  ]);
  return [...new Set(ids)];
}

/** Never throws: a reader of evidence shows what there is. */
export function openRecord<R extends AuditRecord>(record: R, keys: OpenKeys): OpenedRecord<R> {
  const { personal: sealed, actors, about: _about, ...rest } = record;
  const opened = openPart(keys, { person: record.person, sealed }, `${record.id}\npersonal`);
  return {
    ...rest,
    ...columnsOf(record, opened),
    actors: openedActors(record.id, actors, keys),
    target: openedTarget(record, keys),
    by: textOf(opened, 'by'),
    personal: typeof opened === 'string' ? opened : 'shown',
  };
}

type Opened = Readonly<Record<string, unknown>> | typeof ERASED | typeof UNREADABLE;

interface SealedPart {
  readonly issuer?: unknown;
  readonly subject?: unknown;
  readonly person?: string | null;
  readonly sealed?: string | null;
}

function openPart(keys: OpenKeys, { person, sealed }: SealedPart, bound: string): Opened {
  if (typeof sealed !== 'string') return {};
  if (typeof person !== 'string') return UNREADABLE;
  const key = keys.get(person);
  if (key === undefined) return keys.has(person) ? UNREADABLE : ERASED;
  try {
    return key.open(bound, sealed);
  } catch {
    // Changed after it was written: `verify` names the record, and a reader still wants to see the rest of it.
    return UNREADABLE;
  }
}

/** What was sealed, or the clear columns of a record that is older than sealing. */
function columnsOf(record: AuditRecord, opened: Opened): Record<PersonalColumn, string | null> {
  if (typeof opened !== 'string') {
    const texts = PERSONAL_COLUMNS.map((column) => [column, textOf(opened, column) ?? record[column]]);
    return Object.fromEntries(texts);
  }
  const hasPrincipal = record.principalKind !== null;
  return {
    subject: hasPrincipal ? opened : null,
    credential: hasPrincipal ? opened : null,
    address: record.via === 'http' ? opened : null,
    fields: null,
  };
}

function textOf(opened: Opened, name: string): string | null {
  if (typeof opened === 'string' || !Object.hasOwn(opened, name)) return null;
  const value = opened[name];
  return typeof value === 'string' ? value : null;
}

function openedActors(recordId: string, actors: string | null, keys: OpenKeys): unknown {
  if (actors === null) return null;
  const parts = sealedParts(actors);
  // Not as we wrote it: a reader of evidence shows what is there.
  if (parts.length === 0) return actors;
  return parts.map((part, index) => {
    const { issuer, subject, sealed } = part;
    const opened = openPart(keys, part, `${recordId}\nactor ${index}`);
    const name = typeof opened === 'string' ? opened : textOf(opened, 'subject');
    return {
      ...(issuer === undefined ? {} : { issuer }),
      subject: sealed === undefined ? subject : (name ?? UNREADABLE),
    };
  });
}

function openedTarget({ id, target, about }: AuditRecord, keys: OpenKeys): string | null {
  const [part] = sealedParts(about);
  if (part === undefined) return target;
  const opened = openPart(keys, part, `${id}\nabout`);
  return typeof opened === 'string' ? opened : (textOf(opened, 'target') ?? UNREADABLE);
}

/** The parts in a JSON column: an object, or a list of them. Anything else was not written by us, and holds none. */
function sealedParts(json: string | null): SealedPart[] {
  if (json === null) return [];
  try {
    const value: unknown = JSON.parse(json);
    return (Array.isArray(value) ? value : [value]).filter(isPart);
  } catch {
    // Not as we wrote it.
    return [];
  }
}

function isPart(value: unknown): value is SealedPart {
  if (typeof value !== 'object' || value === null) return false;
  const { person, sealed }: { person?: unknown; sealed?: unknown } = value;
  return isTextOrNothing(person) && isTextOrNothing(sealed);
}

function isTextOrNothing(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}
