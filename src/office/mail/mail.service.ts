import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Owner } from '../tenancy/owner.js';
import { TenantRows } from '../tenancy/tenant-rows.js';
import { MailMessage } from './mail-message.entity.js';
import { OutboxMessage } from './outbox-message.entity.js';

export type Outgoing = Pick<OutboxMessage, 'recipients' | 'subject' | 'body'>;

const MOST_MESSAGES = 50;

/** One person's own mail, never a colleague's. */
@Injectable()
export class MailService {
  constructor(private readonly rows: TenantRows) {}

  /** Newest first. */
  listUnread({ tenant, subject: owner }: Owner): Promise<MailMessage[]> {
    return this.rows.run(tenant, (manager) =>
      manager.find(MailMessage, {
        where: { tenant, owner, unread: true },
        order: { receivedAt: 'DESC', id: 'ASC' },
        take: MOST_MESSAGES,
      }),
    );
  }

  /** Puts a message into the outbox and answers with its id. */
  async send({ tenant, subject: owner }: Owner, message: Outgoing): Promise<string> {
    const id = randomUUID();
    const queued = { ...message, id, tenant, owner, queuedAt: new Date().toISOString() };
    await this.rows.run(tenant, (manager) => manager.insert(OutboxMessage, queued));
    return id;
  }
}
