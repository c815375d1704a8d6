/** A table whose rows each belong to a tenant. */
export interface RowTable {
  readonly kind: 'rows';
  /** As TypeORM has it, with the schema if there is one: `ticket`, `office.ticket`. */
  readonly path: string;
  /** Name of the column in the database. */
  readonly column: string;
}

/** A table between two others, without a tenant of its own: its rows belong to whoever owns what they link. */
export interface LinkTable {
  readonly kind: 'links';
  readonly path: string;
  readonly ends: readonly LinkEnd[];
}

/** One column of a link, and the row it points at. */
export interface LinkEnd {
  readonly column: string;
  readonly key: string;
  readonly table: RowTable;
}

/** A view over such tables: whether it scopes anything, nobody can tell. */
export interface OpaqueView {
  readonly kind: 'opaque';
  readonly path: string;
}

export type TenantTable = RowTable | LinkTable | OpaqueView;

/** By the last part of their name, in lower case. */
export type TenantTables = ReadonlyMap<string, TenantTable>;

/** `"office"."ticket"` of `office.ticket`. */
export function quotedPath(path: string): string {
  return path.split('.').map(quoted).join('.');
}

/** A name as both databases write it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The key of {@link TenantTables}. */
export function keyOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1).toLowerCase();
}
