import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LessThan, MoreThan } from 'typeorm';
import type { Owner } from '../tenancy/owner.js';
import { TenantRows } from '../tenancy/tenant-rows.js';
import { CalendarEvent } from './calendar-event.entity.js';

export type NewEvent = Pick<CalendarEvent, 'title' | 'startsAt' | 'endsAt' | 'attendees'>;

const MOST_EVENTS = 100;

/** One person's own calendar. Instants are ISO 8601 in UTC. */
@Injectable()
export class CalendarService {
  constructor(private readonly rows: TenantRows) {}

  /** Events that overlap the time from `from` to `to`, earliest first. */
  list(
    { tenant, subject: owner }: Owner,
    { from, to }: { from?: string; to?: string },
  ): Promise<CalendarEvent[]> {
    const where = {
      tenant,
      owner,
      ...(from !== undefined && { endsAt: MoreThan(from) }),
      ...(to !== undefined && { startsAt: LessThan(to) }),
    };
    return this.rows.run(tenant, (manager) =>
      manager.find(CalendarEvent, { where, order: { startsAt: 'ASC', id: 'ASC' }, take: MOST_EVENTS }),
    );
  }

  async create({ tenant, subject: owner }: Owner, event: NewEvent): Promise<CalendarEvent> {
    const created = { ...event, id: randomUUID(), tenant, owner };
    await this.rows.run(tenant, (manager) => manager.insert(CalendarEvent, created));
    return created;
  }
}
