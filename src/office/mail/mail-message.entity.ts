import { Column, Entity, Index } from 'typeorm';
import { TenantRow } from '../tenancy/tenant-row.entity.js';

/** One message in the inbox of a person. */
@Entity('mail_message')
@Index('IDX_mail_message_owner', ['tenant', 'owner'])
export class MailMessage extends TenantRow {
  /** The subject (`sub`) of the person whose inbox it is. */
  @Column({ type: 'varchar', length: 255 })
  owner!: string;

  @Column({ type: 'varchar', length: 320 })
  sender!: string;

  @Column({ type: 'varchar', length: 200 })
  subject!: string;

  @Column({ type: 'text' })
  body!: string;

  /** ISO 8601 in UTC: sorts as text, and means the same on both databases. */
  @Column({ type: 'varchar', length: 24 })
  receivedAt!: string;

  @Column({ type: 'boolean' })
  unread!: boolean;
}
