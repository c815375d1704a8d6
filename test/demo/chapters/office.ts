import { listOf } from '../answer.js';
import type { Fields } from '../answer.js';

/** What the office serves and asks for, written down here again: the demo must not take it from what it checks. */
export const TOOLS = [
  'calendar_create_event',
  'calendar_list_events',
  'crm_compare_records',
  'crm_delete_record',
  'crm_open_record',
  'crm_update_record',
  'docs_search',
  'mail_list_unread',
  'mail_send',
  'tasks_create',
  'tasks_list',
  'tickets_draft_reply',
  'tickets_read',
  'tickets_watch',
];

/** What a first sign-in is told to ask for. */
export const SIGN_IN_SCOPES = ['crm:read', 'email:read', 'calendar:read', 'tickets:read'];

/** The names of a `tools/list`, or what is missing when that is shorter. */
export function toolsIn(result: Fields): string {
  const names = listOf(result['tools']).map(({ name }) => String(name));
  const missing = TOOLS.filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !TOOLS.includes(name));
  if (unknown.length > 0 || missing.length > 3) return names.toSorted().join(', ');
  return `all ${TOOLS.length} tools but ${missing.join(', ') || 'none'}`;
}
