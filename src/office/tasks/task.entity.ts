import { Column, Entity, Index } from 'typeorm';
import { TenantRow } from '../tenancy/tenant-row.entity.js';

/** One thing a person has to do. */
@Entity('task')
@Index('IDX_task_owner', ['tenant', 'owner'])
export class Task extends TenantRow {
  /** The subject (`sub`) of the person who has to do it. */
  @Column({ type: 'varchar', length: 255 })
  owner!: string;

  @Column({ type: 'varchar', length: 200 })
  title!: string;

  /** A calendar date, `YYYY-MM-DD`. */
  @Column({ type: 'varchar', length: 10, nullable: true })
  due!: string | null;

  @Column({ type: 'boolean' })
  done!: boolean;

  /** ISO 8601 in UTC. */
  @Column({ type: 'varchar', length: 24 })
  createdAt!: string;
}
