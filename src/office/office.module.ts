import { Module } from '@nestjs/common';
import { CalendarModule } from './calendar/calendar.module.js';
import { CrmModule } from './crm/crm.module.js';
import { DocsModule } from './docs/docs.module.js';
import { MailModule } from './mail/mail.module.js';
import { OfficeSeeder } from './seed/office.seeder.js';
import { SupportModule } from './support/support.module.js';
import { TasksModule } from './tasks/tasks.module.js';

/** One small, real office: six toolsets over the rows of two tenants. */
@Module({
  imports: [DocsModule, CrmModule, MailModule, CalendarModule, TasksModule, SupportModule],
  providers: [OfficeSeeder],
})
export class OfficeModule {}
