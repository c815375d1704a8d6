import type { INestApplicationContext } from '@nestjs/common';
import { AUDIT_COLUMNS, auditCells, AuditReader, type AuditCall, type AuditFilter } from '@sallyport/audit';
import { InvalidArgumentError } from 'commander';
import { renderTable } from './table.js';

/** Options of `audit list`, as commander hands them over. */
export interface AuditListOptions {
  readonly json?: boolean;
  readonly limit: number;
  readonly tenant?: string;
  readonly entry?: string;
  readonly user?: string;
  readonly client?: string;
  readonly kind?: AuditFilter['kind'];
  readonly decision?: AuditFilter['decision'];
  readonly since?: Date;
  readonly until?: Date;
}

/** The newest records that match, oldest first; an attempt and its outcome are one row. */
export async function auditList(
  context: INestApplicationContext,
  options: AuditListOptions,
): Promise<string> {
  const { json, user, ...filter } = options;
  const calls = await context
    .get(AuditReader, { strict: false })
    .list({ ...filter, ...(user === undefined ? {} : { subject: user }) });
  if (json === true) return JSON.stringify(calls, null, 2);
  return calls.length === 0 ? 'No records match.' : table(calls);
}

/** The server is the same in most rows: it is a column only where it is not. */
function table(calls: readonly AuditCall[]): string {
  const servers = new Set(calls.map(({ server }) => server));
  const shown = AUDIT_COLUMNS.map((name, index) => ({ name, index })).filter(
    ({ name }) => name !== 'server' || servers.size > 1,
  );
  const rows = calls
    .map(auditCells)
    .map((cells) => shown.map(({ name, index }) => brief(name, cells[index] ?? '')));
  const note = servers.size === 1 ? `, server ${[...servers].join('')}` : '';
  const head = shown.map(({ name }) => (name === 'time' ? 'time (UTC)' : name));
  const widths = shown.map(({ name }) => (name.startsWith('scopes') ? SCOPES_WIDTH : null));
  return `${renderTable(head, rows, widths)}\n${calls.length} records${note}`;
}

/** Scopes are many short words: they wrap. */
const SCOPES_WIDTH = 18;

/** Client ids that a provider makes up are long; `--json` has them whole. */
function brief(column: string, cell: string): string {
  if (column === 'time') return cell.replace('T', ' ').slice(0, 19);
  return column === 'client' && cell.length > 16 ? `${cell.slice(0, 15)}…` : cell;
}

export function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new InvalidArgumentError('Write a number from 1 to 1000.');
}

export function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('Write a time such as 2026-11-21T08:00:00Z.');
}
