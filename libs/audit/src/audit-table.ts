import type { AuditCall } from './audit.reader.js';
import { safeText } from './safe-text.js';

/** Headings of the cells of {@link auditCells}. */
export const AUDIT_COLUMNS = [
  'time',
  'kind',
  'client',
  'user',
  'tenant',
  'server',
  'entry',
  'scopes granted',
  'scopes required',
  'decision',
  'reason',
  'outcome',
] as const;

const NONE = '-';

/**
 * One row as cells for a terminal, in the order of {@link AUDIT_COLUMNS}. Made safe once more: a database that others
 * can write to may hold anything.
 */
export function auditCells(call: AuditCall): string[] {
  const cells: Record<(typeof AUDIT_COLUMNS)[number], string | null> = {
    time: timeOf(call.at),
    kind: call.kind === 'attempt' ? 'call' : call.kind,
    client: call.client,
    user: call.subject,
    tenant: call.tenant,
    server: call.server,
    entry: call.entry ?? call.method ?? changeOf(call),
    'scopes granted': call.scopesGranted.join(' '),
    'scopes required': call.scopesRequired.join(' '),
    decision: call.decision,
    reason: call.reason,
    outcome: call.outcome,
  };
  return AUDIT_COLUMNS.map((column) => safeText(cells[column] || NONE));
}

/** What an administrator changed: `key.revoked 7Gk…`. */
function changeOf({ action, target }: AuditCall): string | null {
  return action === null ? null : `${action} ${target ?? ''}`;
}

function timeOf(at: Date): string {
  return Number.isNaN(at.getTime()) ? NONE : at.toISOString();
}
