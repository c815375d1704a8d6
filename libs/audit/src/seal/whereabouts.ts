import type { Seal } from '../log/log-rows.js';
import { isSameRange, type Announcement, type SealedRange } from './announcement.js';

/** A file in which a record may be. */
export interface SealedPlace extends SealedRange {
  /** When it was sealed; milliseconds since the epoch. */
  readonly at: number;
}

/** A record is made shortly after its id, and clocks differ. */
const TOLERANCE_MS = 5 * 60_000;

/**
 * The seals that may cover a record with this id. Ids do not stay in the database, but those of a server say when they were
 * made (UUID version 7, RFC 9562 §5.7); for another id it may be any of them.
 */
export function sealsHolding(
  id: string,
  seals: readonly Seal[],
  announcements: readonly Announcement[],
): SealedPlace[] {
  const madeAt = timeOfUuid(id);
  return seals.filter((seal) => {
    const times = announcements.find((one) => isSameRange(one, seal));
    if (madeAt === undefined || times === undefined) return true;
    const [first, last] = [Date.parse(times.first), Date.parse(times.last)];
    // Only what is known for sure rules a file out.
    return !(madeAt < first - TOLERANCE_MS || madeAt > last + TOLERANCE_MS);
  });
}

function timeOfUuid(id: string): number | undefined {
  const [, high, low] =
    /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.exec(id) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return Number.parseInt(high + low, 16);
}
