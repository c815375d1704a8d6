/** Every table of the office. */
export const OFFICE_TABLES = [
  'doc_page',
  'crm_record',
  'mail_message',
  'mail_outbox',
  'calendar_event',
  'task',
  'ticket',
  'ticket_reply_draft',
] as const;
