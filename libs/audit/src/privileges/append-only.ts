import type { QueryRunner } from 'typeorm';

/** A table into which rows are only ever added. */
export interface AppendOnlyTable {
  /** Without schema: that of the data source, or the current one. */
  readonly name: string;
  /**
   * The one door: rows may be deleted whose `column` lies in a range (`from_seq` to `to_seq`, inclusive) of the table
   * `ranges`. Who may add such a range is a matter of privileges. Absent: no row may ever be deleted.
   */
  readonly deletable?: { readonly column: string; readonly ranges: string };
  /**
   * Unique columns. SQLite lets `INSERT OR REPLACE` delete a row without telling a trigger (unless `recursive_triggers` is
   * on), so a row that has one of them in common with another is refused before. Leave them out for tables into which
   * something is inserted `ON CONFLICT DO NOTHING`.
   */
  readonly unique?: readonly string[];
}

/**
 * Triggers that refuse UPDATE, DELETE and TRUNCATE for everybody, the owner of the table included; to be called by a
 * migration. On PostgreSQL they also fire for replication roles (`ENABLE ALWAYS`). Whoever owns the table, or the file,
 * can still take the triggers away: that is for privileges to prevent, and for the log to show.
 *
 * @example
 * await refuseChanges(runner, { name: 'sallyport_log_leaf' });
 */
export async function refuseChanges(runner: QueryRunner, table: AppendOnlyTable): Promise<void> {
  const isPostgres = runner.dataSource.options.type === 'postgres';
  const statements = isPostgres ? postgresTriggers(await schemaOf(runner), table) : sqliteTriggers(table);
  for (const statement of statements) await runner.query(statement);
}

/** Names of the triggers, for whoever looks whether they are in place. */
export function triggerNames(table: string, dialect: 'postgres' | 'better-sqlite3'): string[] {
  const last = dialect === 'postgres' ? ['no_truncate'] : [];
  return ['no_update', 'no_delete', ...last].map((name) => `${table}_${name}`);
}

const REFUSAL = 'rows are only ever added: what is recorded is neither changed nor deleted';

/** Qualified by name, so that no `search_path` puts another table or function in the place of ours. */
async function schemaOf(runner: QueryRunner): Promise<string> {
  const { schema } = runner.dataSource.driver;
  return schema ?? (await runner.getCurrentSchema()) ?? 'public';
}

function postgresTriggers(schema: string, { name, deletable }: AppendOnlyTable): string[] {
  const inSchema = (object: string) => `${quoted(schema)}.${quoted(object)}`;
  const table = inSchema(name);
  const refuse = inSchema(`${name}_refuse_change`);
  const refuseDelete = inSchema(`${name}_refuse_delete`);
  const trigger = (suffix: string, when: string, call: string) => [
    `CREATE TRIGGER ${quoted(`${name}_${suffix}`)} BEFORE ${when} EXECUTE FUNCTION ${call}()`,
    `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${quoted(`${name}_${suffix}`)}`,
  ];
  const raise = `RAISE EXCEPTION '${name}: ${REFUSAL}' USING ERRCODE = 'insufficient_privilege';`;
  const covered = deletable && coveredBy(inSchema(deletable.ranges), `OLD.${quoted(deletable.column)}`);
  const door = covered === undefined ? '' : `IF EXISTS (${covered}) THEN RETURN OLD; END IF; `;
  return [
    postgresFunction(refuse, raise),
    postgresFunction(refuseDelete, `${door}${raise}`),
    ...trigger('no_update', `UPDATE ON ${table} FOR EACH STATEMENT`, refuse),
    ...trigger('no_delete', `DELETE ON ${table} FOR EACH ROW`, refuseDelete),
    ...trigger('no_truncate', `TRUNCATE ON ${table} FOR EACH STATEMENT`, refuse),
  ];
}

function postgresFunction(name: string, body: string): string {
  return `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ BEGIN ${body} END $$`;
}

function sqliteTriggers({ name, deletable, unique = [] }: AppendOnlyTable): string[] {
  const raise = `BEGIN SELECT RAISE(ABORT, '${name}: ${REFUSAL}'); END`;
  const covered = deletable && coveredBy(quoted(deletable.ranges), `OLD.${quoted(deletable.column)}`);
  const door = covered === undefined ? '' : `WHEN NOT EXISTS (${covered}) `;
  const same = unique.map(
    (column) => `EXISTS (SELECT 1 FROM ${quoted(name)} WHERE ${quoted(column)} = NEW.${quoted(column)})`,
  );
  const replace = `CREATE TRIGGER ${quoted(`${name}_no_replace`)} BEFORE INSERT ON ${quoted(name)} WHEN ${same.join(' OR ')} ${raise}`;
  return [
    ...(same.length === 0 ? [] : [replace]),
    `CREATE TRIGGER ${quoted(`${name}_no_update`)} BEFORE UPDATE ON ${quoted(name)} ${raise}`,
    `CREATE TRIGGER ${quoted(`${name}_no_delete`)} BEFORE DELETE ON ${quoted(name)} ${door}${raise}`,
  ];
}

function coveredBy(ranges: string, value: string): string {
  return `SELECT 1 FROM ${ranges} WHERE ${value} BETWEEN from_seq AND to_seq`;
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
