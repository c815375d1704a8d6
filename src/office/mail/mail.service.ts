import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { MailMessage } from './mail-message.entity.js';
import { OutboxMessage } from './outbox-message.entity.js';

export type Outgoing = Pick<OutboxMessage, 'recipients' | 'subject' | 'body'>;

const MOST_MESSAGES = 50;

/** One person's own mail, never a colleague's. `owner` is the subject of the caller. */
@Injectable()
export class MailService {
  constructor(
    @InjectRepository(MailMessage) private readonly inbox: Repository<MailMessage>,
    @InjectRepository(OutboxMessage) private readonly outbox: Repository<OutboxMessage>,
  ) {}

  /** Newest first. */
  listUnread(owner: string): Promise<MailMessage[]> {
    return this.inbox.find({
      where: { owner, unread: true },
      order: { receivedAt: 'DESC', id: 'ASC' },
      take: MOST_MESSAGES,
    });
  }

  /** Puts a message into the outbox and answers with its id. */
  async send(owner: string, message: Outgoing): Promise<string> {
    const id = randomUUID();
    await this.outbox.insert({ ...message, id, owner, queuedAt: new Date().toISOString() });
    return id;
  }
}
