import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Tenancy } from 'sallyport';
import type { EntityManager, EntityTarget, ObjectLiteral, QueryDeepPartialEntity } from 'typeorm';
import { DataSource } from 'typeorm';
import { CalendarEvent } from '../calendar/calendar-event.entity.js';
import { CrmRecord } from '../crm/crm-record.entity.js';
import { DocPage } from '../docs/doc-page.entity.js';
import { MailMessage } from '../mail/mail-message.entity.js';
import { Ticket } from '../support/ticket.entity.js';
import { Task } from '../tasks/task.entity.js';
import { SEED, type TenantSeed } from './seed.js';

/**
 * Fills the office on first boot. The pages come last and mark it as done: nothing in the office deletes a page, so a
 * record that somebody deleted does not return, and a first boot that was interrupted goes on where it stopped.
 */
@Injectable()
export class OfficeSeeder implements OnModuleInit {
  constructor(
    private readonly dataSource: DataSource,
    private readonly tenancy: Tenancy,
  ) {}

  async onModuleInit(): Promise<void> {
    const { manager } = this.dataSource;
    if (await manager.exists(DocPage)) return;
    await this.seedTenant('acme', SEED.acme);
    await this.seedTenant('globex', SEED.globex);
    await insertMissing(manager, DocPage, SEED.docs);
  }

  private seedTenant(tenant: string, { records, mails, events, tasks, tickets }: TenantSeed): Promise<void> {
    const { manager } = this.dataSource;
    return this.tenancy.within(tenant, { reason: 'the office is filled on its first boot' }, async () => {
      await insertMissing(manager, CrmRecord, records);
      await insertMissing(manager, MailMessage, mails);
      await insertMissing(manager, CalendarEvent, events);
      await insertMissing(manager, Task, tasks);
      await insertMissing(manager, Ticket, tickets);
    });
  }
}

/** Two servers may boot at once on one PostgreSQL: a row that is there already is left as it is. */
async function insertMissing<E extends ObjectLiteral>(
  manager: EntityManager,
  entity: EntityTarget<E>,
  rows: QueryDeepPartialEntity<E>[],
): Promise<void> {
  await manager
    .createQueryBuilder()
    .insert()
    .into(entity)
    .values(rows)
    .orIgnore()
    .updateEntity(false)
    .execute();
}
