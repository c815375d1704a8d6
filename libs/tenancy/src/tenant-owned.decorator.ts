import type { EntityMetadata, EntitySchema } from 'typeorm';

/** How an entity says whose a row is. */
export interface TenantOwnedOptions {
  /** The property that holds the tenant. Default `tenant`. */
  readonly property?: string;
}

const MARK = 'sallyport:tenant-owned';
const DEFAULT_PROPERTY = 'tenant';

/** Marks of schemas that have no class, by their name. */
const schemas = new Map<string, string>();

/**
 * Marks an entity, and all that extend it: each row belongs to one tenant. Whatever reads or writes it from then on
 * reaches the rows of the caller's tenant alone.
 *
 * @example
 * ```ts
 * @Entity()
 * @TenantOwned()
 * export class Ticket {
 *   @PrimaryColumn() id!: string;
 *   @Column() tenant!: string;
 * }
 * ```
 */
export function TenantOwned({ property = DEFAULT_PROPERTY }: TenantOwnedOptions = {}): ClassDecorator {
  return (target) => Reflect.defineMetadata(MARK, property, target);
}

/**
 * The same for an `EntitySchema`, which it returns.
 *
 * @example
 * ```ts
 * export const TicketSchema = tenantOwned(new EntitySchema<Ticket>({ name: 'ticket', columns: { … } }));
 * ```
 */
export function tenantOwned<T>(
  schema: EntitySchema<T>,
  { property = DEFAULT_PROPERTY }: TenantOwnedOptions = {},
) {
  const { target, name } = schema.options;
  if (target === undefined) schemas.set(name, property);
  else Reflect.defineMetadata(MARK, property, target);
  return schema;
}

/** The property that holds the tenant, of an entity that is marked. */
export function tenantPropertyOf({ target }: Pick<EntityMetadata, 'target'>): string | undefined {
  if (typeof target === 'string') return schemas.get(target);
  const property: unknown = Reflect.getMetadata(MARK, target);
  return typeof property === 'string' ? property : undefined;
}
