import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, MoreThan, Repository } from 'typeorm';
import { CalendarEvent } from './calendar-event.entity.js';

export type NewEvent = Pick<CalendarEvent, 'title' | 'startsAt' | 'endsAt' | 'attendees'>;

const MOST_EVENTS = 100;

/** One person's own calendar. `owner` is the subject of the caller; instants are ISO 8601 in UTC. */
@Injectable()
export class CalendarService {
  constructor(@InjectRepository(CalendarEvent) private readonly events: Repository<CalendarEvent>) {}

  /** Events that overlap the time from `from` to `to`, earliest first. */
  list(owner: string, { from, to }: { from?: string; to?: string }): Promise<CalendarEvent[]> {
    const where = {
      owner,
      ...(from !== undefined && { endsAt: MoreThan(from) }),
      ...(to !== undefined && { startsAt: LessThan(to) }),
    };
    return this.events.find({ where, order: { startsAt: 'ASC', id: 'ASC' }, take: MOST_EVENTS });
  }

  async create(owner: string, event: NewEvent): Promise<CalendarEvent> {
    const created = this.events.create({ ...event, id: randomUUID(), owner });
    await this.events.insert(created);
    return created;
  }
}
