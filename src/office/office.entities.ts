import { CalendarEvent } from './calendar/calendar-event.entity.js';
import { CrmRecord } from './crm/crm-record.entity.js';
import { DocPage } from './docs/doc-page.entity.js';
import { MailMessage } from './mail/mail-message.entity.js';
import { OutboxMessage } from './mail/outbox-message.entity.js';
import { ReplyDraft } from './support/reply-draft.entity.js';
import { Ticket } from './support/ticket.entity.js';
import { Task } from './tasks/task.entity.js';

/** Every entity of the office, for whoever opens the database without Nest. */
export const OFFICE_ENTITIES = [
  DocPage,
  CrmRecord,
  MailMessage,
  OutboxMessage,
  CalendarEvent,
  Task,
  Ticket,
  ReplyDraft,
] as const;
