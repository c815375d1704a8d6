import { AuditFollowers, AuditSealing, AuditStore, type AuditSink } from '@sallyport/audit';
import { AuditTrail, type AttemptEvent } from '@sallyport/mcp';
import type { DataSourceOptions } from 'typeorm';
import { attempt, outcome, principal, server } from './audit-events.js';
import { startLog, type RunningLog } from './audit-log.js';

/** Who runs the command. */
export const OPERATOR = {
  via: 'cli',
  address: undefined,
  actor: principal({ kind: 'process', issuer: 'sallyport:cli', subject: 'root', actors: [] }),
} as const;

/** A server with its log, and what seals it. */
export interface RunningSealing extends RunningLog {
  readonly sealing: AuditSealing;
  /** Records so many calls, attempt and outcome of each, and waits until they are signed. */
  calls(count: number): Promise<AttemptEvent[]>;
  /** Seals everything that is recorded now. */
  seal(out: string, database?: string): ReturnType<AuditSealing['seal']>;
}

const TOGETHER = 25;

export async function startSealing(
  database: DataSourceOptions,
  options: Parameters<typeof startLog>[1] = {},
  followers: readonly AuditSink[] = [],
): Promise<RunningSealing> {
  const log = await startLog(database, options, followers);
  const sealing = new AuditSealing({
    store: log.context.get(AuditStore),
    log: log.log,
    trail: log.context.get(AuditTrail),
    followers: log.context.get(AuditFollowers),
    server,
  });
  return {
    ...log,
    sealing,
    calls: async (count) => {
      const attempts = Array.from({ length: count }, () => attempt());
      for (let first = 0; first < count; first += TOGETHER) {
        const some = attempts.slice(first, first + TOGETHER);
        await log.record(...some);
        await log.record(...some.map((event) => outcome(event)));
      }
      await log.settled();
      return attempts;
    },
    seal: (out, as) =>
      sealing.seal({ before: new Date(), out, ...(as === undefined ? {} : { database: as }) }, OPERATOR),
  };
}
