/** How long everything takes. In seconds, where it is a time. */
export interface Plan {
  readonly rounds: number;
  /** Calls under way at a time when throughput is measured. */
  readonly concurrency: number;
  readonly warmUp: number;
  /** At the beginning of each turn, not measured. */
  readonly settle: number;
  /** A turn with {@link concurrency}. */
  readonly many: number;
  /** A turn with one call at a time. */
  readonly one: number;
}

/** About a minute and a half. */
export const FULL_PLAN: Plan = { rounds: 5, concurrency: 32, warmUp: 1.5, settle: 0.1, many: 1, one: 0.5 };

/** About ten seconds: shows that everything answers, and says little about speed. */
export const QUICK_PLAN: Plan = {
  rounds: 1,
  concurrency: 32,
  warmUp: 0.3,
  settle: 0.05,
  many: 0.2,
  one: 0.1,
};
