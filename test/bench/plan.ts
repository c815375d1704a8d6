import type { RecordsPlan } from './records.js';
import type { TimingPlan } from './timing.js';

/** How long everything takes. In seconds, where it is a time. */
export interface Plan {
  readonly rounds: number;
  /** Calls under way at a time when throughput is measured. */
  readonly concurrency: number;
  readonly warmUp: number;
  /** A turn with {@link concurrency}. */
  readonly many: number;
  /** A turn with one call at a time. */
  readonly one: number;
  /** Good callers and a flood at once. */
  readonly flood: number;
  /** Whether the rows that say where the time goes are measured, too. */
  readonly explain: boolean;
  readonly decisions: TimingPlan;
  readonly lists: TimingPlan;
  readonly queries: TimingPlan;
  readonly records: RecordsPlan;
  /** Records of the log that is verified. */
  readonly verify: number;
}

/** Some minutes. Many short turns rather than a few long ones: a busy moment spoils fewer. */
export const FULL_PLAN: Plan = {
  rounds: 7,
  concurrency: 32,
  warmUp: 1,
  many: 0.5,
  one: 0.25,
  flood: 0.5,
  explain: true,
  decisions: { rounds: 7, milliseconds: 200, times: 100 },
  lists: { rounds: 7, milliseconds: 300, times: 32 },
  queries: { rounds: 7, milliseconds: 250, times: 1 },
  records: { rounds: 3, milliseconds: 3000, concurrency: 64, waiting: 20_000 },
  verify: 20_000,
};

/** Shows that everything answers, and says little about speed. */
export const QUICK_PLAN: Plan = {
  rounds: 1,
  concurrency: 32,
  warmUp: 0.1,
  many: 0.2,
  one: 0.1,
  flood: 0.2,
  explain: false,
  decisions: { rounds: 1, milliseconds: 100, times: 100 },
  lists: { rounds: 1, milliseconds: 100, times: 16 },
  queries: { rounds: 1, milliseconds: 50, times: 1 },
  records: { rounds: 1, milliseconds: 200, concurrency: 64, waiting: 1000 },
  verify: 2000,
};
