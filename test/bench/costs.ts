import { ratioOf, timesOf, type Ratio } from './results.js';
import type { Measured, Turn } from './rounds.js';
import { median } from './statistics.js';

/** One turn: as many calls at a time as for the throughput of the first table. */
export type CostTurn = Turn['many'];

/** One row of what something costs. Medians over the rounds; times in milliseconds. */
export interface CostResult {
  readonly id: string;
  readonly label: string;
  readonly perSecond: number;
  /** Of answers per second, to the baseline of this row. */
  readonly ratio: Ratio;
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
  readonly failures: number;
  readonly firstFault: string | undefined;
  readonly turns: readonly CostTurn[];
}

/** Compares each row with the last one before it, or itself, that is a baseline; the first always is. */
export function costResultsOf(
  measured: readonly Measured<CostTurn>[],
  isBaseline: (id: string) => boolean = () => false,
): CostResult[] {
  let baseline = measured[0];
  return measured.map((one) => {
    if (baseline === undefined || isBaseline(one.contender.id)) baseline = one;
    return resultOf(one, baseline);
  });
}

function resultOf({ contender, turns }: Measured<CostTurn>, baseline: Measured<CostTurn>): CostResult {
  return {
    id: contender.id,
    label: contender.label,
    perSecond: median(turns.map(({ perSecond }) => perSecond)),
    ratio: ratioOf(turns, baseline.turns, ({ perSecond }) => perSecond),
    cpu: median(turns.map(({ cpu }) => cpu)),
    ...timesOf(turns),
    failures: turns.reduce((sum, { failures }) => sum + failures, 0),
    firstFault: turns.find(({ firstFault }) => firstFault !== undefined)?.firstFault,
    turns,
  };
}
