import type { INestApplicationContext } from '@nestjs/common';
import { AuditDisclosure, AuditSealing, safeText, type ReadRecord } from '@sallyport/audit';
import { isPlainObject } from '@sallyport/mcp';
import { operator } from './audit-filter.js';
import { CliError } from './cli-error.js';
import { safeJson } from './safe-json.js';
import { renderTable } from './table.js';

/** Everything that is recorded of one call: its attempt with the checks, its outcome, and what else names it. */
export async function auditShow(
  context: INestApplicationContext,
  id: string,
  { json }: { readonly json?: boolean },
): Promise<string> {
  const records = await context.get(AuditDisclosure, { strict: false }).show(operator(), id);
  if (json === true) return safeJson(records);
  if (records.length === 0) throw new CliError(await notFound(context, id));
  return records
    .map((record, index) => recordText(record, index === 0 ? undefined : records[0]))
    .join('\n\n');
}

/** The ids of sealed records do not stay in the database; when one was made says which file it would be in. */
async function notFound(context: INestApplicationContext, id: string): Promise<string> {
  const places = await context.get(AuditSealing, { strict: false }).whereabouts(id);
  if (places.length === 0)
    return 'No record and no call has this id: `sallyport audit list --json` says the ids.';
  const files = places.map(
    ({ from, to, file, at }) =>
      `- ${safeText(file)}: the records ${from} to ${to}, sealed at ${new Date(at).toISOString()}`,
  );
  return [
    'No record in the database has this id. It may have been sealed and be in:',
    ...files,
    'sallyport audit prove <id> --from <file> takes it out of there, with the proof that it was logged.',
  ].join('\n');
}

const IN_HEADING = new Set(['seq', 'id', 'at', 'kind', 'checks']);
const WIDTHS = [null, 90];

/** Of a later record of the same call: what the first one does not say already. */
function recordText(record: ReadRecord, first: ReadRecord | undefined): string {
  const members = Object.entries(record).filter(
    ([name, value]) =>
      !IN_HEADING.has(name) && isTold(value) && (first === undefined || !isSame(first, name, value)),
  );
  const rows = members.map(([name, value]) => [name, cell(value)]);
  const table = rows.length === 0 ? '' : `\n${renderTable(['', ''], rows, WIDTHS).trimStart()}`;
  return `${heading(record)}${table}${checksText(record.checks)}`;
}

function heading({ kind, id, at, seq }: ReadRecord): string {
  const time = Number.isNaN(at.getTime()) ? 'at an unknown time' : at.toISOString();
  return safeText(`${kind.toUpperCase()} ${id}, ${time} (number ${seq})`);
}

function checksText(checks: unknown): string {
  if (!Array.isArray(checks) || checks.length === 0) return '';
  const rows = checks.map((check: unknown) => {
    if (!isPlainObject(check)) return [cell(check), '', ''];
    return [cell(check['name']), check['passed'] === true ? 'yes' : 'NO', cell(check['detail'])];
  });
  return `\n\n${renderTable(['check', 'passed', 'why'], rows, [null, null, 70])}`;
}

function isTold(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}

function isSame(first: ReadRecord, name: string, value: unknown): boolean {
  const other: unknown = Object.entries(first).find(([key]) => key === name)?.[1];
  return JSON.stringify(other) === JSON.stringify(value);
}

function cell(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    return safeText(value.join(' '));
  return safeText(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
}
