import { TenantOwned, tenantOwned } from 'sallyport';
import {
  ChildEntity,
  Column,
  DeleteDateColumn,
  Entity,
  EntitySchema,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  TableInheritance,
  type Relation,
} from 'typeorm';

/** Entities of every kind that TypeORM knows and a tenant can own. None says anywhere whose rows it reads. */

@TenantOwned()
abstract class Owned {
  @PrimaryColumn({ type: 'varchar', length: 40 })
  id!: string;

  @Column({ type: 'varchar', length: 100 })
  tenant!: string;

  @Column({ type: 'varchar', length: 100 })
  title!: string;

  @Column({ type: 'int' })
  amount!: number;

  @DeleteDateColumn()
  deletedAt!: Date | null;
}

/** Owned through the class that it extends. */
@Entity('shelf')
export class Shelf extends Owned {
  @OneToMany(() => Book, (book) => book.shelf)
  books!: Relation<Book[]>;
}

@Entity('book')
export class Book extends Owned {
  @ManyToOne(() => Shelf, (shelf) => shelf.books, { nullable: true })
  shelf!: Relation<Shelf> | null;

  @ManyToMany(() => Mark)
  @JoinTable({ name: 'book_marks' })
  marks!: Relation<Mark[]>;
}

/** Another name of the property, and another of the column. */
@Entity('mark')
@TenantOwned({ property: 'workspace' })
export class Mark {
  @PrimaryColumn({ type: 'varchar', length: 40 })
  id!: string;

  @Column({ name: 'workspace_id', type: 'varchar', length: 100 })
  workspace!: string;

  @Column({ type: 'varchar', length: 100 })
  title!: string;

  @Column({ type: 'int' })
  amount!: number;

  @DeleteDateColumn()
  deletedAt!: Date | null;

  @ManyToOne(() => Shelf, { nullable: true, lazy: true })
  shelf!: Promise<Relation<Shelf> | null>;
}

/** Several classes in one table. */
@Entity('paper')
@TableInheritance({ column: { type: 'varchar', length: 20, name: 'kind' } })
export class Paper extends Owned {
  @ManyToOne(() => Shelf, { nullable: true, eager: true })
  shelf!: Relation<Shelf> | null;
}

@ChildEntity('letter')
export class Letter extends Paper {}

export interface Note {
  id: string;
  tenant: string;
  title: string;
  amount: number;
  deletedAt: Date | null;
}

/** Without a class. */
export const NoteSchema = tenantOwned(
  new EntitySchema<Note>({
    name: 'note',
    columns: {
      id: { type: 'varchar', length: 40, primary: true },
      tenant: { type: 'varchar', length: 100 },
      title: { type: 'varchar', length: 100 },
      amount: { type: 'int' },
      deletedAt: { type: Date, nullable: true, deleteDate: true },
    },
  }),
);

/** Everybody's. */
@Entity('page')
export class Page {
  @PrimaryColumn({ type: 'varchar', length: 40 })
  id!: string;
}

export const KINDS = {
  'an entity': { target: Book, table: 'book', property: 'tenant', column: 'tenant' },
  'a renamed column': { target: Mark, table: 'mark', property: 'workspace', column: 'workspace_id' },
  'a child of a shared table': { target: Letter, table: 'paper', property: 'tenant', column: 'tenant' },
  'a schema without a class': { target: NoteSchema, table: 'note', property: 'tenant', column: 'tenant' },
} as const;
export type Kind = keyof typeof KINDS;

export const OWNED_TABLES = ['shelf', 'book', 'mark', 'paper', 'note'] as const;
export const LINKS = 'book_marks';
export const ENTITIES = [Shelf, Book, Mark, Paper, Letter, NoteSchema, Page];
