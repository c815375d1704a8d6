import { AuditTrail, type AuditEvent } from '@sallyport/mcp';
import type { OnApplicationShutdown } from '@nestjs/common';
import { faultOf } from '@sallyport/store';

import type { NewAuditRecord } from './audit-record.entity.js';
import { AuditUnavailableError } from './audit.errors.js';
import type { AuditSettings } from './audit.options.js';
import type { AuditStore } from './audit.store.js';
import { GroupCommit } from './group-commit.js';
import type { KeyRing } from './keyed/person-keys.js';
import type { Person } from './keyed/person.js';
import { peopleOf, recordOf } from './record-of-event.js';

/**
 * Rows of one statement: about 3,100 parameters, where SQLite allows 32,766 and PostgreSQL 65,535. Fewer than the 100
 * prepared statements that TypeORM keeps for SQLite, as each number of rows is a statement of its own.
 */
const MAX_BATCH = 64;

/** Records in the tables of {@link AuditStore}, one commit for all that arrived meanwhile. */
export class TypeOrmAuditTrail extends AuditTrail implements OnApplicationShutdown {
  /** Told after each commit, and not waited for. */
  onCommit: () => void = () => undefined;
  private readonly commits: GroupCommit<NewAuditRecord>;
  private readonly timeoutMs: number;
  private readonly maxQueued: number;
  /** Given to us, and neither durable nor refused yet. */
  private readonly inHand = new Set<Promise<void>>();
  private readonly lastWords: (() => Promise<void>)[] = [];
  private stopped = false;

  constructor(
    private readonly store: AuditStore,
    { timeoutMs, maxQueued }: Pick<AuditSettings, 'timeoutMs' | 'maxQueued'>,
  ) {
    super();
    this.timeoutMs = timeoutMs;
    this.maxQueued = maxQueued;
    const write = (records: readonly NewAuditRecord[]) => store.insert(records);
    this.commits = new GroupCommit({ write, faultOf, maxBatch: MAX_BATCH, maxQueued, timeoutMs });
  }

  /**
   * Resolves when the record is durable.
   *
   * @throws {AuditUnavailableError} when it could not be made so in time; the caller must refuse.
   */
  override async record(event: AuditEvent): Promise<void> {
    if (this.stopped) throw new AuditUnavailableError('stopped');
    if (this.inHand.size >= this.maxQueued) throw new AuditUnavailableError('overloaded');
    const work = this.commit(event);
    this.inHand.add(work);
    try {
      await work;
      this.onCommit();
    } finally {
      this.inHand.delete(work);
    }
  }

  /** What is recorded last, before the trail closes. What it throws is nobody's to handle any more. */
  beforeStop(work: () => Promise<void>): void {
    this.lastWords.push(work);
  }

  /** The servers are closed by now (Nest closes them before this hook), so the last outcome has been handed in. */
  async onApplicationShutdown(): Promise<void> {
    if (this.lastWords.length > 0) await Promise.allSettled(this.lastWords.splice(0).map((work) => work()));
    this.stopped = true;
    await Promise.allSettled(this.inHand);
    await this.commits.drain();
    await this.store.close();
  }

  private async commit(event: AuditEvent): Promise<void> {
    const started = performance.now();
    const people = peopleOf(event);
    const ring = this.store.keys.atHand(people) ?? (await this.fetchKeys(people));
    const left = Math.max(this.timeoutMs - (performance.now() - started), 1);
    await this.commits.add(rowOf(event, ring), left);
  }

  /** Without the keys of those whom it names there is no record, and without a record nothing runs. */
  private async fetchKeys(people: readonly Person[]): Promise<KeyRing> {
    let late: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new AuditUnavailableError('timeout')), this.timeoutMs);
    });
    try {
      return await Promise.race([this.store.keys.ring(people), deadline]);
    } catch (error) {
      throw error instanceof AuditUnavailableError ? error : new AuditUnavailableError('store', error);
    } finally {
      clearTimeout(late);
    }
  }
}

function rowOf(event: AuditEvent, ring: KeyRing): NewAuditRecord {
  try {
    return recordOf(event, ring);
  } catch (error) {
    throw new AuditUnavailableError('unrecordable', error);
  }
}
