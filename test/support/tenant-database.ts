import { randomUUID } from 'node:crypto';
import { enableTenantLinks, enableTenantRows, grantRows } from 'sallyport';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { startPostgres, type RunningPostgres } from './postgres.js';
import { newDatabaseFile } from './server.js';
import { ENTITIES, LINKS, OWNED_TABLES } from './tenant-entities.js';

/** A database with canaries of two tenants: `acme-1`, `acme-2` and `globex-1` in each table, and links between them. */
export interface TenantDatabase {
  /** For the server: as a role that row-level security binds. */
  readonly options: DataSourceOptions;
  /** Bound by nothing, and scoped by nothing. */
  readonly admin: DataSource;
  stop(): Promise<void>;
}

export const DATABASES = ['SQLite', 'PostgreSQL'] as const;
export type DatabaseName = (typeof DATABASES)[number];

export async function tenantDatabase(name: DatabaseName): Promise<TenantDatabase> {
  return name === 'SQLite' ? sqlite() : postgres(await startPostgres());
}

async function sqlite(): Promise<TenantDatabase> {
  const options = { type: 'better-sqlite3', database: newDatabaseFile(), entities: ENTITIES } as const;
  const admin = await new DataSource({ ...options, enableWAL: true }).initialize();
  await admin.synchronize();
  return { options, admin, stop: () => admin.destroy() };
}

async function postgres(server: RunningPostgres): Promise<TenantDatabase> {
  const owner = await server.createDatabase(`tenants_${randomUUID().slice(0, 8)}`);
  const admin = await new DataSource({ ...owner, entities: ENTITIES }).initialize();
  await admin.synchronize();
  await admin.query(`CREATE ROLE jobs LOGIN PASSWORD 'jobs-password'`);
  await admin.query(`CREATE ROLE app LOGIN PASSWORD 'app-password'`);
  await admin.query('GRANT USAGE, CREATE ON SCHEMA public TO app');
  await secure(admin);
  const stop = async () => {
    await admin.destroy();
    await server.stop();
  };
  const options = { ...owner, username: 'app', password: 'app-password', entities: ENTITIES };
  return { options, admin, stop };
}

/** What a migration would do. */
async function secure(admin: DataSource): Promise<void> {
  const runner = admin.createQueryRunner();
  for (const table of OWNED_TABLES)
    await enableTenantRows(runner, table, {
      column: table === 'mark' ? 'workspace_id' : 'tenant',
      across: 'jobs',
    });
  await enableTenantLinks(runner, LINKS, { columns: { bookId: 'book', markId: 'mark' }, across: 'jobs' });
  for (const table of [...OWNED_TABLES, LINKS, 'page'])
    for (const role of ['app', 'jobs']) await grantRows(runner, table, role);
  await runner.release();
}

/** Puts the canaries back. */
export async function plantCanaries(admin: DataSource): Promise<void> {
  for (const table of [LINKS, 'book', 'mark', 'paper', 'note', 'shelf', 'page'])
    await admin.query(`DELETE FROM "${table}"`);
  for (const table of OWNED_TABLES) {
    const column = table === 'mark' ? 'workspace_id' : 'tenant';
    const [kind, letter] = table === 'paper' ? [', "kind"', `, 'letter'`] : ['', ''];
    await admin.query(
      `INSERT INTO "${table}" ("id", "${column}", "title", "amount"${kind}) VALUES ` +
        `('acme-1', 'acme', 'acme canary', 5${letter}), ('acme-2', 'acme', 'acme canary', 6${letter}), ` +
        `('globex-1', 'globex', 'globex secret', 1000${letter})`,
    );
  }
  await admin.query(`INSERT INTO "page" ("id") VALUES ('page-1')`);
  await admin.query(`UPDATE "book" SET "shelfId" = "id"`);
  await admin.query(
    `INSERT INTO "book_marks" ("bookId", "markId") VALUES ('acme-1', 'acme-1'), ('globex-1', 'globex-1')`,
  );
}

/** All that the database holds of one tenant, links included. */
export async function rowsOf(admin: DataSource, tenant: string): Promise<Record<string, unknown[]>> {
  const all: Record<string, unknown[]> = {};
  for (const table of OWNED_TABLES) {
    const column = table === 'mark' ? 'workspace_id' : 'tenant';
    all[table] = await admin.query(`SELECT * FROM "${table}" WHERE "${column}" = '${tenant}' ORDER BY "id"`);
  }
  all[LINKS] = await admin.query(
    `SELECT * FROM "book_marks" WHERE "bookId" LIKE '${tenant}%' OR "markId" LIKE '${tenant}%' ORDER BY 1, 2`,
  );
  return all;
}
