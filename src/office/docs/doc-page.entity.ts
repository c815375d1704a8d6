import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One page of the public documentation. It belongs to no tenant. */
@Entity('doc_page')
export class DocPage {
  @PrimaryColumn({ type: 'varchar', length: 64 })
  slug!: string;

  @Column({ type: 'varchar', length: 200 })
  title!: string;

  /** Markdown. */
  @Column({ type: 'text' })
  body!: string;
}
