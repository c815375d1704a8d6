import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import {
  AuditDisclosure,
  AuditStore,
  lineOf,
  RecordWalk,
  SettledRecords,
  type ReadRecord,
  type RecordFilter,
} from '@sallyport/audit';
import { filterOf, operator, type AuditFilterOptions } from './audit-filter.js';
import { recordLine } from './audit-table.js';

/** Options of `audit tail`, as commander hands them over. */
export interface AuditTailOptions extends AuditFilterOptions {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly lines: number;
  readonly kind?: NonNullable<RecordFilter['kind']>;
}

const POLL_MS = 500;
const BATCH = 200;
/** A gap in the numbers is believed when the transactions that could fill it have ended, and not before. */
const STATEMENT_MS = 6000;

/**
 * The last records, and with `follow` those that are committed from then on, in order and none twice, until `signal` is
 * aborted. It is recorded once, before anything is shown.
 */
export async function auditTail(
  context: INestApplicationContext,
  options: AuditTailOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const walk = context.get(RecordWalk, { strict: false });
  const { kind, json, follow, lines } = options;
  const filter = { ...filterOf(options), ...(kind !== undefined && { kind }) };
  const show = (records: readonly ReadRecord[]) => {
    for (const record of records) print(json === true ? lineOf(record, 'jsonl') : recordLine(record));
  };
  let after = await walk.lastSeq();
  await context.get(AuditDisclosure, { strict: false }).follow(operator(), filter);
  show(await walk.readLast({ after: 0, upTo: after }, lines, filter));
  if (follow !== true) return;
  const settled = new SettledRecords(context.get(AuditStore, { strict: false }), walk, STATEMENT_MS);
  while (!signal.aborted) {
    const upTo = await settled.upTo(after);
    after = await showAll(walk, { after, upTo }, filter, show);
    await sleep(POLL_MS, undefined, { signal }).catch(ignoreAbort);
  }
}

async function showAll(
  walk: RecordWalk,
  { after, upTo }: { readonly after: number; readonly upTo: number },
  filter: RecordFilter,
  show: (records: readonly ReadRecord[]) => void,
): Promise<number> {
  let from = after;
  for (;;) {
    const records = await walk.read({ after: from, upTo }, BATCH, filter);
    show(records);
    if (records.length < BATCH) return upTo;
    from = records.at(-1)?.seq ?? upTo;
  }
}

/** The end of a follower is no failure. */
function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
