import { z } from 'zod';

/** What it took to fill a log, and to walk all of it. */
export const verifyReport = z.object({
  /** Leaves that were compared, each with its record. */
  leaves: z.int(),
  checkpoints: z.int(),
  seconds: z.number(),
  /** Processor time of all threads, in seconds: less than the above where the machine was busy with something else. */
  cpu: z.number(),
  /** Most memory the verifying process held at a time, in MiB; and what it held before it began. */
  peak: z.number(),
  atStart: z.number(),
});
export const filledReport = z.object({
  records: z.int(),
  /** Until the records were there, and from then on until a checkpoint covered them all. */
  writing: z.number(),
  signing: z.number(),
});

export interface VerifyResult {
  readonly filled: z.infer<typeof filledReport>;
  readonly verified: z.infer<typeof verifyReport>;
}

/** The part of the report about a whole log. */
export function verifyTableOf({ filled, verified }: VerifyResult): string {
  const { leaves, checkpoints, seconds, cpu, peak, atStart } = verified;
  const count = (value: number) => value.toLocaleString('en-US');
  return [
    `sallyport audit verify of ${count(leaves)} records and ${count(checkpoints)} checkpoints, on SQLite, in a process of its own`,
    `verified in ${seconds.toFixed(1)} s, ${count(Math.round(leaves / seconds))} a second (processor ${cpu.toFixed(1)} s); peak memory ${peak.toFixed(0)} MiB, of which ${atStart.toFixed(0)} before it began`,
    `before that: written in ${filled.writing.toFixed(1)} s, sequenced and signed in ${filled.signing.toFixed(1)} s`,
  ].join('\n');
}
