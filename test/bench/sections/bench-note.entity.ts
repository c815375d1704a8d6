import { TenantOwned } from '@sallyport/tenancy';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A row of a tenant, as an application has them. */
@Entity('bench_note')
@Index('bench_note_tenant', ['tenant', 'number'])
@TenantOwned()
export class BenchNote {
  @PrimaryColumn({ type: 'varchar', length: 40 })
  id!: string;

  @Column({ type: 'varchar', length: 100 })
  tenant!: string;

  @Column({ type: 'int' })
  number!: number;

  @Column({ type: 'varchar', length: 200 })
  title!: string;
}
