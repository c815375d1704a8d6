import { AUDIT_TABLE } from '../audit-record.entity.js';
import { AUDIT_KEY_TABLE } from '../keyed/audit-key.entity.js';
import { APPEND_ONLY_TABLES, SEALED_TABLES } from './privilege-findings.js';

/** Where followers note how far they are: no part of the evidence. */
const CHANGEABLE_TABLES = ['sallyport_audit_follower'];

export interface GrantOptions {
  /** Default: the current schema of whoever runs the statements. */
  readonly schema?: string;
  /** This role may also erase people: for `sallyport audit erase`, not for the server. */
  readonly mayErase?: boolean;
  /** This role may also seal, and so delete what was sealed: for `sallyport audit seal`, not for the server. */
  readonly maySeal?: boolean;
}

/**
 * The SQL that gives a role of PostgreSQL what a server needs of the audit and no more, to be run by the owner of the
 * tables.
 *
 * @example
 * auditGrants('app').join('\n'); // REVOKE ALL ON "sallyport_audit" FROM "app"; …
 */
export function auditGrants(role: string, options: GrantOptions = {}): string[] {
  const { schema, mayErase = false, maySeal = false } = options;
  const to = quoted(role);
  const named = (table: string) => (schema === undefined ? '' : `${quoted(schema)}.`) + quoted(table);
  const grant = (rights: string, table: string) => `GRANT ${rights} ON ${named(table)} TO ${to};`;
  const added = [...APPEND_ONLY_TABLES, AUDIT_KEY_TABLE];
  return [
    ...(schema === undefined ? [] : [`GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${to};`]),
    ...[...added, ...SEALED_TABLES, ...CHANGEABLE_TABLES].map(
      (table) => `REVOKE ALL ON ${named(table)} FROM ${to};`,
    ),
    ...added.map((table) => grant('SELECT, INSERT', table)),
    ...(mayErase ? [grant('UPDATE (key, lookup, subject_lookup, erased_at)', AUDIT_KEY_TABLE)] : []),
    ...CHANGEABLE_TABLES.map((table) => grant('SELECT, INSERT, UPDATE', table)),
    ...SEALED_TABLES.map((table) => grant('SELECT', table)),
    ...(maySeal
      ? [...SEALED_TABLES.map((table) => grant('INSERT', table)), grant('DELETE', AUDIT_TABLE)]
      : []),
    grant('SELECT', 'sallyport_migrations'),
    `GRANT USAGE ON SEQUENCE ${named(`${AUDIT_TABLE}_seq_seq`)} TO ${to};`,
  ];
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
