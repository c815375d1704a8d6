import type { QueryRunner } from 'typeorm';

import { ask } from '../ask.js';
import { TENANT_SETTING } from '../sql/tenant-setting.js';
import { quoted, quotedPath } from '../sql/tenant-table.js';

/** How the rows of one table belong to tenants. */
export interface TenantRowsOptions {
  /** The column of the database that holds the tenant. Default `tenant`. */
  readonly column?: string;
  /** The role of `tenancy.across`, which sees every row. Default: none does. */
  readonly across?: string;
}

/** How the rows of a table that links others belong to tenants. */
export interface TenantLinksOptions {
  /** Column → the table it points at: `{ ticketId: 'ticket' }`. Each must have been given {@link enableTenantRows}. */
  readonly columns: Readonly<Record<string, string>>;
  /** The primary key of those tables. Default `id`. */
  readonly key?: string;
  /** The role of `tenancy.across`, which sees every row. Default: none does. */
  readonly across?: string;
}

/** The name of the policy that shows a tenant its rows. */
export const TENANT_POLICY = 'tenant_rows';
/** The name of the policy that shows `tenancy.across` every row. */
export const ACROSS_POLICY = 'tenant_rows_across';

/**
 * What the database was told about the tenant. A setting that was made for a transaction is an empty text after it, not
 * NULL, and nobody's rows have an empty tenant.
 */
const TENANT = `NULLIF(current_setting('${TENANT_SETTING}', true), '')`;

/**
 * For a migration on PostgreSQL; elsewhere it does nothing. A connection that did not say for which tenant it works sees
 * no row of this table, and writes none. `FORCE` binds the owner of the table too.
 *
 * @example
 * ```ts
 * async up(runner: QueryRunner) {
 *   await runner.createTable(ticket);
 *   await enableTenantRows(runner, 'ticket');
 * }
 * ```
 */
export async function enableTenantRows(
  runner: QueryRunner,
  table: string,
  { column = 'tenant', across }: TenantRowsOptions = {},
): Promise<void> {
  if (!isPostgres(runner)) return;
  const type = await castOf(runner, table, column);
  await secure(runner, table, `${quoted(column)} = ${TENANT}${type}`, across);
}

/** A uuid or an enum is not compared with a text. */
async function castOf(runner: QueryRunner, table: string, column: string): Promise<string> {
  const [row] = await ask<{ type: string; text: boolean }>(
    runner,
    `SELECT format_type(a.atttypid, NULL) AS "type", t.typcategory = 'S' AS "text"
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = to_regclass($1) AND a.attname = $2`,
    [quotedPath(table), column],
  );
  return row === undefined || row.text ? '' : `::${row.type}`;
}

/** The same for a table between two others, such as TypeORM makes for `@ManyToMany`. */
export async function enableTenantLinks(
  runner: QueryRunner,
  table: string,
  { columns, key = 'id', across }: TenantLinksOptions,
): Promise<void> {
  // The policies of the other table apply within, so a row of another tenant does not exist here.
  const ends = Object.entries(columns).map(
    ([column, other]) =>
      `EXISTS (SELECT 1 FROM ${quotedPath(other)} "linked" WHERE "linked".${quoted(key)} = ${quotedPath(table)}.${quoted(column)})`,
  );
  await secure(runner, table, ends.join(' AND '), across);
}

/**
 * Lets the role that the server connects as work on the rows of a table, and count on its sequences, and no more: neither
 * TRUNCATE nor TRIGGER, which row-level security does not bind.
 */
export async function grantRows(runner: QueryRunner, table: string, role: string): Promise<void> {
  if (!isPostgres(runner)) return;
  await runner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${quotedPath(table)} TO ${quoted(role)}`);
  for (const { sequence } of await ask<{ sequence: string }>(runner, SEQUENCES, [quotedPath(table)]))
    await runner.query(`GRANT USAGE ON SEQUENCE ${sequence} TO ${quoted(role)}`);
}

/** Those that the defaults of a table's columns count with. */
const SEQUENCES = `
  SELECT s.oid::regclass::text AS "sequence" FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  WHERE d.classid = 'pg_class'::regclass AND d.refobjid = to_regclass($1) AND d.deptype IN ('a', 'i')`;

async function secure(
  runner: QueryRunner,
  table: string,
  condition: string,
  across: string | undefined,
): Promise<void> {
  if (!isPostgres(runner)) return;
  const path = quotedPath(table);
  await runner.query(`ALTER TABLE ${path} ENABLE ROW LEVEL SECURITY`);
  await runner.query(`ALTER TABLE ${path} FORCE ROW LEVEL SECURITY`);
  await policy(runner, `${quoted(TENANT_POLICY)} ON ${path}`, condition);
  if (across !== undefined)
    await policy(runner, `${quoted(ACROSS_POLICY)} ON ${path} TO ${quoted(across)}`, 'true');
}

async function policy(runner: QueryRunner, where: string, condition: string): Promise<void> {
  await runner.query(`CREATE POLICY ${where} USING (${condition}) WITH CHECK (${condition})`);
}

function isPostgres(runner: QueryRunner): boolean {
  return runner.dataSource.options.type === 'postgres';
}
