import { Column, Entity, Index } from 'typeorm';
import { TenantRow } from '../tenancy/tenant-row.entity.js';

/** One event in the calendar of a person. */
@Entity('calendar_event')
@Index('IDX_calendar_event_owner', ['tenant', 'owner', 'startsAt'])
export class CalendarEvent extends TenantRow {
  /** The subject (`sub`) of the person whose calendar it is. */
  @Column({ type: 'varchar', length: 255 })
  owner!: string;

  @Column({ type: 'varchar', length: 200 })
  title!: string;

  /** ISO 8601 in UTC: sorts as text, and means the same on both databases. */
  @Column({ type: 'varchar', length: 24 })
  startsAt!: string;

  /** ISO 8601 in UTC. */
  @Column({ type: 'varchar', length: 24 })
  endsAt!: string;

  /** Addresses. */
  @Column({ type: 'simple-json' })
  attendees!: string[];
}
