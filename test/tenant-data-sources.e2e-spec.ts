import { Module } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { AuditTrail } from '@sallyport/mcp';
import { scopeToTenant, Tenancy, TenantOwned, tenantOwned, TenancyError } from 'sallyport';
import {
  Column,
  DataSource,
  Entity,
  EntitySchema,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type QueryRunner,
  Tree,
  TreeChildren,
  TreeParent,
  ViewColumn,
  ViewEntity,
} from 'typeorm';
import { TestIssuer } from './support/issuer.js';
import { newDatabaseFile, TestServer } from './support/server.js';
import { DATABASES, plantCanaries, tenantDatabase, type TenantDatabase } from './support/tenant-database.js';
import { Book, ENTITIES, Page } from './support/tenant-entities.js';

@Entity('folder')
@Tree('closure-table')
@TenantOwned()
class Folder {
  @PrimaryColumn({ type: 'varchar' })
  id!: string;

  @Column({ type: 'varchar' })
  tenant!: string;

  @TreeParent()
  parent!: Folder | null;

  @TreeChildren()
  children!: Folder[];
}

const homeless = tenantOwned(
  new EntitySchema({ name: 'homeless', columns: { id: { type: 'int', primary: true } } }),
);
const vague = tenantOwned(
  new EntitySchema({
    name: 'vague',
    columns: { id: { type: 'int', primary: true }, tenant: { type: 'varchar', nullable: true } },
  }),
);
/** Whose tenant is a column like this. */
const ownedBy = (name: string, tenant: { type: 'int' | 'character' | 'varchar'; collation?: string }) =>
  tenantOwned(new EntitySchema({ name, columns: { id: { type: 'int', primary: true }, tenant } }));
const numbered = ownedBy('numbered', { type: 'int' });
const padded = ownedBy('padded', { type: 'character' });
const lenient = ownedBy('lenient', { type: 'varchar', collation: 'NOCASE' });
const twin = new EntitySchema({
  name: 'twin',
  tableName: 'book',
  columns: { id: { type: 'varchar', primary: true } },
});

const SERVER = { name: 'a test', version: '1', resource: 'https://mcp.example/mcp' };

class Unrecorded extends AuditTrail {
  record(): Promise<void> {
    return Promise.resolve();
  }
}

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe('A second DataSource with rows of tenants', () => {
  const reports = () =>
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      name: 'reports',
      database: newDatabaseFile(),
      entities: ENTITIES,
      synchronize: true,
    });

  it('stops the boot when it is forgotten', async () => {
    await expect(TestServer.start({ issuer, imports: [reports()] })).rejects.toThrow('tenancy_data_source');
  });

  it('is scoped when it is named', async () => {
    const sallyport = { tenancy: { dataSources: { reports: {} } } };
    const server = await TestServer.start({ issuer, imports: [reports()], sallyport });
    const dataSource: DataSource = server.app.get(getDataSourceToken('reports'));
    await expect(dataSource.manager.find(Book)).rejects.toThrow(TenancyError);
    await server.close();
  });
});

