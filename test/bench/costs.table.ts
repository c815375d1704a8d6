import type { CostResult } from './costs.js';
import type { Ratio } from './results.js';

const LABEL_WIDTH = 31;
const WIDTHS = [8, 7, 12, 6, 7, 7] as const;
const HEAD = ['req/s', 'ratio', '', 'p50', 'p99', 'cpu'];

/** A table of costs: one row for each server. */
export function costTable(title: string, results: readonly CostResult[]): string {
  return [line(title, HEAD), ...results.map(rowOf)].join('\n');
}

function rowOf({ label, perSecond, ratio, p50, p99, cpu }: CostResult): string {
  const cells = [rateOf(perSecond), ratio.median.toFixed(2), rangeOf(ratio), p50.toFixed(1), p99.toFixed(1)];
  return line(label, [...cells, cpu.toFixed(0)]);
}

export function rateOf(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en-US');
}

export function rangeOf({ from, to }: Ratio): string {
  return `${from.toFixed(2)}–${to.toFixed(2)}`;
}

export function line(label: string, cells: readonly string[]): string {
  const padded = cells.map((cell, column) => cell.padStart(WIDTHS[column] ?? 8));
  return (label.padEnd(LABEL_WIDTH) + padded.join('')).trimEnd();
}
