import { BASELINE } from './contenders.js';
import type { Sample } from './load.js';
import type { CpuUse, Measured, Turn } from './rounds.js';
import { median, percentile } from './statistics.js';

/** What one contender showed: medians over the rounds. Times in milliseconds. */
export interface Result {
  readonly id: string;
  readonly label: string;
  readonly tools: number;
  readonly many: Figures & CpuUse & { readonly perSecond: number };
  readonly one: Figures;
  readonly failures: number;
  readonly firstFault: string | undefined;
  /** What the medians are of, in the order of the rounds. */
  readonly turns: readonly Turn[];
}

export interface Figures {
  readonly p50: number;
  readonly p99: number;
  /** To the baseline. With many calls at a time of calls per second, with one of the median time. */
  readonly ratio: Ratio;
}

/** The median of the ratios, each of two turns of the same round, and the range of the middle half of them. */
export interface Ratio {
  readonly median: number;
  readonly from: number;
  readonly to: number;
}

export function resultsOf(measured: readonly Measured[]): Result[] {
  return measured.map((one) => resultOf(one, baselineOf(measured, one)));
}

function baselineOf(all: readonly Measured[], { contender }: Measured): Measured {
  const found = all.find(({ contender: { id, tools } }) => id === BASELINE && tools === contender.tools);
  if (found === undefined) throw new Error(`Nothing to compare with at ${contender.tools} tools.`);
  return found;
}

function resultOf({ contender, turns }: Measured, baseline: Measured): Result {
  const { id, label, tools } = contender;
  const samples = turns.flatMap(({ many, one }) => [many, one]);
  const perSecond = (turn: Turn) => turn.many.perSecond;
  const typical = (turn: Turn) => turn.one.p50;
  return {
    id,
    label,
    tools,
    many: {
      perSecond: median(turns.map(perSecond)),
      cpu: median(turns.map(({ many }) => many.cpu)),
      ...timesOf(turns.map(({ many }) => many)),
      ratio: ratioOf(turns, baseline.turns, perSecond),
    },
    one: { ...timesOf(turns.map(({ one }) => one)), ratio: ratioOf(turns, baseline.turns, typical) },
    failures: samples.reduce((sum, sample) => sum + sample.failures, 0),
    firstFault: samples.find(({ firstFault }) => firstFault !== undefined)?.firstFault,
    turns,
  };
}

export function timesOf(samples: readonly Sample[]): { p50: number; p99: number } {
  return { p50: median(samples.map(({ p50 }) => p50)), p99: median(samples.map(({ p99 }) => p99)) };
}

export function ratioOf<T>(turns: readonly T[], baseline: readonly T[], figure: (turn: T) => number): Ratio {
  const ratios = turns.map((turn, round) => {
    const other = baseline[round];
    return other === undefined ? Number.NaN : figure(turn) / figure(other);
  });
  ratios.sort((a, b) => a - b);
  return { median: median(ratios), from: percentile(ratios, 25), to: percentile(ratios, 75) };
}
