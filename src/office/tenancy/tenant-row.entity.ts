import { TenantOwned } from 'sallyport';
import { Column, PrimaryColumn } from 'typeorm';

/** What every row of a tenant has: an id that cannot be guessed, and the tenant it belongs to. */
@TenantOwned()
export abstract class TenantRow {
  /** UUID v4. */
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;

  /** Filled in, and never asked for: who reads or writes rows reaches those of the caller's tenant. */
  @Column({ type: 'varchar', length: 255 })
  tenant!: string;
}
