import Table from 'cli-table3';
import type { ActualRecord } from './audit-check.js';
import type { Check } from './ledger.js';

/** One run of the story with one client. */
export interface Run {
  readonly client: string;
  readonly protocol: string;
  readonly seconds: number;
  readonly checks: readonly Check[];
  /** The audit as `sallyport audit list` prints it. */
  readonly audit: string;
  /** The same, read. */
  readonly records: readonly ActualRecord[];
}

/** The table of one run, at most 120 columns wide. */
export function renderRun({ client, protocol, seconds, checks, audit }: Run): string {
  const table = new Table({
    head: ['call', 'expected', 'got', ''],
    colWidths: [31, 42, 42, 2],
    wordWrap: true,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1 },
    chars: LINES,
  });
  for (const [index, check] of checks.entries()) {
    if (check.chapter !== checks[index - 1]?.chapter) table.push([heading('')], [heading(check.chapter)]);
    table.push([check.call, check.expected, check.got, check.ok ? '✓' : '✗']);
  }
  const title = `${client}, protocol ${protocol} (${seconds.toFixed(1)} s)`;
  const rows = table.toString().replace(/ +$/gm, '');
  return [`\n${title}`, '='.repeat(title.length), rows, '', audit].join('\n');
}

/** For machines: everything but the tables. */
export function renderJson(runs: readonly Run[]): string {
  const withoutTables = runs.map(({ audit: _table, ...run }) => run);
  return JSON.stringify({ differences: differencesIn(runs), runs: withoutTables }, null, 2);
}

export function renderSummary(runs: readonly Run[]): string {
  const checks = runs.flatMap((run) => run.checks);
  const differences = differencesIn(runs);
  return `${checks.length} checks, ${differences} ${differences === 1 ? 'difference' : 'differences'}`;
}

export function differencesIn(runs: readonly Run[]): number {
  return runs.flatMap(({ checks }) => checks).filter(({ ok }) => !ok).length;
}

function heading(content: string) {
  return { colSpan: 4, content };
}

/** Rows have no lines between them. */
const LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
};
