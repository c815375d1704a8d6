import { z } from 'zod';
import type { Ratio } from './results.js';

const ratio: z.ZodType<Ratio> = z.object({ median: z.number(), from: z.number(), to: z.number() });

/** One row of records per second: medians over the rounds. */
export const rateResult = z.object({
  id: z.string(),
  label: z.string(),
  perSecond: z.number(),
  /** To the first row of the same database, in the same round. */
  ratio,
  /** Of the process that records, for one record; microseconds of all threads. */
  cpu: z.number(),
  rounds: z.array(z.object({ perSecond: z.number(), cpu: z.number() })).readonly(),
});
export type RateResult = z.infer<typeof rateResult>;

export const recordsReport = z.object({ results: z.array(rateResult) });

export interface RecordsPlan {
  readonly rounds: number;
  /** Of one turn. */
  readonly milliseconds: number;
  /** Calls at a time, with two records each. */
  readonly concurrency: number;
  /** Records that wait for the sequencer alone. */
  readonly waiting: number;
}
