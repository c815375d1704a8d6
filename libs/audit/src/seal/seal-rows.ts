import type { DataSource } from 'typeorm';

import type { LogConnection } from '../log/log-connection.js';
import { forDialect, logNames, type LogNames } from '../log/log-names.js';
import { announcementOf, type Announcement, type SealedRange } from './announcement.js';
import { KEPT_ACTIONS } from './kept-records.js';

/** What decides whether a leaf may be sealed. */
export interface Candidate {
  readonly index: number;
  readonly seq: number;
  /** Milliseconds since the epoch; `undefined`: there is no such record. */
  readonly at: number | undefined;
  readonly isAttempt: boolean;
  /** Of an attempt: the index of its outcome, which is `undefined` while that has no leaf. */
  readonly outcome: { readonly index: number | undefined } | undefined;
}

/** Numbers of records that follow on each other, both ends included. */
export interface SeqRun {
  readonly from: number;
  to: number;
}

/** A record that announces a seal. */
export interface StoredAnnouncement extends Announcement {
  readonly id: string;
  readonly at: number;
}

type Row = Readonly<Record<string, unknown>>;

/** Statements of sealing. Every method is one statement, so whatever a crash leaves is one of few states. */
export class SealRows {
  private readonly isPostgres: boolean;
  private readonly names: LogNames;

  constructor(
    private readonly connection: LogConnection,
    dataSource: DataSource,
  ) {
    this.isPostgres = dataSource.options.type === 'postgres';
    this.names = logNames(dataSource);
  }

  /** The first `limit` leaves from index `first` on. */
  async candidates(first: number, limit: number): Promise<Candidate[]> {
    const { leaf, record } = this.names;
    const rows = await this.rows(
      `SELECT l.idx AS leaf_idx, l.seq AS leaf_seq, r.at AS record_at, r.kind AS record_kind,
              o.id AS outcome_id, ol.idx AS outcome_idx
       FROM ${leaf} l LEFT JOIN ${record} r ON r.seq = l.seq
       LEFT JOIN ${record} o ON o.attempt = r.id LEFT JOIN ${leaf} ol ON ol.seq = o.seq
       WHERE l.idx >= ? AND l.idx < ? ORDER BY l.idx`,
      [first, first + limit],
    );
    return rows.map((row) => ({
      index: Number(row['leaf_idx']),
      seq: Number(row['leaf_seq']),
      at: numberOf(row['record_at']),
      isAttempt: row['record_kind'] === 'attempt',
      outcome: row['outcome_id'] === null ? undefined : { index: numberOf(row['outcome_idx']) },
    }));
  }

  /** What announces a seal, in its order. */
  async announcements(): Promise<StoredAnnouncement[]> {
    const rows = await this.rows(
      `SELECT id, at, details FROM ${this.names.record}
       WHERE action = 'audit.sealed' AND decision = 'permit' ORDER BY seq`,
      [],
    );
    return rows.flatMap((row) => {
      const announcement = announcementOf(row['details']);
      if (announcement === undefined) return [];
      return [{ ...announcement, id: String(row['id']), at: Number(row['at']) }];
    });
  }

  async addSeal({ from, to, sha256, file }: SealedRange, at: number): Promise<void> {
    await this.rows(
      `INSERT INTO ${this.names.seal} (from_idx, to_idx, sha256, file, at) VALUES (?, ?, ?, ?, ?)`,
      [from, to, sha256, file, at],
    );
  }

  /** Numbers of the records from the leaf `first` to before the leaf `end` that are still to be deleted, in order. */
  async remaining(first: number, end: number): Promise<number[]> {
    const { leaf, record } = this.names;
    const rows = await this.rows(
      `SELECT r.seq AS seq FROM ${leaf} l JOIN ${record} r ON r.seq = l.seq
       WHERE l.idx >= ? AND l.idx < ? AND ${MAY_LEAVE} ORDER BY r.seq`,
      [first, end],
    );
    return rows.map(({ seq }) => Number(seq));
  }

  /** Whether the database lets all of these numbers be deleted. */
  async isOpen({ from, to }: SeqRun): Promise<boolean> {
    const rows = await this.rows(
      `SELECT 1 AS found FROM ${this.names.sealed} WHERE from_seq <= ? AND to_seq >= ? LIMIT 1`,
      [from, to],
    );
    return rows.length > 0;
  }

  /** From now on the triggers let these numbers be deleted, and no others. */
  async open({ from, to }: SeqRun, at: number, reason: string): Promise<void> {
    await this.rows(`INSERT INTO ${this.names.sealed} (from_seq, to_seq, at, reason) VALUES (?, ?, ?, ?)`, [
      from,
      to,
      at,
      reason,
    ]);
  }

  /** Deletes the records from the leaf `first` to before the leaf `end`. Their leaves stay. */
  async delete(first: number, end: number): Promise<void> {
    const { leaf, record } = this.names;
    await this.rows(
      `DELETE FROM ${record} AS r WHERE r.seq IN
         (SELECT l.seq FROM ${leaf} l WHERE l.idx >= ? AND l.idx < ?) AND ${MAY_LEAVE}`,
      [first, end],
    );
  }

  private rows(statement: string, parameters: readonly unknown[]): Promise<Row[]> {
    return this.connection.query<Row>(forDialect(statement, this.isPostgres), parameters);
  }
}

const MAY_LEAVE = `(r.action IS NULL OR r.action NOT IN (${KEPT_ACTIONS.map((action) => `'${action}'`).join(', ')}))`;

function numberOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
