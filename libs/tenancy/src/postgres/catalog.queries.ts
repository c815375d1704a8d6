/** What the catalogs of PostgreSQL are asked at boot. Every row is about what the connecting role can do itself. */

/** Is the role bound, and each that it could become with SET ROLE? May it make other roles, or reach the server's files? */
export const ROLE = `
  SELECT NOT coalesce(bool_or(rolsuper OR rolbypassrls), false) AS "bound",
    coalesce(bool_or(rolcreaterole OR rolname IN
      ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files')), false) AS "mighty"
  FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') OR rolname = current_user`;

export interface RoleRow {
  readonly bound: boolean;
  readonly mighty: boolean;
}

/** A table by its quoted path, all that inherits from it, and what it inherits from as far as this role can use that. */
export const TABLES = `
  WITH RECURSIVE heirs AS (
    SELECT to_regclass($1)::oid AS oid
    UNION SELECT inhrelid FROM pg_inherits JOIN heirs ON inhparent = heirs.oid
  ), ancestors AS (
    SELECT to_regclass($1)::oid AS oid
    UNION SELECT inhparent FROM pg_inherits JOIN ancestors ON inhrelid = ancestors.oid
  ), family AS (
    SELECT oid FROM heirs UNION SELECT oid FROM ancestors WHERE ${usable('ancestors.oid')}
  )
  SELECT c.oid::int8::text AS "oid", c.oid::regclass::text AS "name", c.relname AS "bare", c.relkind AS "kind",
    c.relrowsecurity AS "secured", c.relforcerowsecurity AS "forced",
    pg_has_role(session_user, c.relowner, 'MEMBER') AS "owned",
    has_table_privilege(session_user, c.oid, 'TRUNCATE') AS "truncate",
    has_table_privilege(session_user, c.oid, 'TRIGGER') AS "trigger",
    coalesce('security_invoker=true' = ANY (c.reloptions) OR 'security_invoker=on' = ANY (c.reloptions), false) AS "invoker"
  FROM family JOIN pg_class c ON c.oid = family.oid`;

/** Can this role read or write it? */
function usable(oid: string): string {
  return `(has_any_column_privilege(session_user, ${oid}, 'SELECT, INSERT, UPDATE')
      OR has_table_privilege(session_user, ${oid}, 'DELETE'))`;
}

/** Names of what shows rows of these tables beside themselves: views, what is over those, parents and partitions. */
export const SHOWING = `
  WITH RECURSIVE showing AS (
    SELECT to_regclass(path)::oid AS oid FROM unnest($1::text[]) path
    UNION SELECT next.oid FROM showing, LATERAL (
      SELECT r.ev_class AS oid FROM pg_depend d
        JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = showing.oid
      UNION ALL SELECT inhparent FROM pg_inherits WHERE inhrelid = showing.oid
      UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = showing.oid
    ) next
  )
  SELECT relname AS "name" FROM showing JOIN pg_class c ON c.oid = showing.oid`;

export interface TableRow {
  readonly oid: string;
  readonly name: string;
  readonly bare: string;
  /** As in `pg_class.relkind`: `r` and `p` for tables, `v` and `m` for views. */
  readonly kind: string;
  readonly secured: boolean;
  readonly forced: boolean;
  readonly owned: boolean;
  readonly truncate: boolean;
  readonly trigger: boolean;
  readonly invoker: boolean;
}

/** The policies that apply to this role, or to one that it could become. */
export const POLICIES = `
  SELECT polname AS "policy", polcmd AS "command", polpermissive AS "permissive",
    pg_get_expr(polqual, polrelid) AS "using", pg_get_expr(polwithcheck, polrelid) AS "check"
  FROM pg_policy
  WHERE polrelid = $1::int8::oid
    AND EXISTS (SELECT 1 FROM unnest(polroles) r WHERE r = 0 OR pg_has_role(session_user, r, 'MEMBER'))`;

export interface PolicyRow {
  readonly policy: string;
  /** As in `pg_policy.polcmd`: `*`, `r`, `a`, `w` or `d`. */
  readonly command: string;
  readonly permissive: boolean;
  readonly using: string | null;
  readonly check: string | null;
}

/** Views over a table, and over those, that this role can use. */
export const VIEWS = `
  WITH RECURSIVE over AS (
    SELECT $1::int8::oid AS oid
    UNION SELECT r.ev_class FROM pg_depend d
      JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
      JOIN over ON d.refclassid = 'pg_class'::regclass AND d.refobjid = over.oid
  )
  SELECT c.oid::regclass::text AS "view", c.relkind = 'm' AS "materialized",
    coalesce('security_invoker=true' = ANY (c.reloptions) OR 'security_invoker=on' = ANY (c.reloptions), false) AS "invoker"
  FROM over JOIN pg_class c ON c.oid = over.oid
  WHERE c.relkind IN ('v', 'm')
    AND ${usable('c.oid')}`;

export interface ViewRow {
  readonly view: string;
  readonly materialized: boolean;
  readonly invoker: boolean;
}

/** Functions of others that this role can call, that run with the rights of their owner, and that name a table. */
export const DEFINERS = `
  SELECT p.oid::regprocedure::text AS "routine" FROM pg_proc p
  WHERE p.prosecdef AND p.proowner <> (SELECT oid FROM pg_roles WHERE rolname = session_user)
    AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    AND has_function_privilege(session_user, p.oid, 'EXECUTE')
    AND strpos(lower(coalesce(p.prosrc, '') || coalesce(pg_get_function_sqlbody(p.oid), '')), lower($1)) > 0`;

export interface DefinerRow {
  readonly routine: string;
}
