import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ReplyDraft } from './reply-draft.entity.js';
import { SupportService } from './support.service.js';
import { SupportTools } from './support.tools.js';
import { Ticket } from './ticket.entity.js';

/** Support tickets of a tenant. */
@Module({
  imports: [TypeOrmModule.forFeature([Ticket, ReplyDraft])],
  providers: [SupportService, SupportTools],
})
export class SupportModule {}
