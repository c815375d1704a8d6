import { Injectable } from '@nestjs/common';
import { AuditTrail } from '@sallyport/mcp';
import {
  Args,
  enableTenantRows,
  grantRows,
  McpTool,
  scopeToTenant,
  Tenancy,
  TenancyError,
  tenantOwned,
  type ScopeOptions,
} from 'sallyport';
import {
  DataSource,
  EntitySchema,
  type DataSourceOptions,
  type EntityManager,
  type MigrationInterface,
} from 'typeorm';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { toolCall } from './support/messages.js';
import { TestServer } from './support/server.js';
import { plantCanaries, rowsOf, tenantDatabase, type TenantDatabase } from './support/tenant-database.js';
import { Book, LINKS, OWNED_TABLES } from './support/tenant-entities.js';

/** What a handler may do to its connection before it ends. Each fails in another way. */
const MISHAPS: Readonly<Record<string, (dataSource: DataSource) => Promise<unknown>>> = {
  'a statement fails': (dataSource) => dataSource.query('SELECT 1 / (amount - amount) FROM book'),
  'a constraint is violated': (dataSource) =>
    dataSource.manager.insert(Book, { id: 'globex-1', title: 'x', amount: 1 }),
  'a statement takes too long': (dataSource) => dataSource.query('SELECT pg_sleep(5) FROM book'),
  'a transaction fails': (dataSource) =>
    dataSource.transaction(async (manager) => {
      await manager.find(Book);
      throw new Error('a mishap');
    }),
  'a transaction is aborted': (dataSource) =>
    dataSource.transaction(async (manager) => {
      await manager.find(Book);
      await manager.query('SELECT 1 / 0').catch(() => undefined);
      await manager.find(Book);
    }),
  'an inner transaction fails': (dataSource) =>
    dataSource.transaction(async (manager) => {
      await manager.transaction((inner) => inner.query('SELECT 1 / 0 FROM book')).catch(() => undefined);
      const books = await manager.find(Book);
      if (books.length !== 2) throw new Error(`${books.length} books`);
    }),
  'a runner is released in a transaction': async (dataSource) => {
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.find(Book);
    await runner.rollbackTransaction();
    await runner.release();
  },
  'the connection is lost': (dataSource) =>
    dataSource.query('SELECT pg_terminate_backend(pg_backend_pid()) FROM book'),
};

@Injectable()
class Tools {
  constructor(private readonly dataSource: DataSource) {}

  @McpTool({
    name: 'mishap',
    description: 'Has one.',
    scopes: ['crm:write'],
    risk: 'write',
    input: z.object({ what: z.string() }),
  })
  async mishap(@Args('what') what: string) {
    await MISHAPS[what]?.(this.dataSource).catch(() => undefined);
    return 'it happened';
  }

  @McpTool({ name: 'titles', description: 'Titles of books.', scopes: ['crm:write'], risk: 'read' })
  async titles() {
    const books = await this.dataSource.getRepository(Book).find();
    return books.map(({ title }) => title).join(', ');
  }
}

interface Credentials {
  host: string;
  port: number;
  username: string;
  password: string;
  database: string;
}

const SERVER = { name: 'a test', version: '1', resource: 'https://mcp.example/mcp' };

class Unrecorded extends AuditTrail {
  record(): Promise<void> {
    return Promise.resolve();
  }
}

let database: TenantDatabase;

beforeAll(async () => {
  database = await tenantDatabase('PostgreSQL');
});
afterAll(async () => database.stop());
beforeEach(() => plantCanaries(database.admin));

async function connected(options: DataSourceOptions): Promise<DataSource> {
  return new DataSource(options).initialize();
}

