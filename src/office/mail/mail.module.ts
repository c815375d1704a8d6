import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MailMessage } from './mail-message.entity.js';
import { MailService } from './mail.service.js';
import { MailTools } from './mail.tools.js';
import { OnlyPeople } from './only-people.rule.js';
import { OutboxMessage } from './outbox-message.entity.js';

/** Inbox and outbox of each person. */
@Module({
  imports: [TypeOrmModule.forFeature([MailMessage, OutboxMessage])],
  providers: [MailService, MailTools, OnlyPeople],
})
export class MailModule {}
