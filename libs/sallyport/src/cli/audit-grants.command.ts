import { auditGrants } from '@sallyport/audit';

/** Options of `audit grants`, as commander hands them over. */
export interface AuditGrantsOptions {
  readonly role: string;
  readonly schema?: string;
  readonly erase?: boolean;
}

/** The SQL that gives a role of PostgreSQL what a server needs of the audit. Opens no application. */
export function auditGrantsText({ role, schema, erase }: AuditGrantsOptions): string {
  const options = { mayErase: erase === true, ...(schema === undefined ? {} : { schema }) };
  return auditGrants(role, options).join('\n');
}
