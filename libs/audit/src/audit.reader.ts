import type { AdministrationAction, Decision, OutcomeStatus } from '@sallyport/mcp';
import { In, LessThan, LessThanOrEqual, MoreThanOrEqual, And, Not, type FindOptionsWhere } from 'typeorm';

import { AuditRecord, type AuditKind } from './audit-record.entity.js';
import type { AuditStore } from './audit.store.js';
import { keyIdsIn, openRecord, type OpenedRecord } from './keyed/sealed-record.js';
import { readRecord, type ReadRecord } from './reading/read-record.js';
import { LIMITS } from './record-of-event.js';
import { boundedText } from './safe-text.js';

/** `attempt` stands for the whole call: its outcome is joined to it. */
export type AuditCallKind = Exclude<AuditKind, 'outcome'>;

export interface AuditFilter {
  readonly tenant?: string;
  readonly kind?: AuditCallKind;
  /** Name of the entry. */
  readonly entry?: string;
  /** Of whichever issuer. Of somebody whose data was erased nothing is found. */
  readonly subject?: string;
  readonly client?: string;
  readonly decision?: Decision['effect'];
  /** Administration only: what was done, and to what. */
  readonly action?: AdministrationAction;
  readonly target?: string;
  /** RFC 8707 resource of the server that recorded it. */
  readonly resource?: string;
  /** Inclusive. */
  readonly since?: Date;
  /** Inclusive. */
  readonly until?: Date;
  /** How many, at most: the newest that match. 1 to 1000. */
  readonly limit: number;
  /** Only what was committed before this `seq`: the first one of the page before. */
  readonly before?: number;
}

/**
 * One call, refusal, list, failed authentication or administrative change. Of a permitted call the outcome is joined to
 * the attempt.
 */
export interface AuditCall extends Omit<ReadRecord, 'kind' | 'attempt' | 'status'> {
  readonly kind: AuditCallKind;
  /** How a permitted call ended; `ambiguous` while no outcome is recorded. `null` when nothing was permitted. */
  readonly outcome: OutcomeStatus | 'ambiguous' | null;
}

const MOST_ROWS = 1000;

/** Reads what {@link AuditStore} holds. Never writes. */
export class AuditReader {
  constructor(private readonly store: AuditStore) {}

  /**
   * The newest rows that match, oldest of them first.
   *
   * @example
   * const page = await reader.list({ tenant: 'acme', decision: 'refuse', limit: 50 });
   * const older = await reader.list({ tenant: 'acme', decision: 'refuse', limit: 50, before: page[0]?.seq });
   */
  async list(filter: AuditFilter): Promise<AuditCall[]> {
    const where = await this.conditionsOf(filter);
    const take = Math.min(Math.max(Math.trunc(filter.limit), 1), MOST_ROWS);
    const records = await this.store.read((all) => all.find({ where, order: { seq: 'DESC' }, take }));
    const outcomes = await this.outcomesOf(records);
    const opened = await this.open(records);
    return opened.reverse().flatMap((record) => auditCall(record, outcomes.get(record.id)));
  }

  /** Records as they are stored, with what names people opened. */
  async open(records: readonly AuditRecord[]): Promise<OpenedRecord<AuditRecord>[]> {
    const keys = await this.store.keys.withIds(keyIdsIn(records));
    return records.map((record) => openRecord(record, keys));
  }

  /**
   * What matches, for whoever asks for the records in another order. A subject stands in them as the id of a key; in
   * those of before there were keys, as it is.
   */
  async conditionsOf({
    subject,
    ...filter
  }: Omit<AuditFilter, 'limit'>): Promise<FindOptionsWhere<AuditRecord>[]> {
    const condition = conditionOf(filter);
    if (subject === undefined) return [condition];
    const ids = await this.store.keys.idsOfSubject(subject);
    return [
      { ...condition, subject: boundedText(subject, LIMITS.identity) },
      ...(ids.length === 0 ? [] : [{ ...condition, person: In(ids) }]),
    ];
  }

  private async outcomesOf(records: readonly AuditRecord[]): Promise<Map<string | null, AuditRecord>> {
    const attempts = records.filter(({ kind }) => kind === 'attempt').map(({ id }) => id);
    if (attempts.length === 0) return new Map();
    const outcomes = await this.store.read((all) => all.findBy({ attempt: In(attempts) }));
    return new Map(outcomes.map((outcome) => [outcome.attempt, outcome]));
  }
}

/** Texts are compared in the form in which they are stored. */
function conditionOf(filter: Omit<AuditFilter, 'subject' | 'limit'>): FindOptionsWhere<AuditRecord> {
  const { tenant, kind, entry, client, decision, action, target, resource, since, until, before } = filter;
  return {
    kind: kind ?? Not('outcome'),
    ...(tenant !== undefined && { tenant: boundedText(tenant, LIMITS.name) }),
    ...(entry !== undefined && { entry: boundedText(entry, LIMITS.name) }),
    ...(client !== undefined && { client: boundedText(client, LIMITS.identity) }),
    ...(decision !== undefined && { decision }),
    ...(action !== undefined && { action }),
    ...(target !== undefined && { target: boundedText(target, LIMITS.name) }),
    ...(resource !== undefined && { resource: boundedText(resource, LIMITS.identity) }),
    ...(before !== undefined && { seq: LessThan(before) }),
    ...timeCondition(since, until),
  };
}

function timeCondition(since: Date | undefined, until: Date | undefined): FindOptionsWhere<AuditRecord> {
  const bounds = [
    ...(since ? [MoreThanOrEqual(since.getTime())] : []),
    ...(until ? [LessThanOrEqual(until.getTime())] : []),
  ];
  return bounds.length === 0 ? {} : { at: And(...bounds) };
}

function auditCall(record: OpenedRecord<AuditRecord>, outcome: AuditRecord | undefined): AuditCall[] {
  const { kind, attempt: _attempt, status: _status, ...rest } = readRecord(record);
  if (kind === 'outcome') return [];
  return [
    {
      ...rest,
      kind,
      outcome: kind === 'attempt' ? (outcome?.status ?? 'ambiguous') : null,
      cause: outcome?.cause ?? null,
      durationMs: outcome?.durationMs ?? null,
      resultBytes: outcome?.resultBytes ?? null,
    },
  ];
}