describe('PostgreSQL, asked around the framework,', () => {
  let app: DataSource;

  beforeAll(async () => {
    // The same role and the same tables, and nothing of Sallyport in between.
    app = await connected({ ...database.options, entities: [] } as DataSourceOptions);
  });
  afterAll(async () => app.destroy());

  function asTenant<T>(tenant: string, statement: string): Promise<T> {
    return app.transaction(async (manager) => {
      await manager.query(`SELECT set_config('sallyport.tenant', $1, true)`, [tenant]);
      return manager.query(statement);
    });
  }

  it.each([...OWNED_TABLES, LINKS])('shows no row of %s to who names no tenant', async (table) => {
    expect(await app.query(`SELECT * FROM "${table}"`)).toEqual([]);
    expect(await asTenant('', `SELECT * FROM "${table}"`)).toEqual([]);
    expect(await asTenant('acme', `SELECT * FROM "${table}"`)).toHaveLength(table === LINKS ? 1 : 2);
  });

  it('changes and deletes the rows of the tenant alone', async () => {
    const before = await rowsOf(database.admin, 'globex');
    await asTenant('acme', `UPDATE "book" SET "title" = 'changed'`);
    await asTenant('acme', `DELETE FROM "book"`);
    expect(await rowsOf(database.admin, 'globex')).toEqual(before);
    expect((await rowsOf(database.admin, 'acme'))['book']).toEqual([]);
  });

  it.each([
    `INSERT INTO "note" ("id", "tenant", "title", "amount") VALUES ('n', 'globex', 'x', 1)`,
    `INSERT INTO "note" ("id", "tenant", "title", "amount") VALUES ('n', '', 'x', 1)`,
    `INSERT INTO "book_marks" ("bookId", "markId") VALUES ('acme-2', 'globex-1')`,
    `TRUNCATE "note"`,
    `ALTER TABLE "note" DISABLE ROW LEVEL SECURITY`,
    `DROP POLICY "tenant_rows" ON "note"`,
    `SET ROLE jobs`,
  ])('refuses %s', async (statement) => {
    await expect(asTenant('acme', statement)).rejects.toThrow(
      /row-level security|permission denied|must be owner/,
    );
    await expect(asTenant('', statement)).rejects.toThrow(
      /row-level security|permission denied|must be owner/,
    );
  });

  it('moves no row to another tenant', async () => {
    const moved = asTenant('acme', `UPDATE "note" SET "tenant" = 'globex'`);
    await expect(moved).rejects.toThrow('row-level security');
  });
});

