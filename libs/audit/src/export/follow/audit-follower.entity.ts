import { EntitySchema } from 'typeorm';

export const AUDIT_FOLLOWER_TABLE = 'sallyport_audit_follower';

/** How far a sink has received the records, and which process ships to it. The only table of the audit that is changed. */
export class AuditFollower {
  /** Name of the sink. */
  name!: string;
  /** The highest `seq` that the sink has confirmed; everything below was confirmed, too. */
  position!: number;
  /** Random id of the process that ships; `null`: none does. */
  owner!: string | null;
  /** Milliseconds since the epoch, until when no other process ships. */
  leaseUntil!: number;
}

/** `pg` gives a bigint as a string; all of ours are below 2^53. */
const asNumber = { to: (value: unknown) => value, from: Number };

export const auditFollowerEntity = new EntitySchema<AuditFollower>({
  target: AuditFollower,
  name: AuditFollower.name,
  tableName: AUDIT_FOLLOWER_TABLE,
  columns: {
    name: { type: 'text', primary: true },
    position: { type: 'bigint', transformer: asNumber },
    owner: { type: 'text', nullable: true },
    leaseUntil: { type: 'bigint', name: 'lease_until', transformer: asNumber },
  },
});
