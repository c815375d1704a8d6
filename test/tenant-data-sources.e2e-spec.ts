import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { scopeToTenant, TenantOwned, tenantOwned, TenancyError } from 'sallyport';
import {
  Column,
  DataSource,
  Entity,
  EntitySchema,
  PrimaryColumn,
  Tree,
  TreeChildren,
  TreeParent,
} from 'typeorm';
import { TestIssuer } from './support/issuer.js';
import { newDatabaseFile, TestServer } from './support/server.js';
import { Book, ENTITIES } from './support/tenant-entities.js';

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
