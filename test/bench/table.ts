import { auditTableOf } from './audit.table.js';
import { authenticationTableOf, floodTableOf } from './authentication.table.js';
import type { BenchReport } from './bench.js';
import { CATALOG_SIZES } from './contenders.js';
import { finite, line, rangeOf, rateOf, type Layout } from './costs.table.js';
import type { Machine } from './machine.js';
import type { Plan } from './plan.js';
import { processTablesOf } from './processes.table.js';
import type { Result } from './results.js';

const LABEL_WIDTH = 31;
const LAYOUT: Layout = { label: LABEL_WIDTH, cells: [8, 7, 12, 6, 7, 7, 8, 7, 7] };

/** The report for people: at most 100 columns. What was not measured is not in it. */
export function tableOf(report: BenchReport): string {
  const { machine, plan, results, authentication, audit, floods, lists } = report;
  const answered = [...results, ...authentication, ...audit, ...lists.http, ...floods];
  return [
    headerOf(machine, plan),
    ...(results.length === 0
      ? []
      : [...CATALOG_SIZES.map((tools) => sectionOf(tools, plan, results)), LEGEND]),
    ...(authentication.length === 0 ? [] : authenticationTableOf(authentication)),
    ...(floods.length === 0 ? [] : floodTableOf(plan, floods)),
    ...(audit.length === 0 ? [] : auditTableOf(audit)),
    ...processTablesOf(report),
    ...doubts(machine),
    ...failuresOf(answered),
  ].join('\n\n');
}

const LEGEND = [
  'Sallyport: JWT (ES256) verified, scope and role decided, attempt and outcome durable in SQLite.',
  'Ratios are to the SDK handler with as many tools in the same round; beside them the middle half.',
  'Of req/s more is better; of one call at a time it is of p50, and less is better. p50 and p99 in ms,',
  "with the load generator's own time in them; cpu is that of the server alone, in µs for one call.",
].join('\n');

function headerOf(machine: Machine, { rounds, concurrency, many, one }: Plan): string {
  const { node, system, cores, cpu, load, fsync, sdk } = machine;
  return [
    `Node ${node}, ${system}, ${cores} × ${cpu}`,
    `load before ${load.toFixed(2)}, fsync ${fsync.toFixed(2)} ms, @modelcontextprotocol/server ${sdk}`,
    `tools/call of 2026-07-28; median of ${rounds} rounds of ${many} s with ${concurrency} calls and ${one} s with one`,
  ].join('\n');
}

function sectionOf(tools: number, { concurrency }: Plan, results: readonly Result[]): string {
  const groups = `${' '.repeat(LABEL_WIDTH)}${center(`${concurrency} at a time`, 47)}  ${center('1 at a time', 22)}`;
  const head = ['req/s', 'ratio', '', 'p50', 'p99', 'cpu', 'p50', 'ratio', 'p99'];
  const rows = results.filter((result) => result.tools === tools).map(rowOf);
  return [groups.trimEnd(), line(`${tools} tools`, head, LAYOUT), ...rows].join('\n');
}

function rowOf({ label, many, one }: Result): string {
  const cells = [
    rateOf(many.perSecond),
    finite(many.ratio.median, 2),
    rangeOf(many.ratio),
    finite(many.p50, 1),
    finite(many.p99, 1),
    finite(many.cpu, 0),
    finite(one.p50, 2),
    finite(one.ratio.median, 2),
    finite(one.p99, 2),
  ];
  return line(label, cells, LAYOUT);
}

function center(text: string, width: number): string {
  return text.padStart((width + text.length) >> 1).padEnd(width);
}

type Outcome = Pick<Result, 'id' | 'label' | 'failures' | 'firstFault'>;

function doubts({ load, cores }: Machine): string[] {
  if (load < cores / 4) return [];
  return [
    'The machine was not idle when this began: trust the order of magnitude, and repeat it when it is.',
  ];
}

function failuresOf(results: readonly Outcome[]): string[] {
  return results
    .filter(({ failures }) => failures > 0)
    .map(
      ({ id, label, failures, firstFault }) =>
        `FAILED: ${failures} calls of "${label}" (${id}). The first: ${firstFault}`,
    );
}