describe('A provider that queries while it is made', () => {
  const codes: string[] = [];
  /** What came of a question: how many rows were seen, or why none. */
  const asked = async (work: () => Promise<unknown[]>) => {
    try {
      codes.push(`${(await work()).length} rows`);
    } catch (error) {
      codes.push(error instanceof TenancyError ? error.code : String(error));
    }
  };
  const asking = (work: (dataSource: DataSource) => Promise<unknown[]>) => ({
    provide: `ASKED ${String(work)}`,
    inject: [getDataSourceToken()],
    useFactory: (dataSource: DataSource) => asked(() => work(dataSource)),
  });

  beforeEach(() => {
    codes.length = 0;
  });

  describe.each(DATABASES)('on %s', (name) => {
    let database: TenantDatabase;

    beforeAll(async () => {
      database = await tenantDatabase(name);
      await plantCanaries(database.admin);
      await database.admin.query('CREATE VIEW titles AS SELECT title FROM book');
    });
    afterAll(async () => database.stop());

    it.each<[string, (dataSource: DataSource) => Promise<unknown[]>]>([
      ['a repository', (dataSource) => dataSource.getRepository(Book).find()],
      ['a statement', (dataSource) => dataSource.query('SELECT title FROM book')],
      ['a view', (dataSource) => dataSource.query('SELECT title FROM titles')],
      ['a runner of its own', (dataSource) => dataSource.createQueryRunner().manager.find(Book)],
    ])('reads no row by %s', async (_what, work) => {
      const providers = [asking(work)];
      const server = await TestServer.start({ issuer, database: database.options, providers });
      await server.close();
      expect(codes).toEqual(['not_scoped']);
    });

    it('reads no row in a module of its own either', async () => {
      @Module({
        imports: [TypeOrmModule.forFeature([Book])],
        providers: [asking((dataSource) => dataSource.getRepository(Book).find())],
      })
      class FeatureModule {}
      const server = await TestServer.start({ issuer, database: database.options, imports: [FeatureModule] });
      await server.close();
      expect(codes).toEqual(['not_scoped']);
    });

    it('reads what is everybody’s', async () => {
      const providers = [asking((dataSource) => dataSource.getRepository(Page).find())];
      const server = await TestServer.start({ issuer, database: database.options, providers });
      await server.close();
      expect(codes).toEqual(['1 rows']);
    });

    it('keeps a runner that is bound from then on', async () => {
      const held = {
        provide: 'HELD',
        inject: [getDataSourceToken()],
        useFactory: (dataSource: DataSource) => dataSource.createQueryRunner(),
      };
      const server = await TestServer.start({ issuer, database: database.options, providers: [held] });
      const runner: QueryRunner = server.app.get('HELD');
      await expect(runner.manager.find(Book)).rejects.toMatchObject({ code: 'no_call' });
      const read = () => runner.manager.find(Book);
      const own = await server.app.get(Tenancy).within('acme', { reason: 'a test' }, read);
      expect(own.map(({ tenant }) => tenant)).toEqual(['acme', 'acme']);
      await runner.release();
      await server.close();
    });
  });
});

describe('A DataSource that is initialized once the application is up', () => {
  const options = { type: 'better-sqlite3', entities: ENTITIES, synchronize: true } as const;

  it.each([
    [
      'by Nest',
      () => ({
        imports: [
          TypeOrmModule.forRoot({
            ...options,
            database: newDatabaseFile(),
            name: 'reports',
            manualInitialization: true,
          }),
        ],
      }),
    ],
    [
      'by a provider',
      () => ({
        providers: [
          {
            provide: getDataSourceToken('reports'),
            useFactory: () => new DataSource({ ...options, database: newDatabaseFile() }),
          },
        ],
      }),
    ],
  ])('is noticed, made %s, and answers nothing', async (_who, made) => {
    const database = { ...options, entities: [], database: newDatabaseFile() };
    const server = await TestServer.start({ issuer, database, ...made() });
    const dataSource: DataSource = server.app.get(getDataSourceToken('reports'));
    await expect(dataSource.initialize()).rejects.toThrow('tenancy_data_source');
    await expect(dataSource.manager.find(Book)).rejects.toMatchObject({ code: 'not_scoped' });
    await dataSource.destroy();
    await server.close();
  });
});

describe('A foreign key of the tenant and a key', () => {
  @TenantOwned()
  @Entity('rack')
  class Rack {
    @PrimaryColumn({ type: 'varchar' })
    id!: string;

    @PrimaryColumn({ type: 'varchar' })
    tenant!: string;
  }

  @TenantOwned()
  @Entity('box')
  class Box {
    @PrimaryColumn({ type: 'varchar' })
    id!: string;

    @Column({ type: 'varchar' })
    tenant!: string;

    @ManyToOne(() => Rack)
    @JoinColumn([
      { name: 'tenant', referencedColumnName: 'tenant' },
      { name: 'rackId', referencedColumnName: 'id' },
    ])
    rack!: Rack;
  }

  it('is moved within the tenant, and to no other', async () => {
    const dataSource = await new DataSource({
      type: 'better-sqlite3',
      database: ':memory:',
      entities: [Rack, Box],
      synchronize: true,
    }).initialize();
    await dataSource.manager.insert(Rack, [
      { id: 'r1', tenant: 'acme' },
      { id: 'r2', tenant: 'acme' },
      { id: 'r1', tenant: 'globex' },
    ]);
    await dataSource.manager.insert(Box, { id: 'b1', rack: { id: 'r1', tenant: 'acme' } });
    await scopeToTenant(dataSource);
    const tenancy = new Tenancy(new Unrecorded(), SERVER);
    const move = (to: { id: string; tenant: string }) =>
      tenancy.within('acme', { reason: 'a test' }, async () => {
        const box = await dataSource.manager.findOneByOrFail(Box, { id: 'b1' });
        await dataSource.manager.save(Object.assign(box, { rack: to }));
      });
    const rack = () =>
      tenancy.acrossTenants({ reason: 'a test' }, () => dataSource.query('SELECT tenant, "rackId" FROM box'));
    await move({ id: 'r2', tenant: 'acme' });
    expect(await rack()).toEqual([{ tenant: 'acme', rackId: 'r2' }]);
    await expect(move({ id: 'r1', tenant: 'globex' })).rejects.toMatchObject({ code: 'tenant_column' });
    expect(await rack()).toEqual([{ tenant: 'acme', rackId: 'r2' }]);
    await dataSource.destroy();
  });
});

