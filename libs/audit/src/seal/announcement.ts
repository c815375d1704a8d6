import { isPlainObject } from '@sallyport/mcp';

/** A range of leaves, both ends included, and the file that its records were exported to. */
export interface SealedRange {
  readonly from: number;
  readonly to: number;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
  /** Name of the file, without its directories. */
  readonly file: string;
}

/** What a record of the action `audit.sealed` says: it stands in the log before anything is deleted. */
export interface Announcement extends SealedRange {
  /** Times of the first and of the last of the records, as they stand in the log; ISO 8601. */
  readonly first: string;
  readonly last: string;
}

/** The details of the record. */
export function announced({ from, to, ...texts }: Announcement): Record<string, string> {
  return { from: String(from), to: String(to), ...texts };
}

/** @param details the column, as it is stored; `undefined` when it announces no range */
export function announcementOf(details: unknown): Announcement | undefined {
  const read = parsed(details);
  if (!isPlainObject(read)) return undefined;
  const { from, to, sha256, file, first, last } = read;
  const [start, end] = [indexOf(from), indexOf(to)];
  if (start === undefined || end === undefined || !isText(sha256) || !isText(file)) return undefined;
  return {
    from: start,
    to: end,
    sha256,
    file,
    first: isText(first) ? first : '',
    last: isText(last) ? last : '',
  };
}

/** Whether both are about the same records in the same file. */
export function isSameRange(a: SealedRange, b: SealedRange): boolean {
  return a.from === b.from && a.to === b.to && a.sha256 === b.sha256 && a.file === b.file;
}

function parsed(details: unknown): unknown {
  if (!isText(details)) return undefined;
  try {
    return JSON.parse(details);
  } catch {
    // Not as we wrote it, so it announces nothing.
    return undefined;
  }
}

function indexOf(text: unknown): number | undefined {
  if (!isText(text) || !/^(0|[1-9]\d{0,15})$/.test(text)) return undefined;
  return Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
