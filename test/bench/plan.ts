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
}

/** Under two minutes. Many short turns rather than a few long ones: a busy moment spoils fewer. */
export const FULL_PLAN: Plan = {
  rounds: 7,
  concurrency: 32,
  warmUp: 1,
  many: 0.5,
  one: 0.25,
  flood: 0.5,
  explain: true,
};

/** Fifteen seconds at most on an idle machine: shows that everything answers, and says little about speed. */
export const QUICK_PLAN: Plan = {
  rounds: 1,
  concurrency: 32,
  warmUp: 0.1,
  many: 0.2,
  one: 0.1,
  flood: 0.2,
  explain: false,
};
