import { Column, Entity, Index } from 'typeorm';
import { TenantRow } from '../tenancy/tenant-row.entity.js';

/** A reply that waits for a person to send it. */
@Entity('ticket_reply_draft')
@Index('IDX_ticket_reply_draft_ticket', ['tenant', 'ticketId'])
export class ReplyDraft extends TenantRow {
  @Column({ type: 'varchar', length: 36 })
  ticketId!: string;

  /** The subject (`sub`) of the person in whose name it was written. */
  @Column({ type: 'varchar', length: 255 })
  author!: string;

  @Column({ type: 'text' })
  body!: string;

  /** ISO 8601 in UTC. */
  @Column({ type: 'varchar', length: 24 })
  createdAt!: string;
}
