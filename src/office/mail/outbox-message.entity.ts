import { Column, Entity, Index } from 'typeorm';
import { TenantRow } from '../tenancy/tenant-row.entity.js';

/** One message that was sent. In this reference it stays here: nothing leaves the machine. */
@Entity('mail_outbox')
@Index('IDX_mail_outbox_owner', ['tenant', 'owner'])
export class OutboxMessage extends TenantRow {
  /** The subject (`sub`) of the person in whose name it was sent. */
  @Column({ type: 'varchar', length: 255 })
  owner!: string;

  @Column({ type: 'simple-json' })
  recipients!: string[];

  @Column({ type: 'varchar', length: 200 })
  subject!: string;

  @Column({ type: 'text' })
  body!: string;

  /** ISO 8601 in UTC. */
  @Column({ type: 'varchar', length: 24 })
  queuedAt!: string;
}
