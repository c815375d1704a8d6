import type { INestApplicationContext } from '@nestjs/common';
import { AuditDisclosure, type AuditFilter } from '@sallyport/audit';
import { InvalidArgumentError } from 'commander';
import { filterOf, operator, type AuditFilterOptions } from './audit-filter.js';
import { auditTable } from './audit-table.js';
import { safeJson } from './safe-json.js';

/** Options of `audit list`, as commander hands them over. */
export interface AuditListOptions extends AuditFilterOptions {
  readonly json?: boolean;
  readonly limit: number;
  readonly kind?: NonNullable<AuditFilter['kind']>;
}

/** The newest records that match, oldest first; an attempt and its outcome are one row. */
export async function auditList(
  context: INestApplicationContext,
  options: AuditListOptions,
): Promise<string> {
  const { json, kind, limit } = options;
  const filter = { ...filterOf(options), limit, ...(kind !== undefined && { kind }) };
  const calls = await context.get(AuditDisclosure, { strict: false }).list(operator(), filter);
  if (json === true) return safeJson(calls);
  return calls.length === 0 ? 'No records match.' : auditTable(calls);
}

export function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new InvalidArgumentError('Write a number from 1 to 1000.');
}
