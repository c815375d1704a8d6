import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { AuditDisclosure, lineOf, RecordWalk, type ReadRecord, type RecordFilter } from '@sallyport/audit';
import { filterOf, operator, type AuditFilterOptions } from './audit-filter.js';
import { recordLine } from './audit-table.js';
import { settledRecords } from './settled-records.js';

/** Options of `audit tail`, as commander hands them over. */
export interface AuditTailOptions extends AuditFilterOptions {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly lines: number;
  readonly kind?: NonNullable<RecordFilter['kind']>;
}

const POLL_MS = 500;
const BATCH = 200;

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
  const settled = settledRecords(context);
  const { top, after: begin, seen } = await settled.beginning();
  await context.get(AuditDisclosure, { strict: false }).follow(operator(), filter);
  const last = await walk.readLast({ after: 0, upTo: top }, lines, filter);
  show(last);
  if (follow !== true) return;
  const shown = new Set([...seen, ...last.map(({ seq }) => seq)]);
  const showNew = (records: readonly ReadRecord[]) => show(records.filter(({ seq }) => !shown.has(seq)));
  let after = begin;
  while (!signal.aborted) {
    const upTo = await settled.upTo(after);
    after = await showAll(walk, { after, upTo }, filter, showNew);
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