describe('A pool of one connection', () => {
  let issuer: TestIssuer;
  let server: TestServer;

  beforeAll(async () => {
    issuer = await TestIssuer.start();
    const options = { ...database.options, poolSize: 1, extra: { statement_timeout: 500 } };
    server = await TestServer.start({
      issuer,
      providers: [Tools],
      database: options as DataSourceOptions,
    });
  });
  afterAll(async () => {
    await server.close();
    await issuer.stop();
  });

  /** Said in two parts, as the framework lets nobody else touch it. */
  const told = async () => {
    const dataSource = server.app.get(DataSource);
    const [row] = await dataSource.query<{ told: string | null }[]>(
      `SELECT current_setting('sallyport' || '.tenant', true) AS told`,
    );
    return row?.told ?? '';
  };

  async function titlesOf(tenant: string): Promise<string> {
    const token = await issuer.token({ tenant, scope: 'crm:write' });
    const { text } = await server.send({ token, ...toolCall('titles') });
    return text;
  }

  it.each(Object.keys(MISHAPS))('keeps nothing of a call in which %s', async (what) => {
    const token = await issuer.token({ tenant: 'acme', scope: 'crm:write' });
    const before = await rowsOf(database.admin, 'globex');
    const { text } = await server.send({ token, ...toolCall('mishap', { what }) });
    expect(text).toContain('it happened');
    expect(await told()).toBe('');
    expect(await titlesOf('globex')).toContain('globex secret');
    expect(await titlesOf('globex')).not.toContain('acme');
    expect(await titlesOf('acme')).not.toContain('globex');
    expect(await told()).toBe('');
    expect(await rowsOf(database.admin, 'globex')).toEqual(before);
  });

  it.each([
    ['its search_path', `SELECT set_config('search_path', 'pg_temp, public', false)`],
    ['how it reads texts', 'SET standard_conforming_strings = off'],
    ['whether it writes', 'SET default_transaction_read_only = on'],
    ['whether it heeds policies', 'SET row_security = off'],
    ['what a name means', 'CREATE TEMP TABLE book (LIKE public.book INCLUDING ALL)'],
  ])(
    'closes a connection of which something has changed %s, and serves from a new one',
    async (_what, sql) => {
      const dataSource = server.app.get(DataSource);
      const runner = dataSource.createQueryRunner();
      // The client of the driver is bound by nothing: what else could do this is refused.
      const client: { query(sql: string): Promise<unknown> } = await runner.connect();
      await client.query(sql);
      await runner.release();
      const before = await rowsOf(database.admin, 'globex');
      const write = server.app
        .get(Tenancy)
        .within('globex', { reason: 'a test' }, () =>
          dataSource.manager.insert(Book, { id: 'globex-9', title: 'new', amount: 1 }),
        );
      await expect(write).rejects.toMatchObject({ code: 'connection_changed' });
      expect(await rowsOf(database.admin, 'globex')).toEqual(before);
      expect(await titlesOf('globex')).toContain('globex secret');
    },
  );

  it('keeps nothing of a migration', async () => {
    const dataSource = server.app.get(DataSource);
    const changing: MigrationInterface = {
      name: 'Changing1700000000001',
      up: (runner) => runner.query('CREATE TEMP TABLE book (LIKE public.book)'),
      down: () => Promise.resolve(),
    };
    Object.assign(dataSource, { migrations: [changing] });
    await dataSource.runMigrations({ transaction: 'none' });
    expect(await titlesOf('acme')).toContain('acme canary');
  });

  it('lets a function of the application find the rows of whoever asks, and of nobody outside', async () => {
    const { admin } = database;
    await admin.query(
      `CREATE FUNCTION book_titles() RETURNS text LANGUAGE sql STABLE AS 'SELECT string_agg(title, '','') FROM book'`,
    );
    const dataSource = server.app.get(DataSource);
    const tenancy = server.app.get(Tenancy);
    const titles = async (manager: EntityManager) => {
      const [row] = await manager.query<{ titles: string | null }[]>('SELECT book_titles() AS titles');
      return row?.titles;
    };
    try {
      const seen = await dataSource.transaction(async (manager) => {
        const within = (tenant: string) =>
          tenancy.within(tenant, { reason: 'a test' }, async () => {
            await manager.find(Book);
            return titles(manager);
          });
        const globex = await within('globex');
        const nobody = await titles(manager);
        const acme = await tenancy.within('acme', { reason: 'a test' }, () => titles(manager));
        return { globex, nobody, acme };
      });
      expect(seen).toEqual({ globex: 'globex secret', nobody: null, acme: null });
      expect(await titles(dataSource.manager)).toBeNull();
    } finally {
      await admin.query('DROP FUNCTION book_titles()');
    }
  });

  it('refuses rows of every tenant without a role for that', async () => {
    const work = server.app
      .get(Tenancy)
      .acrossTenants({ reason: 'a test' }, () => server.app.get(DataSource).getRepository(Book).find());
    await expect(work).rejects.toMatchObject({ code: 'no_across_connection' });
  });

  it('refuses a transaction that is begun by hand, and a stream', async () => {
    const dataSource = server.app.get(DataSource);
    await expect(dataSource.query('BEGIN')).rejects.toThrow(TenancyError);
    const stream = server.app
      .get(Tenancy)
      .within('acme', { reason: 'a test' }, () => dataSource.createQueryBuilder(Book, 'b').stream());
    await expect(stream).rejects.toMatchObject({ code: 'unscopable' });
  });
});

