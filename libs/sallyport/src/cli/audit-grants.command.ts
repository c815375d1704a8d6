import { auditGrants } from '@sallyport/audit';

/** Options of `audit grants`, as commander hands them over. */
export interface AuditGrantsOptions {
  readonly role: string;
  readonly schema?: string;
  readonly erase?: boolean;
  readonly seal?: boolean;
}

/** The SQL that gives a role of PostgreSQL what a server needs of the audit. Opens no application. */
export function auditGrantsText({ role, schema, erase, seal }: AuditGrantsOptions): string {
  const options = {
    mayErase: erase === true,
    maySeal: seal === true,
    ...(schema === undefined ? {} : { schema }),
  };
  return auditGrants(role, options).join('\n');
}
