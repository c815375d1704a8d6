import type { Problem } from '@sallyport/mcp';
import type { DataSource, EntityMetadata } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';

import { keyOf, type LinkEnd, type LinkTable, type RowTable, type TenantTable } from './sql/tenant-table.js';
import { tenantPropertyOf } from './tenant-owned.decorator.js';

/** What the entities of a `DataSource` say about whose rows are whose, and what stands in the way of scoping them. */
export interface OwnedTables {
  /** By the last part of their name. */
  readonly tables: ReadonlyMap<string, TenantTable>;
  /** All of them: two schemas may each have a table of one name. */
  readonly all: readonly (RowTable | LinkTable)[];
  readonly problems: readonly Problem[];
}

/** Finds the tables of tenants, and the tables that link them, among the entities of an initialized `DataSource`. */
export function ownedTables({ entityMetadatas }: Pick<DataSource, 'entityMetadatas'>): OwnedTables {
  const problems: Problem[] = [];
  const tables = new Map<string, TenantTable>();
  const owned = new Map<EntityMetadata, RowTable>();
  for (const metadata of entityMetadatas) {
    const property = tenantPropertyOf(metadata);
    if (property === undefined) continue;
    const column = metadata.findColumnWithPropertyName(property);
    problems.push(...entityProblems(metadata, property));
    if (column === undefined) continue;
    const table: RowTable = { kind: 'rows', path: metadata.tablePath, column: column.databaseName };
    owned.set(metadata, table);
    tables.set(keyOf(table.path), table);
  }
  const all: (RowTable | LinkTable)[] = [...owned.values()];
  for (const metadata of entityMetadatas) {
    const link = linkOf(metadata, owned);
    if (link !== undefined) {
      tables.set(keyOf(link.path), link);
      all.push(link);
    }
    problems.push(...linkProblems(link, metadata), ...unmarkedProblems(metadata, owned, tables));
  }
  return { tables, all, problems };
}

/** Junction tables are made by TypeORM, so nobody can mark them. */
function linkOf(
  metadata: EntityMetadata,
  owned: ReadonlyMap<EntityMetadata, RowTable>,
): LinkTable | undefined {
  if (!metadata.isJunction) return undefined;
  const ends = metadata.columns.flatMap(({ databaseName, referencedColumn }): LinkEnd[] => {
    const table = referencedColumn && owned.get(referencedColumn.entityMetadata);
    return table ? [{ column: databaseName, key: referencedColumn.databaseName, table }] : [];
  });
  return ends.length === 0 ? undefined : { kind: 'links', path: metadata.tablePath, ends };
}

function entityProblems(metadata: EntityMetadata, property: string): Problem[] {
  const { name, treeType, tableType } = metadata;
  const column = metadata.findColumnWithPropertyName(property);
  if (column === undefined)
    return [
      problem(
        'tenant_column_missing',
        `${name} is tenant-owned and has no column "${property}": add it, or write @TenantOwned({ property: '…' }).`,
      ),
    ];
  const problems: Problem[] = [];
  if (treeType !== undefined)
    problems.push(
      problem(
        'tenant_owned_tree',
        `${name} is a tree, which TypeORM keeps with statements over the rows of all tenants: write a plain parent column instead of @Tree.`,
      ),
    );
  if (column.isNullable && tableType !== 'view')
    problems.push(
      problem(
        'tenant_column_nullable',
        `${name}.${property} can be null: every row has a tenant, drop nullable.`,
      ),
    );
  if (!isExact(column) && !isOfView(metadata, column))
    problems.push(
      problem(
        'tenant_column_inexact',
        `${name}.${property} takes different tenants for the same, such as ACME and acme, or 01 and 1: write { type: 'varchar' }, without a collation.`,
      ),
    );
  return problems;
}

const EXACT: readonly unknown[] = [
  String,
  'varchar',
  'text',
  'character varying',
  'nvarchar',
  'uuid',
  'enum',
  'simple-enum',
];

/** SQLite compares numbers by their value, and `char` of PostgreSQL leaves out the spaces at the end. */
function isExact({ type, collation }: Pick<ColumnMetadata, 'type' | 'collation'>): boolean {
  return EXACT.includes(type) && [undefined, 'BINARY', 'C'].includes(collation);
}

/** The type of a column of a view is that of the column it shows, which TypeORM does not know. */
function isOfView({ tableType }: EntityMetadata, column: ColumnMetadata): boolean {
  const type: unknown = column.type;
  return tableType === 'view' && type === undefined;
}

function linkProblems(link: LinkTable | undefined, { name }: EntityMetadata): Problem[] {
  if (link === undefined || new Set(link.ends.map(({ table }) => table)).size === link.ends.length) return [];
  // A table that is linked to itself has two ends with the same key; a composite key has two keys.
  const keys = new Set(link.ends.map(({ key, table }) => `${table.path} ${key}`));
  const paths = new Set(link.ends.map(({ table }) => table.path));
  if (keys.size === paths.size) return [];
  const message = `${name} links rows of tenants by several columns each: give them one primary key, or write the link as an entity.`;
  return [problem('tenant_link_composite', message)];
}

/** Two entities over one table must agree, or one of them is a way around the other. */
function unmarkedProblems(
  metadata: EntityMetadata,
  owned: ReadonlyMap<EntityMetadata, RowTable>,
  tables: ReadonlyMap<string, TenantTable>,
): Problem[] {
  const table = tables.get(keyOf(metadata.tablePath));
  const agreed = table === undefined || table.kind !== 'rows' || owned.get(metadata)?.column === table.column;
  if (agreed) return [];
  const message = `${metadata.name} has the table name of a tenant-owned entity: mark it with @TenantOwned() too, or rename its table.`;
  return [problem('tenant_owned_twice', message)];
}

function problem(code: string, message: string): Problem {
  return { code, message };
}