describe('The boot on PostgreSQL', () => {
  async function problemsOf(options: Partial<DataSourceOptions>, scope?: ScopeOptions): Promise<string[]> {
    const dataSource = await connected({ ...database.options, ...options } as DataSourceOptions);
    try {
      await scopeToTenant(dataSource, scope);
      return [];
    } catch (error) {
      const problems = (error as { problems: { code: string; message: string }[] }).problems;
      for (const { message } of problems) expect(message).toMatch(/: .+\.$|\.$/);
      return [...new Set(problems.map(({ code }) => code))];
    } finally {
      await dataSource.destroy();
    }
  }

  it('takes tables that are in order', async () => {
    expect(await problemsOf({})).toEqual([]);
  });

  it.each<[string, string, string[], string[]]>([
    [
      'a table without row-level security',
      'row_security_off',
      ['ALTER TABLE note DISABLE ROW LEVEL SECURITY'],
      ['ALTER TABLE note ENABLE ROW LEVEL SECURITY'],
    ],
    [
      'a table that does not bind its owner',
      'row_security_off',
      ['ALTER TABLE note NO FORCE ROW LEVEL SECURITY'],
      ['ALTER TABLE note FORCE ROW LEVEL SECURITY'],
    ],
    [
      'a policy that shows all',
      'row_security_loose',
      ['CREATE POLICY loose ON note USING (true)'],
      ['DROP POLICY loose ON note'],
    ],
    [
      'a policy that shows all to the role alone',
      'row_security_loose',
      ['CREATE POLICY loose ON note FOR SELECT TO app USING (true)'],
      ['DROP POLICY loose ON note'],
    ],
    [
      'a policy that takes all',
      'row_security_loose',
      ['CREATE POLICY loose ON note FOR INSERT WITH CHECK (true)'],
      ['DROP POLICY loose ON note'],
    ],
    [
      'a policy with a way out',
      'row_security_loose',
      [
        `CREATE POLICY loose ON note USING (tenant = NULLIF(current_setting('sallyport.tenant', true), '') OR title = 'x')`,
      ],
      ['DROP POLICY loose ON note'],
    ],
    [
      'links with a policy that shows all',
      'row_security_loose',
      ['CREATE POLICY loose ON book_marks USING (true)'],
      ['DROP POLICY loose ON book_marks'],
    ],
    [
      'a table without a policy',
      'row_security_policy',
      ['ALTER POLICY tenant_rows ON note RENAME TO kept', 'ALTER POLICY kept ON note TO jobs'],
      ['ALTER POLICY kept ON note TO public', 'ALTER POLICY kept ON note RENAME TO tenant_rows'],
    ],
    [
      'a view with the rights of its owner',
      'row_security_view',
      ['CREATE VIEW notes AS SELECT * FROM note', 'GRANT SELECT ON notes TO app'],
      ['DROP VIEW notes'],
    ],
    [
      'a view over a view',
      'row_security_view',
      [
        'CREATE VIEW notes WITH (security_invoker) AS SELECT * FROM note',
        'CREATE VIEW titles AS SELECT title FROM notes',
        'GRANT SELECT (title) ON titles TO app',
      ],
      ['DROP VIEW titles', 'DROP VIEW notes'],
    ],
    [
      'a materialized view',
      'row_security_view',
      ['CREATE MATERIALIZED VIEW notes AS SELECT * FROM note', 'GRANT SELECT ON notes TO app'],
      ['DROP MATERIALIZED VIEW notes'],
    ],
    [
      'a function with the rights of its owner',
      'row_security_definer',
      [`CREATE FUNCTION notes() RETURNS SETOF note LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM note'`],
      ['DROP FUNCTION notes()'],
    ],
    [
      'a function with a body of SQL',
      'row_security_definer',
      [
        'CREATE FUNCTION notes() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM note; END',
      ],
      ['DROP FUNCTION notes()'],
    ],
    [
      'the right to TRUNCATE',
      'row_security_truncate',
      ['GRANT TRUNCATE ON note TO app'],
      ['REVOKE TRUNCATE ON note FROM app'],
    ],
    [
      'a child without policies',
      'row_security_off',
      ['CREATE TABLE old_note () INHERITS (note)'],
      ['DROP TABLE old_note'],
    ],
    [
      'a parent without policies',
      'row_security_off',
      [
        'CREATE TABLE all_notes (LIKE note)',
        'ALTER TABLE note INHERIT all_notes',
        'GRANT SELECT ON all_notes TO app',
      ],
      ['ALTER TABLE note NO INHERIT all_notes', 'DROP TABLE all_notes'],
    ],
    [
      'the right to make triggers',
      'row_security_truncate',
      ['GRANT TRIGGER ON note TO app'],
      ['REVOKE TRIGGER ON note FROM app'],
    ],
    [
      'a role that can make others',
      'row_security_role',
      ['ALTER ROLE app CREATEROLE'],
      ['ALTER ROLE app NOCREATEROLE'],
    ],
    [
      'a role that can run programs on the database server',
      'row_security_role',
      ['GRANT pg_execute_server_program TO app'],
      ['REVOKE pg_execute_server_program FROM app'],
    ],
    [
      'a role that begins as a tenant',
      'row_security_session',
      [`ALTER ROLE app SET sallyport.tenant = 'globex'`],
      ['ALTER ROLE app RESET sallyport.tenant'],
    ],
    [
      'a role that reads texts otherwise',
      'row_security_session',
      ['ALTER ROLE app SET standard_conforming_strings = off'],
      ['ALTER ROLE app RESET standard_conforming_strings'],
    ],
    [
      'a policy that compares the first letter',
      'row_security_loose',
      [
        `CREATE POLICY loose ON note USING (tenant::char(1) = NULLIF(current_setting('sallyport.tenant', true), '')::char(1))`,
      ],
      ['DROP POLICY loose ON note'],
    ],
    [
      'a role that owns a table',
      'row_security_owner',
      ['ALTER TABLE note OWNER TO app'],
      ['ALTER TABLE note OWNER TO sallyport'],
    ],
    [
      'a role that could become the owner',
      'row_security_owner',
      ['CREATE ROLE landlord', 'ALTER TABLE note OWNER TO landlord', 'GRANT landlord TO app'],
      ['ALTER TABLE note OWNER TO sallyport', 'DROP ROLE landlord'],
    ],
    [
      'a role with BYPASSRLS',
      'row_security_role',
      ['ALTER ROLE app BYPASSRLS'],
      ['ALTER ROLE app NOBYPASSRLS'],
    ],
    [
      'a role that could become one',
      'row_security_role',
      ['CREATE ROLE auditor BYPASSRLS', 'GRANT auditor TO app'],
      ['DROP ROLE auditor'],
    ],
    [
      'a table that is missing',
      'row_security_table',
      ['ALTER TABLE note RENAME TO lost'],
      ['ALTER TABLE lost RENAME TO note'],
    ],
  ])('refuses %s', async (_what, code, sabotage, repair) => {
    for (const statement of sabotage) await database.admin.query(statement);
    try {
      expect(await problemsOf({})).toContain(code);
    } finally {
      for (const statement of repair) await database.admin.query(statement);
    }
    expect(await problemsOf({})).toEqual([]);
  });

  it.each<[string, string[], string[]]>([
    [
      'a policy that only takes away',
      [`CREATE POLICY strict ON note AS RESTRICTIVE USING (title <> 'x')`],
      ['DROP POLICY strict ON note'],
    ],
    [
      'a view with the rights of who asks',
      [
        'CREATE VIEW notes WITH (security_invoker = true) AS SELECT * FROM note',
        'GRANT SELECT ON notes TO app',
      ],
      ['DROP VIEW notes'],
    ],
    ['a view that the role cannot use', ['CREATE VIEW notes AS SELECT * FROM note'], ['DROP VIEW notes']],
    [
      'a function that it cannot call',
      [
        `CREATE FUNCTION notes() RETURNS SETOF note LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM note'`,
        'REVOKE EXECUTE ON FUNCTION notes() FROM public',
      ],
      ['DROP FUNCTION notes()'],
    ],
  ])('takes %s', async (_what, change, repair) => {
    for (const statement of change) await database.admin.query(statement);
    try {
      expect(await problemsOf({})).toEqual([]);
    } finally {
      for (const statement of repair) await database.admin.query(statement);
    }
  });

  it('refuses what shows rows of tenants without narrowing them: a view, and what is over that', async () => {
    const { admin } = database;
    await admin.query('CREATE VIEW notes WITH (security_invoker) AS SELECT * FROM note');
    await admin.query('CREATE VIEW long_notes WITH (security_invoker) AS SELECT * FROM notes');
    await admin.query('GRANT SELECT ON notes, long_notes TO app');
    const dataSource = await connected(database.options);
    try {
      await scopeToTenant(dataSource);
      for (const view of ['notes', 'public."long_notes"'])
        await expect(dataSource.query(`SELECT * FROM ${view}`)).rejects.toMatchObject({ code: 'unscopable' });
    } finally {
      await dataSource.destroy();
      await admin.query('DROP VIEW long_notes, notes');
    }
  });

  describe('with a replica', () => {
    const replicated = (replica: object) => {
      const { host, port, username, password, database: name } = { ...database.options } as Credentials;
      const master = { host, port, username, password, database: name };
      return { replication: { master, slaves: [{ ...master, ...replica }] } } as Partial<DataSourceOptions>;
    };
    const superuser = () => {
      const { username, password } = { ...database.admin.options } as Credentials;
      return { username, password };
    };

    it('takes one of the same role', async () => {
      expect(await problemsOf(replicated({}))).toEqual([]);
    });

    it('refuses one that no policy binds', async () => {
      expect(await problemsOf(replicated(superuser()))).toEqual(['row_security_role']);
    });

    it('reaches the rows of every tenant as the role that was named for it', async () => {
      const options = { ...database.options, ...replicated({}) } as DataSourceOptions;
      const dataSource = await connected(options);
      try {
        await scopeToTenant(dataSource, { across: { username: 'jobs', password: 'jobs-password' } });
        const books = () => dataSource.manager.find(Book);
        const tenancy = new Tenancy(new Unrecorded(), SERVER);
        expect(await tenancy.acrossTenants({ reason: 'a test' }, books)).toHaveLength(3);
        expect(await tenancy.within('acme', { reason: 'a test' }, books)).toHaveLength(2);
      } finally {
        await dataSource.destroy();
      }
    });
  });

  it('looks at each of two tables of one name', async () => {
    const { admin } = database;
    const columns = '(id varchar primary key, tenant varchar not null)';
    await admin.query('CREATE SCHEMA office; CREATE SCHEMA shop; GRANT USAGE ON SCHEMA office, shop TO app');
    await admin.query(`CREATE TABLE office.desk ${columns}; CREATE TABLE shop.desk ${columns}`);
    const runner = admin.createQueryRunner();
    await enableTenantRows(runner, 'shop.desk');
    await runner.release();
    const desk = (schema: string) =>
      tenantOwned(
        new EntitySchema({
          name: `${schema}_desk`,
          tableName: 'desk',
          schema,
          columns: { id: { type: 'varchar', primary: true }, tenant: { type: 'varchar' } },
        }),
      );
    try {
      const entities = [desk('office'), desk('shop')];
      expect(await problemsOf({ entities })).toEqual(['row_security_off', 'row_security_policy']);
    } finally {
      await admin.query('DROP SCHEMA office CASCADE; DROP SCHEMA shop CASCADE');
    }
  });

  it('keeps apart tenants that are uuids, of a table that counts', async () => {
    const { admin } = database;
    const [acme, globex] = ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'];
    await admin.query('CREATE TABLE parcel (id serial primary key, tenant uuid not null)');
    await admin.query('INSERT INTO parcel (tenant) VALUES ($1), ($2)', [acme, globex]);
    const runner = admin.createQueryRunner();
    await enableTenantRows(runner, 'parcel');
    await grantRows(runner, 'parcel', 'app');
    await runner.release();
    const parcel = tenantOwned(
      new EntitySchema<{ id: number; tenant: string }>({
        name: 'parcel',
        columns: { id: { type: 'int', primary: true, generated: 'increment' }, tenant: { type: 'uuid' } },
      }),
    );
    const dataSource = await connected({ ...database.options, entities: [parcel] } as DataSourceOptions);
    try {
      await scopeToTenant(dataSource);
      const tenancy = new Tenancy(new Unrecorded(), SERVER);
      const own = await tenancy.within(acme, { reason: 'a test' }, async () => {
        await dataSource.manager.insert(parcel, {});
        return dataSource.manager.find(parcel);
      });
      expect(own.map(({ tenant }) => tenant)).toEqual([acme, acme]);
    } finally {
      await dataSource.destroy();
      await admin.query('DROP TABLE parcel');
    }
  });

  it('takes the owner in development, when that is said, and no superuser', async () => {
    for (const table of [...OWNED_TABLES, LINKS])
      await database.admin.query(`ALTER TABLE "${table}" OWNER TO app`);
    const lenient = { dangerouslyAllowOwnerRole: true };
    const environment = process.env['NODE_ENV'];
    try {
      expect(await problemsOf({})).toEqual(['row_security_owner']);
      expect(await problemsOf({}, lenient)).toEqual([]);
      const superuser = database.admin.options as { username: string; password: string };
      expect(
        await problemsOf({ username: superuser.username, password: superuser.password }, lenient),
      ).toEqual(['row_security_role']);
      process.env['NODE_ENV'] = 'production';
      expect(await problemsOf({}, lenient)).toEqual(['tenancy_owner_role']);
    } finally {
      process.env['NODE_ENV'] = environment;
      for (const table of [...OWNED_TABLES, LINKS])
        await database.admin.query(`ALTER TABLE "${table}" OWNER TO sallyport`);
    }
  });

  it('stops the server', async () => {
    await database.admin.query('ALTER TABLE note DISABLE ROW LEVEL SECURITY');
    const issuer = await TestIssuer.start();
    try {
      const start = TestServer.start({ issuer, database: database.options });
      await expect(start).rejects.toThrow('row_security_off');
    } finally {
      await issuer.stop();
      await database.admin.query('ALTER TABLE note ENABLE ROW LEVEL SECURITY');
    }
  });

  it('refuses the query cache, which would answer one tenant with the rows of another', async () => {
    expect(await problemsOf({ cache: true })).toEqual(['tenancy_cache']);
  });
});
