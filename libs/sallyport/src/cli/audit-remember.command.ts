import type { INestApplicationContext } from '@nestjs/common';
import { AuditLog } from '@sallyport/audit';
import { InvalidArgumentError } from 'commander';
import { operator } from './audit-filter.js';

/** Lets the places outside of the database that have lost it remember what was signed. */
export async function auditRemember(context: INestApplicationContext, size: number): Promise<string> {
  const names = await context.get(AuditLog, { strict: false }).remember(size, operator());
  return [
    ...names.map((name) => `Remembered by ${name}.`),
    'The server signs again within some seconds.',
  ].join('\n');
}

/** Number of records. */
export function parseSize(text: string): number {
  const size = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(size)) return size;
  throw new InvalidArgumentError('Write the number of records, as the checkpoint says it.');
}
