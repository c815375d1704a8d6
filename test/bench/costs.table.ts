import type { CostResult } from './costs.js';
import type { Ratio } from './results.js';

const LABEL_WIDTH = 31;
const WIDTHS = [8, 7, 12, 8, 8, 8] as const;
const HEAD = ['req/s', 'ratio', '', 'p50', 'p99', 'cpu'];

/** A table of costs: one row for each server. */
export function costTable(title: string, results: readonly CostResult[]): string {
  return [line(title, HEAD), ...results.map(rowOf)].join('\n');
}

function rowOf({ label, perSecond, ratio, p50, p99, cpu }: CostResult): string {
  const cells = [rateOf(perSecond), finite(ratio.median, 2), rangeOf(ratio), finite(p50, 1), finite(p99, 1)];
  return line(label, [...cells, finite(cpu, 0)]);
}

export function rateOf(perSecond: number): string {
  return finite(perSecond, 0);
}

export function rangeOf({ from, to }: Ratio): string {
  return `${finite(from, 2)}–${finite(to, 2)}`;
}

/** A dash where nothing was in time to be counted. */
export function finite(value: number, digits: number): string {
  if (!Number.isFinite(value)) return '-';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** How wide the columns of a table are. */
export interface Layout {
  readonly label: number;
  readonly cells: readonly number[];
}

const COSTS: Layout = { label: LABEL_WIDTH, cells: WIDTHS };

export function line(label: string, cells: readonly string[], layout: Layout = COSTS): string {
  const padded = cells.map((cell, column) => cell.padStart(layout.cells[column] ?? 8));
  return (label.padEnd(layout.label) + padded.join('')).trimEnd();
}
