import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenancyModule } from '../tenancy/tenancy.module.js';
import { MailMessage } from './mail-message.entity.js';
import { MailService } from './mail.service.js';
import { MailTools } from './mail.tools.js';
import { OutboxMessage } from './outbox-message.entity.js';

/** Inbox and outbox of each person. */
@Module({
  imports: [TenancyModule, TypeOrmModule.forFeature([MailMessage, OutboxMessage])],
  providers: [MailService, MailTools],
})
export class MailModule {}
