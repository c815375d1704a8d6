import type { Problem } from '@sallyport/mcp';
import type { SallyportOptions } from '../sallyport.options.js';

/** Who reads the audit over HTTP, and where. */
export interface AuditReading {
  /** Role of an auditor. They see the records of their own tenant. */
  readonly role: string;
  /** What they must have consented to. Default `audit:read`. */
  readonly scope?: string;
  /** Role of those auditors who see the records of every tenant, and those of none. Default: nobody does. */
  readonly operatorRole?: string;
  /** Default `/audit`. */
  readonly path?: string;
}

/** With its defaults; `undefined`: the audit is read with the `sallyport` command alone. */
export function auditReading({
  audit,
}: SallyportOptions): (Required<Omit<AuditReading, 'operatorRole'>> & AuditReading) | undefined {
  const read = audit?.read;
  if (read === undefined) return undefined;
  const { role, operatorRole, scope = 'audit:read', path = '/audit' } = read;
  return { role, scope, path, ...(operatorRole !== undefined && { operatorRole }) };
}

/** What is wrong with who may read the audit, and where. */
export function auditReadingProblems(options: SallyportOptions): Problem[] {
  const read = auditReading(options);
  if (read === undefined) return [];
  const known = Object.entries(options.roles ?? {}).flat(2);
  const roles = [read.role, ...(read.operatorRole === undefined ? [] : [read.operatorRole])];
  const unknown = roles
    .filter((role) => !known.includes(role))
    .map((role) => ({
      code: 'unknown_role',
      message: `The audit is read by the role "${role}", which is not configured: add it to roles: { '${role}': [] }, or correct its name.`,
    }));
  const endpoint = URL.canParse(options.resource) ? new URL(options.resource).pathname : '';
  if (/^(?:\/[A-Za-z0-9._~-]+)+$/.test(read.path) && read.path !== endpoint) return unknown;
  const message =
    "audit.read.path must be a plain path other than the endpoint's: write one such as '/audit'.";
  return [...unknown, { code: 'audit_read', message }];
}
