/** Each role of the office, and the roles it includes. */
export const OFFICE_ROLES = {
  'agent:admin': ['agent:contributor'],
  'agent:contributor': ['agent:read-only'],
} as const;

/** Each scope that includes others: who may change a thing may read it. */
export const OFFICE_SCOPE_HIERARCHY = {
  'crm:write': ['crm:read'],
  'tickets:write': ['tickets:read'],
  'calendar:write': ['calendar:read'],
} as const;

/** Every scope that an entry of the office asks for. */
export const OFFICE_SCOPES = [
  'crm:read',
  'crm:write',
  'email:read',
  'email:send',
  'calendar:read',
  'calendar:write',
  'tasks:write',
  'tickets:read',
  'tickets:write',
] as const;

/** What an administrator consents to before they may issue, rotate or revoke API keys. No entry asks for it. */
export const KEYS_SCOPE = 'keys:manage';

/** What an administrator consents to before they may revoke over HTTP. No entry asks for it. */
export const REVOCATIONS_SCOPE = 'revocations:manage';

/** Who reads the audit: of their own tenant, and of all of them. Neither calls anything. */
export const AUDIT_ROLES = {
  'agent:auditor': [],
  'agent:operator': ['agent:auditor'],
} as const;

/** What an auditor consents to before they may read the audit over HTTP. No entry asks for it. */
export const AUDIT_SCOPE = 'audit:read';
