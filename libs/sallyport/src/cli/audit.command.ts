import type { INestApplicationContext } from '@nestjs/common';
import { AuditReader, type AuditFilter } from '@sallyport/audit';
import { InvalidArgumentError } from 'commander';
import { auditTable } from './audit-table.js';

/** Options of `audit list`, as commander hands them over. */
export interface AuditListOptions {
  readonly json?: boolean;
  readonly limit: number;
  readonly tenant?: string;
  readonly entry?: string;
  readonly user?: string;
  readonly client?: string;
  readonly kind?: AuditFilter['kind'];
  readonly decision?: AuditFilter['decision'];
  readonly since?: Date;
  readonly until?: Date;
}

/** The newest records that match, oldest first; an attempt and its outcome are one row. */
export async function auditList(
  context: INestApplicationContext,
  options: AuditListOptions,
): Promise<string> {
  const { json, user, ...filter } = options;
  const calls = await context
    .get(AuditReader, { strict: false })
    .list({ ...filter, ...(user === undefined ? {} : { subject: user }) });
  if (json === true) return JSON.stringify(calls, null, 2);
  return calls.length === 0 ? 'No records match.' : auditTable(calls);
}

export function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new InvalidArgumentError('Write a number from 1 to 1000.');
}

export function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('Write a time such as 2026-11-21T08:00:00Z.');
}
