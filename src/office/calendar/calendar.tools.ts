import { Injectable } from '@nestjs/common';
import { Args, Caller, McpPrompt, McpTool, type Principal } from 'sallyport';
import { z } from 'zod';
import type { CalendarEvent } from './calendar-event.entity.js';
import { CalendarService } from './calendar.service.js';
import { planDayPrompt } from './plan-day.prompt.js';

const instant = z.iso.datetime({ offset: true });

const range = z.object({ from: instant.optional(), to: instant.optional() });

const draft = z
  .object({
    title: z.string().min(1).max(200),
    startsAt: instant,
    endsAt: instant,
    attendees: z.array(z.email().max(320)).max(50).default([]),
  })
  .refine(({ startsAt, endsAt }) => Date.parse(endsAt) > Date.parse(startsAt), {
    error: 'endsAt must be after startsAt.',
    path: ['endsAt'],
  });

const event = z.object({
  eventId: z.uuid(),
  title: z.string(),
  startsAt: z.string(),
  endsAt: z.string(),
  attendees: z.array(z.string()),
});

const events = z.object({ events: z.array(event) });

@Injectable()
export class CalendarTools {
  constructor(private readonly calendar: CalendarService) {}

  @McpTool({
    name: 'calendar_list_events',
    title: 'List calendar events',
    description: "List the caller's own events, optionally only those between two instants.",
    input: range,
    output: events,
    scopes: ['calendar:read'],
    role: 'agent:read-only',
    risk: 'read',
    auditFields: ['from', 'to'],
  })
  async list(
    @Args() { from, to }: z.output<typeof range>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof events>> {
    const between = {
      ...(from !== undefined && { from: utc(from) }),
      ...(to !== undefined && { to: utc(to) }),
    };
    const found = await this.calendar.list(caller.subject, between);
    return { events: found.map(shown) };
  }

  @McpTool({
    name: 'calendar_create_event',
    title: 'Create a calendar event',
    description: "Create an event in the caller's own calendar.",
    input: draft,
    output: event,
    scopes: ['calendar:write'],
    role: 'agent:contributor',
    risk: 'write',
    auditFields: ['startsAt', 'endsAt'],
  })
  async create(
    @Args() { title, startsAt, endsAt, attendees }: z.output<typeof draft>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof event>> {
    const asked = { title, startsAt: utc(startsAt), endsAt: utc(endsAt), attendees: [...attendees] };
    return shown(await this.calendar.create(caller.subject, asked));
  }

  @McpPrompt({
    name: 'plan_day',
    title: 'Plan my day',
    description: 'Plan the day from calendar and mail, as far as the caller lets the agent read them.',
    scopes: { anyOf: ['calendar:read', 'email:read'] },
    role: 'agent:read-only',
  })
  planDay(): string {
    return planDayPrompt();
  }
}

function shown({ id, title, startsAt, endsAt, attendees }: CalendarEvent): z.output<typeof event> {
  return { eventId: id, title, startsAt, endsAt, attendees };
}

/** Rows hold one spelling of an instant, whatever offset the caller wrote. */
function utc(text: string): string {
  return new Date(text).toISOString();
}
