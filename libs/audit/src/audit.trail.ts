import { AuditTrail, type AuditEvent } from '@sallyport/mcp';
import type { OnApplicationShutdown } from '@nestjs/common';
import { faultOf } from '@sallyport/store';

import type { NewAuditRecord } from './audit-record.entity.js';
import { AuditUnavailableError } from './audit.errors.js';
import type { AuditSettings } from './audit.options.js';
import type { AuditStore } from './audit.store.js';
import { GroupCommit } from './group-commit.js';
import { recordOf } from './record-of-event.js';

/**
 * Rows of one statement: about 2,500 parameters, where SQLite allows 32,766 and PostgreSQL 65,535. Fewer than the 100
 * prepared statements that TypeORM keeps for SQLite, as each number of rows is a statement of its own.
 */
const MAX_BATCH = 64;

/** Records in the tables of {@link AuditStore}, one commit for all that arrived meanwhile. */
export class TypeOrmAuditTrail extends AuditTrail implements OnApplicationShutdown {
  private readonly commits: GroupCommit<NewAuditRecord>;

  constructor(
    private readonly store: AuditStore,
    { timeoutMs, maxQueued }: Pick<AuditSettings, 'timeoutMs' | 'maxQueued'>,
  ) {
    super();
    const write = (records: readonly NewAuditRecord[]) => store.insert(records);
    this.commits = new GroupCommit({ write, faultOf, maxBatch: MAX_BATCH, maxQueued, timeoutMs });
  }

  /**
   * Resolves when the record is durable.
   *
   * @throws {AuditUnavailableError} when it could not be made so in time; the caller must refuse.
   */
  override async record(event: AuditEvent): Promise<void> {
    await this.commits.add(rowOf(event));
  }

  /** The servers are closed by now (Nest closes them before this hook), so the last outcome has been handed in. */
  async onApplicationShutdown(): Promise<void> {
    await this.commits.drain();
    await this.store.close();
  }
}

function rowOf(event: AuditEvent): NewAuditRecord {
  try {
    return recordOf(event);
  } catch (error) {
    throw new AuditUnavailableError('unrecordable', error);
  }
}
