import { Column, Entity, Index } from 'typeorm';
import { TenantRow } from '../tenancy/tenant-row.entity.js';

export const CRM_STAGES = ['lead', 'active', 'churned'] as const;
export type CrmStage = (typeof CRM_STAGES)[number];

/** One customer of a tenant. */
@Entity('crm_record')
@Index('IDX_crm_record_tenant', ['tenant'])
export class CrmRecord extends TenantRow {
  @Column({ type: 'varchar', length: 200 })
  name!: string;

  @Column({ type: 'varchar', length: 200 })
  company!: string;

  @Column({ type: 'varchar', length: 320 })
  email!: string;

  @Column({ type: 'varchar', length: 16 })
  stage!: CrmStage;

  @Column({ type: 'text' })
  notes!: string;
}
