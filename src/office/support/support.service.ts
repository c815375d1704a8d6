import { randomUUID } from 'node:crypto';
import { Injectable, NotFoundException } from '@nestjs/common';
import { MoreThan } from 'typeorm';
import type { Owner } from '../tenancy/owner.js';
import { TenantRows } from '../tenancy/tenant-rows.js';
import { ReplyDraft } from './reply-draft.entity.js';
import { Ticket } from './ticket.entity.js';

const MOST_TICKETS = 50;

/** The tickets of one tenant; everyone in support works on all of them. */
@Injectable()
export class SupportService {
  constructor(private readonly rows: TenantRows) {}

  /** Newest first. */
  list(tenant: string): Promise<Ticket[]> {
    return this.rows.run(tenant, (manager) =>
      manager.find(Ticket, {
        where: { tenant },
        order: { createdAt: 'DESC', id: 'ASC' },
        take: MOST_TICKETS,
      }),
    );
  }

  /** Tickets that came after a moment, oldest first. */
  since(tenant: string, moment: string): Promise<Ticket[]> {
    return this.rows.run(tenant, (manager) =>
      manager.find(Ticket, {
        where: { tenant, createdAt: MoreThan(moment) },
        order: { createdAt: 'ASC', id: 'ASC' },
        take: MOST_TICKETS,
      }),
    );
  }

  async read(tenant: string, id: string): Promise<Ticket> {
    const ticket = await this.rows.run(tenant, (manager) => manager.findOneBy(Ticket, { id, tenant }));
    return ticket ?? noSuchTicket();
  }

  /** Keeps a draft for a person to send, and answers with its id. */
  async draftReply({ tenant, subject: author }: Owner, ticketId: string, body: string): Promise<string> {
    const draft = { id: randomUUID(), tenant, ticketId, author, body, createdAt: new Date().toISOString() };
    await this.rows.run(tenant, async (manager) => {
      if (!(await manager.existsBy(Ticket, { id: ticketId, tenant }))) noSuchTicket();
      await manager.insert(ReplyDraft, draft);
    });
    return draft.id;
  }
}

function noSuchTicket(): never {
  throw new NotFoundException('No such ticket.');
}
