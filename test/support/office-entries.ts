import type { McpPromptOptions, McpResourceOptions, McpToolOptions } from 'sallyport';
import { CalendarTools } from '../../src/office/calendar/calendar.tools.js';
import { CrmTools } from '../../src/office/crm/crm.tools.js';
import { DocsTools } from '../../src/office/docs/docs.tools.js';
import { MailTools } from '../../src/office/mail/mail.tools.js';
import { SupportTools } from '../../src/office/support/support.tools.js';
import { TasksTools } from '../../src/office/tasks/tasks.tools.js';

/** What a decorator of the office wrote down. */
export interface OfficeEntry {
  readonly kind: 'tool' | 'resource' | 'prompt';
  readonly options: McpToolOptions | McpResourceOptions | McpPromptOptions;
}

/** Every entry of the office, as its decorators declare it. */
export function officeEntries(): OfficeEntry[] {
  const classes = [DocsTools, CrmTools, MailTools, CalendarTools, TasksTools, SupportTools];
  return classes.flatMap(({ prototype }) =>
    Object.values(Object.getOwnPropertyDescriptors(prototype)).flatMap(({ value }): OfficeEntry[] => {
      const declared: unknown = Reflect.getMetadata('sallyport:entry', value);
      return isEntry(declared) ? [declared] : [];
    }),
  );
}

function isEntry(value: unknown): value is OfficeEntry {
  return typeof value === 'object' && value !== null && 'kind' in value && 'options' in value;
}
