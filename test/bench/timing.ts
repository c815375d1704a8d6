import { z } from 'zod';
import { ratioOf, type Ratio } from './results.js';
import { median, percentile } from './statistics.js';

/** Something short, as one row of a table. */
export interface Timed {
  readonly id: string;
  readonly label: string;
  /** What the ratios of this row are to is the last row with this mark before it, or itself. The first always is. */
  readonly isBaseline?: boolean;
  /** Does it so many times, one after the other. */
  readonly batch: (times: number) => unknown;
}

export interface TimingPlan {
  readonly rounds: number;
  /** Of one turn. */
  readonly milliseconds: number;
  /** Doings that are timed together, so that neither the clock nor reading it matters. */
  readonly times: number;
}

const ratio: z.ZodType<Ratio> = z.object({ median: z.number(), from: z.number(), to: z.number() });

/** Times in microseconds for one doing: medians over the rounds. */
export const timedResult = z.object({
  id: z.string(),
  label: z.string(),
  median: z.number(),
  /** Of batches: a pause of the collector is divided among those that are timed together. */
  p99: z.number(),
  /** Of the medians, to the baseline in the same round. */
  ratio,
  rounds: z.array(z.object({ median: z.number(), p99: z.number() })).readonly(),
});
export type TimedResult = z.infer<typeof timedResult>;

type Round = TimedResult['rounds'][number];

/** A, B, C, A, B, C, …, after a turn of each that does not count. */
export async function timeInTurns(timed: readonly Timed[], plan: TimingPlan): Promise<TimedResult[]> {
  const rounds = new Map<Timed, Round[]>(timed.map((one) => [one, []]));
  for (const one of timed) await playRound(one, plan);
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const one of timed) rounds.get(one)?.push(await playRound(one, plan));
  }
  let baseline = timed[0];
  return timed.map((one) => {
    if (one.isBaseline === true) baseline = one;
    return resultOf(one, rounds.get(one) ?? [], (baseline && rounds.get(baseline)) ?? []);
  });
}

async function playRound({ batch }: Timed, { milliseconds, times }: TimingPlan): Promise<Round> {
  const figures: number[] = [];
  const end = performance.now() + milliseconds;
  while (performance.now() < end) figures.push(await timeBatch(batch, times));
  figures.sort((a, b) => a - b);
  return { median: percentile(figures, 50), p99: percentile(figures, 99) };
}

async function timeBatch(batch: Timed['batch'], times: number): Promise<number> {
  const begun = process.hrtime.bigint();
  const done = batch(times);
  // Not awaited when there is nothing to wait for: that would take as long as what is measured.
  if (done instanceof Promise) await done;
  return Number(process.hrtime.bigint() - begun) / 1000 / times;
}

function resultOf({ id, label }: Timed, rounds: readonly Round[], baseline: readonly Round[]): TimedResult {
  return {
    id,
    label,
    median: median(rounds.map((round) => round.median)),
    p99: median(rounds.map((round) => round.p99)),
    ratio: ratioOf(rounds, baseline, (round) => round.median),
    rounds,
  };
}
