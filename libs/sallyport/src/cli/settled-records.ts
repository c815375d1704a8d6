import type { INestApplicationContext } from '@nestjs/common';
import { AuditStore, RecordWalk, SettledRecords } from '@sallyport/audit';

/** A gap in the numbers is believed when the transactions that could fill it have ended, and not before. */
const STATEMENT_MS = 6000;

/** Up to which number of this application's records nothing can appear any more. */
export function settledRecords(context: INestApplicationContext): SettledRecords {
  const walk = context.get(RecordWalk, { strict: false });
  return new SettledRecords(context.get(AuditStore, { strict: false }), walk, STATEMENT_MS);
}
