import { safeText, type AuditCall, type ReadRecord } from '@sallyport/audit';
import { renderTable } from './table.js';

/** Heading, width where the column wraps, and what stands in it. */
interface Column {
  readonly head: string;
  readonly width: number | null;
  readonly cell: (call: AuditCall) => string | null;
}

const COLUMNS: readonly Column[] = [
  { head: 'time (UTC)', width: null, cell: ({ at }) => timeOf(at) },
  { head: 'via', width: null, cell: ({ via }) => via },
  { head: 'client', width: null, cell: ({ client }) => brief(client) },
  { head: 'user', width: null, cell: ({ subject, client }) => (subject === client ? null : subject) },
  { head: 'tenant', width: null, cell: ({ tenant }) => tenant },
  {
    head: 'entry',
    width: null,
    cell: ({ entry, method, action, target }) =>
      action === null ? (entry ?? method) : `${action} ${target ?? ''}`,
  },
  { head: 'granted', width: 30, cell: ({ scopesGranted }) => scopesGranted.join(' ') },
  { head: 'required', width: null, cell: ({ scopesRequired }) => scopesRequired.join(' ') },
  { head: 'decision', width: null, cell: decisionOf },
];

/** The records as a table of about 120 columns. What it shortens, `--json` has whole. */
export function auditTable(calls: readonly AuditCall[]): string {
  const rows = calls.map((call) => COLUMNS.map(({ cell }) => safeText(cell(call) || '-')));
  const table = renderTable(
    COLUMNS.map(({ head }) => head),
    rows,
    COLUMNS.map(({ width }) => width),
  );
  return `${table}\n\n${footer(calls)}`;
}

/** One record in one line, for a stream that has no end: columns are as wide as their content usually is. */
export function recordLine(record: ReadRecord): string {
  const { at, kind, via, tenant, subject, client, entry, method, action, target } = record;
  const what = action === null ? (entry ?? method) : `${action} ${target ?? ''}`;
  const cells: [string | null, number][] = [
    [timeOf(at), 14],
    [kind, 14],
    [via, 5],
    [tenant, 10],
    [subject ?? client, 16],
    [what, 28],
    [endOf(record), 0],
  ];
  return cells.map(([text, width]) => safeText(text || '-').padEnd(width)).join('  ');
}

/** What was decided, or how it ended. */
function endOf({
  kind,
  decision,
  reason,
  status,
  cause,
  durationMs,
  shown,
  address,
  via,
}: ReadRecord): string {
  if (kind === 'outcome') {
    return [status, cause, durationMs === null ? null : `${durationMs} ms`].filter(Boolean).join(', ');
  }
  if (kind === 'list') return `shown ${shown ?? 0}`;
  if (kind === 'authentication') return `turned away: ${reason ?? 'unknown'}, from ${address ?? via}`;
  return [decision, reason].filter((word) => word !== null).join(': ');
}

function footer(calls: readonly AuditCall[]): string {
  const servers = [...new Set(calls.map(({ server, resource }) => `${server} (${resource})`))];
  return `${calls.length} records of ${safeText(servers.join(', '))}`;
}

/** A database that others can write to may hold a time that is none. */
function timeOf(at: Date): string | null {
  return Number.isNaN(at.getTime()) ? null : at.toISOString().slice(5, 19).replace('T', ' ');
}

/** Ids that a provider makes up are long. */
function brief(client: string | null): string | null {
  return client !== null && client.length > 14 ? `${client.slice(0, 13)}…` : client;
}

/** What was decided and how it ended, in the words of the record. */
function decisionOf(call: AuditCall): string {
  const { kind, decision, reason, outcome, shown, address } = call;
  if (kind === 'list') return `shown ${shown ?? 0}`;
  if (kind === 'authentication') return `turned away: ${reason ?? 'unknown'}, from ${address ?? call.via}`;
  if (decision === 'permit' && outcome !== null) return `permit, ${outcome}`;
  return [decision, reason].filter((word) => word !== null).join(': ');
}