describe('A marked view', () => {
  @TenantOwned()
  @ViewEntity({
    name: 'open_desk',
    expression: `SELECT 'd' AS id, 'acme' AS tenant UNION SELECT 'e', 'globex'`,
  })
  class OpenDesk {
    @ViewColumn()
    id!: string;

    @ViewColumn()
    tenant!: string;
  }

  it('is narrowed to the tenant', async () => {
    const dataSource = await new DataSource({
      type: 'better-sqlite3',
      database: ':memory:',
      entities: [OpenDesk],
      synchronize: true,
    }).initialize();
    await scopeToTenant(dataSource);
    const tenancy = new Tenancy(new Unrecorded(), SERVER);
    const desks = () => dataSource.manager.find(OpenDesk);
    expect(await tenancy.within('acme', { reason: 'a test' }, desks)).toEqual([{ id: 'd', tenant: 'acme' }]);
    await dataSource.destroy();
  });
});

describe('A DataSource that nobody could scope', () => {
  it.each([
    ['a tree', 'tenant_owned_tree', [Folder]],
    ['an entity without the column', 'tenant_column_missing', [homeless]],
    ['a tenant that can be null', 'tenant_column_nullable', [vague]],
    ['tenants as numbers', 'tenant_column_inexact', [numbered]],
    ['tenants with spaces at the end', 'tenant_column_inexact', [padded]],
    ['tenants whatever their case', 'tenant_column_inexact', [lenient]],
    ['an unmarked entity over the same table', 'tenant_owned_twice', [...ENTITIES, twin]],
  ])('is refused: %s', async (_what, code, entities) => {
    const dataSource = await new DataSource({
      type: 'better-sqlite3',
      database: ':memory:',
      entities,
    }).initialize();
    await expect(scopeToTenant(dataSource)).rejects.toThrow(code);
    await dataSource.destroy();
  });

  it('refuses a view in an attached database', async () => {
    const memo = tenantOwned(
      new EntitySchema({
        name: 'memo',
        database: newDatabaseFile(),
        columns: { id: { type: 'varchar', primary: true }, tenant: { type: 'varchar' } },
      }),
    );
    const dataSource = await new DataSource({
      type: 'better-sqlite3',
      database: newDatabaseFile(),
      entities: [memo],
    }).initialize();
    const [attached] = await dataSource.query<{ name: string }[]>(
      `SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')`,
    );
    const schema = attached?.name ?? '';
    await dataSource.query(`CREATE TABLE "${schema}".memo (id varchar, tenant varchar)`);
    await dataSource.query(`CREATE VIEW "${schema}".memos AS SELECT * FROM memo`);
    await scopeToTenant(dataSource);
    await expect(dataSource.query('SELECT * FROM memos')).rejects.toMatchObject({ code: 'unscopable' });
    await dataSource.destroy();
  });

  it('refuses views and search indexes over rows of tenants, and what is over those', async () => {
    const dataSource = await new DataSource({
      type: 'better-sqlite3',
      database: ':memory:',
      entities: ENTITIES,
      synchronize: true,
    }).initialize();
    await dataSource.query('CREATE VIEW titles AS SELECT title FROM book');
    await dataSource.query('CREATE VIEW long_titles AS SELECT title FROM titles');
    await dataSource.query(`CREATE VIRTUAL TABLE search USING fts5(title, content='book')`);
    await dataSource.query('CREATE VIRTUAL TABLE help USING fts5(title)');
    await scopeToTenant(dataSource);
    await expect(dataSource.query('SELECT * FROM help')).resolves.toEqual([]);
    for (const view of ['titles', 'long_titles', 'search', 'search_data'])
      await expect(dataSource.query(`SELECT * FROM ${view}`)).rejects.toMatchObject({ code: 'unscopable' });
    await dataSource.destroy();
  });
});
