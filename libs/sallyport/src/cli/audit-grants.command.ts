import { auditGrants } from '@sallyport/audit';

/** Options of `audit grants`, as commander hands them over. */
export interface AuditGrantsOptions {
  readonly role: string;
  readonly schema?: string;
  readonly erase?: boolean;
  readonly seal?: boolean;
  readonly json?: boolean;
}

/** The SQL that gives a role of PostgreSQL what a server needs of the audit. Opens no application. */
export function auditGrantsText({ role, schema, erase, seal, json }: AuditGrantsOptions): string {
  const options = {
    mayErase: erase === true,
    maySeal: seal === true,
    ...(schema === undefined ? {} : { schema }),
  };
  const statements = auditGrants(role, options);
  return json === true ? JSON.stringify(statements, null, 2) : statements.join('\n');
}
