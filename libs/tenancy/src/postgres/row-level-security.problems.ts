import type { Problem } from '@sallyport/mcp';
import type { QueryRunner } from 'typeorm';

import { ask } from '../ask.js';
import { quotedPath, type LinkTable, type RowTable } from '../sql/tenant-table.js';
import { isTenantCondition } from './policy-condition.js';
import {
  DEFINERS,
  POLICIES,
  ROLE,
  TABLES,
  VIEWS,
  type DefinerRow,
  type PolicyRow,
  type RoleRow,
  type TableRow,
  type ViewRow,
} from './catalog.queries.js';

interface Strictness {
  readonly dangerouslyAllowOwnerRole?: boolean;
}

type Guarded = RowTable | LinkTable;

/**
 * What would let this connection around row-level security: its role, its tables, their policies, or views and functions
 * over them. Looked up once, at boot; what is changed later is for migrations, and their review.
 */
export async function rowLevelSecurityProblems(
  runner: QueryRunner,
  tables: readonly Guarded[],
  strictness: Strictness,
): Promise<Problem[]> {
  const problems = await roleProblems(runner, strictness);
  // To a role that nothing binds, no table can be in order.
  if (problems.length > 0) return problems;
  for (const table of tables) problems.push(...(await tableProblems(runner, table, strictness)));
  return problems;
}

async function roleProblems(runner: QueryRunner, strictness: Strictness): Promise<Problem[]> {
  const [role] = await ask<RoleRow>(runner, ROLE);
  if (role?.bound !== true)
    return [
      {
        code: 'row_security_role',
        message:
          'The server connects to PostgreSQL as a role that row-level security does not bind: a superuser, one with BYPASSRLS, ' +
          'or a member of such. Write CREATE ROLE app LOGIN NOSUPERUSER NOBYPASSRLS, and connect as that.',
      },
    ];
  if (!role.mighty || strictness.dangerouslyAllowOwnerRole === true) return [];
  const message =
    'The server connects to PostgreSQL as a role that can make others (CREATEROLE), or reach files and programs of the ' +
    'database server: write ALTER ROLE app NOCREATEROLE, and revoke pg_execute_server_program and pg_…_server_files.';
  return [{ code: 'row_security_role', message }];
}

/** A partition, or a child, can be named itself, and then its own policies count. */
async function tableProblems(
  runner: QueryRunner,
  table: Guarded,
  strictness: Strictness,
): Promise<Problem[]> {
  const rows = await ask<TableRow>(runner, TABLES, [quotedPath(table.path)]);
  if (rows.length === 0) {
    const message = `The table ${table.path} does not exist, or this role may not see it: run the migrations first.`;
    return [{ code: 'row_security_table', message }];
  }
  const found = await Promise.all(
    rows.map(async (row) =>
      row.kind === 'v' || row.kind === 'm'
        ? viewProblems([{ view: row.name, materialized: row.kind === 'm', invoker: row.invoker }], table)
        : [
            ...ownProblems(row, strictness),
            ...policyProblems(row, table, await ask<PolicyRow>(runner, POLICIES, [row.oid])),
            ...viewProblems(await ask<ViewRow>(runner, VIEWS, [row.oid]), table),
            ...definerProblems(await ask<DefinerRow>(runner, DEFINERS, [row.bare]), row),
          ],
    ),
  );
  return found.flat();
}

function ownProblems(
  { name, secured, forced, owned, truncate, trigger }: TableRow,
  strictness: Strictness,
): Problem[] {
  const problems: Problem[] = [];
  const lenient = strictness.dangerouslyAllowOwnerRole === true;
  if (!secured || !forced)
    problems.push({
      code: 'row_security_off',
      message: `${name} belongs to tenants, and its row-level security is not enabled and forced: write enableTenantRows(runner, '${name}') in a migration.`,
    });
  if (owned && !lenient)
    problems.push({
      code: 'row_security_owner',
      message: `The server connects as the owner of ${name}, who can switch its row-level security off: run migrations as one role and serve as another, or write tenancy: { dangerouslyAllowOwnerRole: true } for development.`,
    });
  if ((truncate || trigger) && !owned && !lenient)
    problems.push({
      code: 'row_security_truncate',
      message: `The server may TRUNCATE ${name}, or make triggers on it, which row-level security does not bind: revoke TRUNCATE and TRIGGER, or grant with grantRows.`,
    });
  return problems;
}

const COMMANDS = ['r', 'a', 'w', 'd'] as const;

function policyProblems({ name }: TableRow, table: Guarded, policies: readonly PolicyRow[]): Problem[] {
  // A restrictive policy only takes away.
  const permissive = policies.filter(({ permissive: permits }) => permits);
  const loose = permissive.filter((policy) => !isTenantCondition(policy, table));
  const covered = COMMANDS.every((command) =>
    permissive.some((policy) => policy.command === '*' || policy.command === command),
  );
  const problems = loose.map(({ policy }) => ({
    code: 'row_security_loose',
    message: `The policy "${policy}" of ${name} shows or takes rows that are not the tenant's, and PostgreSQL joins policies with OR: drop it, or make it AS RESTRICTIVE.`,
  }));
  if (covered) return problems;
  const message = `${name} has no policy for every one of SELECT, INSERT, UPDATE and DELETE: write enableTenantRows(runner, '${name}') in a migration.`;
  return [...problems, { code: 'row_security_policy', message }];
}

function viewProblems(views: readonly ViewRow[], { path }: Guarded): Problem[] {
  return views
    .filter(({ materialized, invoker }) => materialized || !invoker)
    .map(({ view, materialized }) => ({
      code: 'row_security_view',
      message: materialized
        ? `The materialized view ${view} keeps rows of ${path} without their policies: revoke it from this role, or drop it.`
        : `The view ${view} reads ${path} with the rights of its owner: write ALTER VIEW ${view} SET (security_invoker = true), or revoke it from this role.`,
    }));
}

function definerProblems(functions: readonly DefinerRow[], { name }: TableRow): Problem[] {
  return functions.map(({ routine }) => ({
    code: 'row_security_definer',
    message: `The function ${routine} names ${name} and runs with the rights of its owner (SECURITY DEFINER): make it SECURITY INVOKER, or revoke EXECUTE on it from this role.`,
  }));
}
