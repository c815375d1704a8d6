import type { DataSource, EntityMetadata } from 'typeorm';

import { AuditRecord } from '../audit-record.entity.js';

type Column = EntityMetadata['columns'][number];

/**
 * A record as its leaf needs it: the columns that are not `null`, under the names of {@link AuditRecord}. Whatever somebody
 * else has put there.
 */
export interface StoredRecord {
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly [column: string]: unknown;
}

/** Reads records as the entity describes them, whatever columns it has, without what a query builder costs. */
export class RecordColumns {
  /** `r.id, r.at, …`, for a statement that calls the table of the records `r`. */
  readonly selected: string;
  private readonly columns: readonly { name: string; property: string; read: (value: unknown) => unknown }[];

  constructor(dataSource: DataSource) {
    const { columns } = dataSource.getMetadata(AuditRecord);
    const inOrder = [...columns].sort((a, b) => (a.propertyName < b.propertyName ? -1 : 1));
    this.selected = columns
      .map(({ databaseName }) => `r.${dataSource.driver.escape(databaseName)}`)
      .join(', ');
    this.columns = inOrder.map((column) => ({
      name: column.databaseName,
      property: column.propertyName,
      read: readerOf(dataSource, column),
    }));
  }

  /** The record in a row; `undefined` where a join found none. */
  read(row: Readonly<Record<string, unknown>>): StoredRecord | undefined {
    if (row['seq'] === null || row['seq'] === undefined) return undefined;
    const record: Record<string, unknown> = {};
    for (const { name, property, read } of this.columns) {
      const value = row[name];
      if (value !== null && value !== undefined) record[property] = read(value);
    }
    const { id, at } = row;
    return { ...record, seq: Number(row['seq']), id: idOf(id), at: wholeNumber(at) ?? Number.NaN };
  }
}

/** Most columns are texts, which are what they are. */
function readerOf({ driver }: DataSource, column: Column): (value: unknown) => unknown {
  if (column.type === 'text' && column.transformer === undefined) return (value) => value;
  if (column.type === 'bigint') return (value) => wholeNumber(value) ?? value;
  return (value): unknown => driver.prepareHydratedValue(value, column);
}

/**
 * The number that a driver gives, `pg` as digits. A column of SQLite takes any type: bytes or `0x10` are what comparisons
 * and filters do not take for the number that JavaScript would make of them, so they are not that number here, either.
 */
function wholeNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !/^(?:0|-?[1-9]\d*)$/.test(value)) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
}

/** Bytes that spell an id are found by nobody who looks for it: they are another id. */
function idOf(value: unknown): string {
  return value instanceof Uint8Array ? `bytes ${Buffer.from(value).toString('hex')}` : String(value);
}
