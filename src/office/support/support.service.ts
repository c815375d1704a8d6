import { randomUUID } from 'node:crypto';
import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository } from 'typeorm';
import { ReplyDraft } from './reply-draft.entity.js';
import { Ticket } from './ticket.entity.js';

const MOST_TICKETS = 50;

/** The tickets of the caller's tenant; everyone in support works on all of them. */
@Injectable()
export class SupportService {
  constructor(
    @InjectRepository(Ticket) private readonly tickets: Repository<Ticket>,
    @InjectRepository(ReplyDraft) private readonly drafts: Repository<ReplyDraft>,
  ) {}

  /** Newest first. */
  list(): Promise<Ticket[]> {
    return this.tickets.find({ order: { createdAt: 'DESC', id: 'ASC' }, take: MOST_TICKETS });
  }

  /** Tickets that came after a moment, oldest first. */
  since(moment: string): Promise<Ticket[]> {
    return this.tickets.find({
      where: { createdAt: MoreThan(moment) },
      order: { createdAt: 'ASC', id: 'ASC' },
      take: MOST_TICKETS,
    });
  }

  async read(id: string): Promise<Ticket> {
    return (await this.tickets.findOneBy({ id })) ?? noSuchTicket();
  }

  /** Keeps a draft for a person to send, and answers with its id. `author` is the subject of the caller. */
  async draftReply(author: string, ticketId: string, body: string): Promise<string> {
    if (!(await this.tickets.existsBy({ id: ticketId }))) noSuchTicket();
    const id = randomUUID();
    await this.drafts.insert({ id, ticketId, author, body, createdAt: new Date().toISOString() });
    return id;
  }
}

function noSuchTicket(): never {
  throw new NotFoundException('No such ticket.');
}
