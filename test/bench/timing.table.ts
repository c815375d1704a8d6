import { finite, line, rangeOf, type Layout } from './costs.table.js';
import type { RateResult } from './records.js';
import type { TimedResult } from './timing.js';

const TIMED: Layout = { label: 45, cells: [9, 9, 8, 13] };
const TIMED_HEAD = ['µs', 'p99', 'ratio', ''];

/** Times of something short, in microseconds. */
export function timedTable(title: string, results: readonly TimedResult[]): string {
  const rows = results.map(({ label, median, p99, ratio }) =>
    line(label, [timeOf(median), timeOf(p99), finite(ratio.median, 2), rangeOf(ratio)], TIMED),
  );
  return [line(title, TIMED_HEAD, TIMED), ...rows].join('\n');
}

const RATES: Layout = { label: 45, cells: [9, 8, 13, 9] };
const RATE_HEAD = ['rec/s', 'ratio', '', 'cpu'];

export function ratesTable(title: string, results: readonly RateResult[]): string {
  const rows = results.map(({ label, perSecond, ratio, cpu }) =>
    line(label, [finite(perSecond, 0), finite(ratio.median, 2), rangeOf(ratio), finite(cpu, 0)], RATES),
  );
  return [line(title, RATE_HEAD, RATES), ...rows].join('\n');
}

/** Three digits that say something. */
function timeOf(microseconds: number): string {
  return finite(microseconds, microseconds < 10 ? 2 : microseconds < 100 ? 1 : 0);
}
