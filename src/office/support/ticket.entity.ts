import { Column, Entity, Index } from 'typeorm';
import { TenantRow } from '../tenancy/tenant-row.entity.js';

export const TICKET_STATUSES = ['open', 'waiting', 'closed'] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];

/** One request for help that a customer sent to a tenant. */
@Entity('ticket')
@Index('IDX_ticket_tenant', ['tenant', 'createdAt'])
export class Ticket extends TenantRow {
  @Column({ type: 'varchar', length: 200 })
  title!: string;

  /** Address of the customer. */
  @Column({ type: 'varchar', length: 320 })
  requester!: string;

  /** What the customer wrote. */
  @Column({ type: 'text' })
  body!: string;

  @Column({ type: 'varchar', length: 16 })
  status!: TicketStatus;

  /** ISO 8601 in UTC: sorts as text, and means the same on both databases. */
  @Column({ type: 'varchar', length: 24 })
  createdAt!: string;
}
