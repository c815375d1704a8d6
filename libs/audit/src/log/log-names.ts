import type { DataSource } from 'typeorm';

import { AUDIT_TABLE } from '../audit-record.entity.js';

/** How the tables of the log are spelled in a statement. */
export interface LogNames {
  readonly record: string;
  readonly leaf: string;
  readonly tile: string;
  readonly checkpoint: string;
  readonly seal: string;
  /** Ranges of records that may be deleted. */
  readonly sealed: string;
}

export function logNames({ driver }: DataSource): LogNames {
  const table = (name: string) =>
    driver
      .buildTableName(name, driver.schema)
      .split('.')
      .map((part) => driver.escape(part))
      .join('.');
  return {
    record: table(AUDIT_TABLE),
    leaf: table('sallyport_log_leaf'),
    tile: table('sallyport_log_tile'),
    checkpoint: table('sallyport_log_checkpoint'),
    seal: table('sallyport_log_seal'),
    sealed: table('sallyport_audit_sealed'),
  };
}

/** Statements are written with `?`; PostgreSQL numbers its parameters. No text of ours holds a `?` otherwise. */
export function forDialect(statement: string, isPostgres: boolean): string {
  if (!isPostgres) return statement;
  let number = 0;
  return statement.replaceAll('?', () => `$${(number += 1)}`);
}
