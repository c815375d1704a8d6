import { DataSource, type DataSourceOptions } from 'typeorm';

/** From now on this statement fails, as with a disk that is full or a right that was taken away. */
export async function failing(
  database: DataSourceOptions,
  on: 'INSERT' | 'UPDATE' | 'DELETE',
  table: string,
  when: string,
): Promise<() => Promise<void>> {
  const owner = await new DataSource(database).initialize();
  const isPostgres = database.type === 'postgres';
  if (isPostgres) {
    await owner.query(
      `CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = 'disk_full'; END $$`,
    );
    await owner.query(
      `CREATE TRIGGER fails BEFORE ${on} ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION fails()`,
    );
  } else {
    await owner.query(
      `CREATE TRIGGER fails BEFORE ${on} ON ${table} WHEN ${when} BEGIN SELECT RAISE(ABORT, 'no space'); END`,
    );
  }
  return async () => {
    await owner.query(isPostgres ? `DROP FUNCTION fails() CASCADE` : 'DROP TRIGGER fails');
    await owner.destroy();
  };
}
