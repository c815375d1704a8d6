import type { INestApplicationContext } from '@nestjs/common';
import { AuditSealing, type SealLimit, type SealPlan, type SealReport } from '@sallyport/audit';
import { InvalidArgumentError } from 'commander';
import { operator } from './audit-filter.js';

/** Options of `audit seal`, as commander hands them over. */
export interface AuditSealOptions {
  readonly before: Date;
  readonly out: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  /** Of the same PostgreSQL, as a role that may seal. */
  readonly database?: string;
}

/** Moves the oldest records into a file, as the user of the operating system who runs the command. */
export async function auditSeal(
  context: INestApplicationContext,
  { before, out, dryRun, json, database }: AuditSealOptions,
  progress: (done: number, total: number) => void,
): Promise<string> {
  const sealing = context.get(AuditSealing, { strict: false });
  if (dryRun === true) {
    const plan = await sealing.plan(before);
    return json === true ? JSON.stringify(plan, null, 2) : planText(plan);
  }
  const request = { before, out, onProgress: progress, ...(database === undefined ? {} : { database }) };
  const report = await sealing.seal(request, operator());
  return json === true ? JSON.stringify(report, null, 2) : reportText(report, out);
}

/** A date, or how long ago: `30d`, `12h`. */
export function parseBefore(text: string): Date {
  const [, count, unit] = /^(\d{1,6})([hd])$/.exec(text) ?? [];
  const time =
    count === undefined
      ? new Date(text)
      : new Date(Date.now() - Number(count) * (unit === 'd' ? DAY_MS : HOUR_MS));
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError(
      'Write how long ago, such as 90d, or a time such as 2026-11-21T08:00:00Z.',
    );
  if (time.getTime() > Date.now()) throw new InvalidArgumentError('That is in the future.');
  return time;
}

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

const LIMITS: Readonly<Record<SealLimit, string>> = {
  age: 'The next record is not older than --before.',
  attempt: 'An attempt after that has no outcome yet, or only one that has to stay.',
  follower: 'A follower has not shipped the next record yet.',
  checkpoint: 'No checkpoint covers more.',
};

function planText({ from, to, first, last, endedBy }: SealPlan): string {
  if (to === undefined) return `Nothing would be sealed. ${LIMITS[endedBy]}`;
  return [
    `${to - from + 1} records would be sealed: ${from} to ${to}, from ${timeOf(first)} to ${timeOf(last)}.`,
    LIMITS[endedBy],
  ].join('\n');
}

function reportText({ records, range, endedBy }: SealReport, out: string): string {
  if (range === undefined)
    return `Nothing was sealed. ${endedBy === undefined ? '' : LIMITS[endedBy]}`.trimEnd();
  const done =
    endedBy === undefined
      ? `What an earlier run began is finished: ${records} records, ${range.from} to ${range.to}, are in ${out}. Run it again, with another --out, to seal more.`
      : `${records} records, ${range.from} to ${range.to}, are in ${out} and have left the database. ${LIMITS[endedBy]}`;
  return `${done}\nSHA-256 ${range.sha256}: keep the file, it is what is left of them.`;
}

function timeOf(at: number | undefined): string {
  const time = new Date(at ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? 'an unknown time' : time.toISOString();
}
