/** What a person reads on the consent page. A scope without words here is shown as it is. */
const WORDS: Readonly<Record<string, string>> = {
  'email:read': 'Read your unread mail',
  'email:send': 'Send mail in your name',
  'calendar:read': 'See your calendar',
  'calendar:write': 'Put events in your calendar',
  'tasks:write': 'See and create tasks',
  'crm:read': 'Read customer records',
  'crm:write': 'Change and delete customer records',
  'tickets:read': 'Read support tickets',
  'tickets:write': 'Draft replies to support tickets',
  'keys:manage': 'Issue and revoke API keys',
  'revocations:manage': 'Revoke and restore tokens, users, clients and tools',
  'audit:read': 'Read the audit of your organization',
  openid: 'Know who you are',
  offline_access: 'Stay connected when you are away',
};

/** The scopes of the reference server. */
export const OFFICE_SCOPES: readonly string[] = Object.keys(WORDS).filter((scope) => scope.includes(':'));

/** A scope in plain words. */
export function scopeWords(scope: string): string {
  return Object.hasOwn(WORDS, scope) ? (WORDS[scope] ?? scope) : `Use “${scope}”`;
}
