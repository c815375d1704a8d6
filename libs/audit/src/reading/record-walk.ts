import { And, LessThanOrEqual, MoreThan, type FindOptionsWhere } from 'typeorm';

import { AuditRecord, type AuditKind } from '../audit-record.entity.js';
import type { AuditFilter, AuditReader } from '../audit.reader.js';
import type { AuditStore } from '../audit.store.js';
import { LIMITS } from '../record-of-event.js';
import { boundedText } from '../safe-text.js';
import { readRecord, type ReadRecord } from './read-record.js';

/** Which records, outcomes among them. */
export interface RecordFilter extends Omit<AuditFilter, 'limit' | 'before' | 'kind'> {
  readonly kind?: AuditKind;
}

/** Numbers of records, as `seq` has them. */
export interface RecordRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
}

/** A call has an attempt and an outcome; what else names the same call is not without end, either. */
const MOST_OF_ONE_CALL = 100;

/** Reads the records one by one, in the order of their numbers: an attempt and its outcome are two. Never writes. */
export class RecordWalk {
  constructor(
    private readonly store: AuditStore,
    private readonly reader: AuditReader,
  ) {}

  /** The highest number; 0 when there is no record. */
  async lastSeq(): Promise<number> {
    return (await this.store.read((all) => all.maximum('seq'))) ?? 0;
  }

  /** The first `limit` records of the range that match. */
  async read(range: RecordRange, limit: number, filter: RecordFilter = {}): Promise<ReadRecord[]> {
    const where = await this.conditionsOf(filter, range);
    return this.opened(
      await this.store.read((all) => all.find({ where, order: { seq: 'ASC' }, take: limit })),
    );
  }

  /** The last `limit` records of the range that match, oldest first. */
  async readLast(range: RecordRange, limit: number, filter: RecordFilter = {}): Promise<ReadRecord[]> {
    const where = await this.conditionsOf(filter, range);
    const records = await this.store.read((all) => all.find({ where, order: { seq: 'DESC' }, take: limit }));
    return this.opened(records.reverse());
  }

  async count(range: RecordRange, filter: RecordFilter = {}): Promise<number> {
    const where = await this.conditionsOf(filter, range);
    return this.store.read((all) => all.count({ where }));
  }

  /** Numbers above `after`, the first `limit` of them. */
  async seqsAbove(after: number, limit: number): Promise<number[]> {
    const rows = await this.store.read((all) =>
      all.find({
        select: { seq: true },
        where: { seq: MoreThan(after) },
        order: { seq: 'ASC' },
        take: limit,
      }),
    );
    return rows.map(({ seq }) => seq);
  }

  /**
   * Everything that is recorded of one call, oldest first; of what is no call, its one record.
   *
   * @param id of one of its records, or of the call
   * @param tenant of no other; `undefined`: of any, and of none
   */
  async recordsOf(id: string, tenant?: string): Promise<ReadRecord[]> {
    const within = ofTenant(tenant);
    const where = [
      { ...within, id },
      { ...within, call: id },
    ];
    const found = await this.store.read((all) => all.findOne({ where }));
    if (found === null) return [];
    const { call } = found;
    if (call === null) return this.opened([found]);
    const records = await this.store.read((all) =>
      all.find({ where: { ...within, call }, order: { seq: 'ASC' }, take: MOST_OF_ONE_CALL }),
    );
    return this.opened(records);
  }

  /** Number of the record with this id. */
  async seqOf(id: string, tenant?: string): Promise<number | undefined> {
    const within = ofTenant(tenant);
    const found = await this.store.read((all) =>
      all.findOne({ select: { seq: true }, where: { ...within, id } }),
    );
    return found?.seq;
  }

  private async opened(records: readonly AuditRecord[]): Promise<ReadRecord[]> {
    return (await this.reader.open(records)).map(readRecord);
  }

  private async conditionsOf(
    { kind, ...filter }: RecordFilter,
    { after, upTo }: RecordRange,
  ): Promise<FindOptionsWhere<AuditRecord>[]> {
    const conditions = await this.reader.conditionsOf(filter);
    const seq = And(MoreThan(after), LessThanOrEqual(upTo));
    // Without a kind the reader means calls, of which outcomes are a part; here they stand for themselves.
    return conditions.map(({ kind: _calls, ...condition }) => ({
      ...condition,
      seq,
      ...(kind !== undefined && { kind }),
    }));
  }
}

/** As it is stored. */
function ofTenant(tenant: string | undefined): FindOptionsWhere<AuditRecord> {
  return tenant === undefined ? {} : { tenant: boundedText(tenant, LIMITS.name) };
}
