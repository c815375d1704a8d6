import type { Decision, OutcomeStatus } from '@sallyport/mcp';
import { In, LessThan, LessThanOrEqual, MoreThanOrEqual, And, Not, type FindOptionsWhere } from 'typeorm';

import { AuditRecord, type AuditKind } from './audit-record.entity.js';
import type { AuditStore } from './audit.store.js';
import { LIMITS } from './record-of-event.js';
import { boundedText } from './safe-text.js';

/** `attempt` stands for the whole call: its outcome is joined to it. */
export type AuditCallKind = Exclude<AuditKind, 'outcome'>;

export interface AuditFilter {
  readonly tenant?: string;
  readonly kind?: AuditCallKind;
  /** Name of the entry. */
  readonly entry?: string;
  readonly subject?: string;
  readonly client?: string;
  readonly decision?: Decision['effect'];
  /** Inclusive. */
  readonly since?: Date;
  /** Inclusive. */
  readonly until?: Date;
  /** How many, at most: the newest that match. 1 to 1000. */
  readonly limit: number;
  /** Only what was committed before this `seq`: the first one of the page before. */
  readonly before?: number;
}

/** One call, refusal, list, failed authentication or administrative change, with the JSON columns read. */
export interface AuditCall extends Omit<
  AuditRecord,
  | 'at'
  | 'kind'
  | 'attempt'
  | 'actors'
  | 'scopesGranted'
  | 'scopesRequired'
  | 'roles'
  | 'checks'
  | 'fields'
  | 'details'
  | 'status'
> {
  readonly at: Date;
  readonly kind: AuditCallKind;
  readonly actors: unknown;
  readonly scopesGranted: readonly string[];
  readonly scopesRequired: readonly string[];
  readonly roles: readonly string[];
  readonly checks: unknown;
  readonly fields: unknown;
  readonly details: unknown;
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
    const records = await this.repository.find({
      where: conditionOf(filter),
      order: { seq: 'DESC' },
      take: Math.min(Math.max(Math.trunc(filter.limit), 1), MOST_ROWS),
    });
    const outcomes = await this.outcomesOf(records);
    return records.reverse().flatMap((record) => auditCall(record, outcomes.get(record.id)));
  }

  private async outcomesOf(records: readonly AuditRecord[]): Promise<Map<string | null, AuditRecord>> {
    const attempts = records.filter(({ kind }) => kind === 'attempt').map(({ id }) => id);
    if (attempts.length === 0) return new Map();
    const outcomes = await this.repository.findBy({ attempt: In(attempts) });
    return new Map(outcomes.map((outcome) => [outcome.attempt, outcome]));
  }

  private get repository() {
    return this.store.dataSource.getRepository(AuditRecord);
  }
}

/** Texts are compared in the form in which they are stored. */
function conditionOf(filter: AuditFilter): FindOptionsWhere<AuditRecord> {
  const { tenant, kind, entry, subject, client, decision, since, until, before } = filter;
  return {
    kind: kind ?? Not('outcome'),
    ...(tenant !== undefined && { tenant: boundedText(tenant, LIMITS.name) }),
    ...(entry !== undefined && { entry: boundedText(entry, LIMITS.name) }),
    ...(subject !== undefined && { subject: boundedText(subject, LIMITS.identity) }),
    ...(client !== undefined && { client: boundedText(client, LIMITS.identity) }),
    ...(decision !== undefined && { decision }),
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

function auditCall(record: AuditRecord, outcome: AuditRecord | undefined): AuditCall[] {
  const { kind, attempt: _attempt, status: _status, ...rest } = record;
  if (kind === 'outcome') return [];
  return [
    {
      ...rest,
      kind,
      at: new Date(record.at),
      actors: parsed(record.actors),
      scopesGranted: words(record.scopesGranted),
      scopesRequired: words(record.scopesRequired),
      roles: words(record.roles),
      checks: parsed(record.checks),
      fields: parsed(record.fields),
      details: parsed(record.details),
      outcome: kind === 'attempt' ? (outcome?.status ?? 'ambiguous') : null,
      durationMs: outcome?.durationMs ?? null,
      resultBytes: outcome?.resultBytes ?? null,
    },
  ];
}

function words(text: string | null): string[] {
  return text ? text.split(' ') : [];
}

function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    // Not as we wrote it. A reader of evidence shows what is there.
    return text;
  }
}
