import { z } from 'zod';
import { timedResult } from '../timing.js';
import { sallyportSettings } from '../servers/settings.js';

export const timingPlan = z.object({
  rounds: z.int().positive(),
  milliseconds: z.number().positive(),
  times: z.int().positive(),
});

/** Of `decisions.main` and `lists.main`. */
export const applicationSettings = z.object({ application: sallyportSettings, timing: timingPlan });

/** What sections report that time something. */
export const timedReport = z.object({ results: z.array(timedResult) });

/** Where a section puts its tables. */
export const database = z.discriminatedUnion('type', [
  z.object({ type: z.literal('better-sqlite3'), database: z.string() }),
  z.object({ type: z.literal('postgres'), url: z.url(), installExtensions: z.literal(false) }),
]);
export type Database = z.infer<typeof database>;
