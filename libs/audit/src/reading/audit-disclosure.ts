import {
  uuidV7,
  type AdministrationAction,
  type AdministrationEvent,
  type AuditTrail,
  type ServerIdentity,
} from '@sallyport/mcp';

import type { AuditCall, AuditFilter, AuditReader } from '../audit.reader.js';
import { ALL_RECORDS } from '../record-of-event.js';
import type { ReadRecord } from './read-record.js';
import type { RecordFilter, RecordWalk } from './record-walk.js';

/** Who looks at the records, and from where. */
export type AuditViewer = Pick<AdministrationEvent, 'via' | 'address' | 'actor'>;

/** What is asked for, as it is recorded. */
type Asked = Omit<AuditFilter, 'limit'> | RecordFilter;

export interface DisclosureParts {
  readonly reader: AuditReader;
  readonly walk: RecordWalk;
  readonly trail: AuditTrail;
  readonly server: ServerIdentity;
}

/**
 * Shows records to people. That they looked, with what they asked for and how much they were shown, is recorded before
 * they see anything; what cannot be recorded is not shown.
 */
export class AuditDisclosure {
  constructor(private readonly parts: DisclosureParts) {}

  /** The newest records that match, oldest of them first. */
  async list(viewer: AuditViewer, filter: AuditFilter): Promise<AuditCall[]> {
    const calls = await this.parts.reader.list(filter);
    await this.record(viewer, 'audit.read', filter, { shown: String(calls.length) });
    return calls;
  }

  /**
   * Everything of one call, oldest first; empty when there is none.
   *
   * @param id of one of its records, or of the call
   * @param tenant of no other; `undefined`: of any, and of none
   */
  async show(viewer: AuditViewer, id: string, tenant?: string): Promise<ReadRecord[]> {
    const records = await this.parts.walk.recordsOf(id, tenant);
    const details = { shown: String(records.length) };
    await this.parts.trail.record({ ...this.event(viewer, 'audit.read'), target: id, details });
    return records;
  }

  /** To be called before records are shown as they are committed: once, for all of them. */
  async follow(viewer: AuditViewer, filter: RecordFilter): Promise<void> {
    await this.record(viewer, 'audit.read', filter, { follow: 'true' });
  }

  /**
   * To be called before one record leaves, as it is stored and with the proof that it was logged.
   *
   * @param id of the record, which was found
   */
  async prove(viewer: AuditViewer, id: string): Promise<void> {
    const details = { shown: '1', proof: 'true' };
    await this.parts.trail.record({ ...this.event(viewer, 'audit.read'), target: id, details });
  }

  /**
   * To be called before records leave: `records` of them, up to the number `upTo`, in this form. Where to is not recorded: the
   * name of a file may be that of a person, and would outlive their erasure.
   */
  async export(
    viewer: AuditViewer,
    filter: RecordFilter,
    facts: { readonly records: number; readonly upTo: number; readonly format: string },
  ): Promise<void> {
    const { records, upTo, format } = facts;
    const details = { records: String(records), upTo: String(upTo), format };
    await this.record(viewer, 'audit.exported', filter, details);
  }

  /** They were not shown, or did not leave, for this reason. */
  async refuse(
    viewer: AuditViewer,
    reason: string,
    action: 'audit.read' | 'audit.exported' = 'audit.read',
  ): Promise<void> {
    await this.parts.trail.record({ ...this.event(viewer, action), reason });
  }

  private async record(
    viewer: AuditViewer,
    action: AdministrationAction,
    asked: Asked,
    details: AdministrationEvent['details'],
  ): Promise<void> {
    await this.parts.trail.record({
      ...this.event(viewer, action),
      ...aboutOf(asked),
      details: { ...filterTexts(asked), ...details },
    });
  }

  private event({ via, address, actor }: AuditViewer, action: AdministrationAction): AdministrationEvent {
    return {
      kind: 'administration',
      id: uuidV7(),
      at: new Date(),
      server: this.parts.server,
      via,
      address,
      actor,
      action,
      target: ALL_RECORDS,
      details: {},
    };
  }
}

/** Whoever asked for one person has named them: that name is erased with them. */
function aboutOf({ subject, tenant }: Asked): Partial<AdministrationEvent> {
  if (subject === undefined) return {};
  return { target: subject, about: { subject, ...(tenant !== undefined && { tenant }) } };
}

function filterTexts({ subject: _named, ...filter }: Asked): Record<string, string> {
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    asked.map(([name, value]) => [name, value instanceof Date ? value.toISOString() : String(value)]),
  );
}
