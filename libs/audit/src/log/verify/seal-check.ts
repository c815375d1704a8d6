import { announcementOf, isSameRange, type Announcement } from '../../seal/announcement.js';
import type { LoggedRecord, Seal } from '../log-rows.js';
import type { LogFinding } from './log-findings.js';

/**
 * A seal counts when a record of the log announces it, after the last record that it covers: a row that somebody adds to
 * the table of the seals, to hide what they deleted, has none.
 */
export class SealCheck {
  private readonly announcements: (Announcement & { readonly index: number })[] = [];

  /** A leaf whose record is the one that was logged. */
  see({ index, record }: LoggedRecord): void {
    if (record?.['action'] !== 'audit.sealed' || record['decision'] !== 'permit') return;
    const announcement = announcementOf(record['details']);
    if (announcement !== undefined) this.announcements.push({ ...announcement, index });
  }

  findings(seals: readonly Seal[]): LogFinding[] {
    return seals.filter((seal) => !this.isAnnounced(seal)).map(unannounced);
  }

  private isAnnounced(seal: Seal): boolean {
    return this.announcements.some((one) => one.index > seal.to && isSameRange(one, seal));
  }
}

function unannounced({ from, to }: Seal): LogFinding {
  return {
    code: 'seal_unannounced',
    message: `The records ${from} to ${to} are said to be sealed, and no record of the log announces it: whatever is missing there was removed.`,
    index: from,
  };
}
