import { Column, PrimaryColumn } from 'typeorm';

/** What every row of a tenant has: an id that cannot be guessed, and the tenant it belongs to. */
export abstract class TenantRow {
  /** UUID v4. */
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;

  @Column({ type: 'varchar', length: 255 })
  tenant!: string;
}
