import { AuditRecord, type AuditStore } from '@sallyport/audit';
import { uuidV7 } from '@sallyport/mcp';
import { eventsOfCall, type OpenAudit } from './open-audit.js';

type NewRecords = Parameters<AuditStore['insert']>[0];

/** Records of one statement: as many as the trail writes at once. */
const BATCH = 64;
const TOLD_EVERY = 50_000;

/**
 * Adds so many records: copies, with ids of their own, of some that the trail has written. Faster than recording each, and
 * the same to a log.
 */
export async function fillAudit(
  { store, trail }: Pick<OpenAudit, 'store' | 'trail'>,
  size: number,
  tell: (line: string) => void = () => undefined,
): Promise<void> {
  const originals = await someRecords(store, trail);
  for (let added = 0; added < size; added += BATCH) {
    await store.insert(copiesOf(originals, Math.min(BATCH, size - added)));
    if (added > 0 && added % TOLD_EVERY < BATCH) tell(`records written: ${added} of ${size}`);
  }
}

/** One call's, as they were stored. */
async function someRecords(
  store: AuditStore,
  trail: OpenAudit['trail'],
): Promise<[AuditRecord, AuditRecord]> {
  const events = eventsOfCall(0);
  for (const event of events) await trail.record(event);
  const records = store.dataSource.getRepository(AuditRecord);
  const [attempt, outcome] = await Promise.all(events.map(({ id }) => records.findOneByOrFail({ id })));
  if (attempt === undefined || outcome === undefined) throw new Error('A call has two records.');
  return [attempt, outcome];
}

/** Attempts and outcomes by turns; each outcome names the attempt before it. */
function copiesOf([attempt, outcome]: readonly [AuditRecord, AuditRecord], count: number): NewRecords {
  let last = attempt.id;
  let call = uuidV7();
  return Array.from({ length: count }, (_, index) => {
    const id = uuidV7();
    const at = Date.now();
    if (index % 2 === 1) return { ...outcome, id, at, call, attempt: last };
    last = id;
    call = uuidV7();
    return { ...attempt, id, at, call };
  });
}
