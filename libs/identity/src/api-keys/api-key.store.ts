import type { Store, StoreTables } from '@sallyport/store';
import { IsNull, LessThan, Or, type EntityMetadata } from 'typeorm';
import { apiKeyEntity, ApiKeyRecord } from './api-key-record.entity.js';
import { CreateSallyportApiKeys1790000000200 } from './create-api-keys.migration.js';

export const API_KEY_TABLES: StoreTables = {
  entities: (dialect) => [apiKeyEntity(dialect)],
  migrations: [CreateSallyportApiKeys1790000000200],
};

/** The newest are enough for a person to read. */
const MOST_LISTED = 1000;

/** The rows of the keys. Every change is one statement. */
export class ApiKeyStore {
  private readonly select: string;
  private readonly columns: EntityMetadata['columns'];

  constructor(private readonly store: Store) {
    const { driver } = store.dataSource;
    const { tablePath, columns } = store.dataSource.getMetadata(ApiKeyRecord);
    const names = columns.map(({ databaseName }) => driver.escape(databaseName));
    const table = tablePath.split('.').map((part) => driver.escape(part));
    this.columns = columns;
    // Asked with every call, so written once: a query builder costs more than the database does.
    this.select = `SELECT ${names.join(',')} FROM ${table.join('.')} WHERE ${driver.escape('id')} = ${driver.createParameter('id', 0)}`;
  }

  /** By primary key. Nothing is cached: what another process changed holds for the next call. */
  async find(id: string): Promise<ApiKeyRecord | undefined> {
    const [row] = await this.store.run((manager) =>
      manager.query<Record<string, unknown>[]>(this.select, [id]),
    );
    return row && this.recordOf(row);
  }

  async add(record: ApiKeyRecord): Promise<void> {
    await this.store.run((manager) => manager.insert(ApiKeyRecord, record));
  }

  /** The newest first. `tenant` undefined: of all tenants; null: of none. */
  list(tenant: string | null | undefined): Promise<ApiKeyRecord[]> {
    const where = tenant === undefined ? {} : { tenant: tenant ?? IsNull() };
    return this.store.run((manager) =>
      manager.find(ApiKeyRecord, { where, order: { issuedAt: 'DESC', id: 'ASC' }, take: MOST_LISTED }),
    );
  }

  ofSeries(series: string): Promise<ApiKeyRecord[]> {
    return this.store.run((manager) => manager.findBy(ApiKeyRecord, { series }));
  }

  /** Ends a key at `at`, or says that another did so before. */
  revoke(id: string, at: number): Promise<boolean> {
    return this.change({ id, revokedAt: IsNull() }, { revokedAt: at });
  }

  /** Gives a key a successor, and an end at `expiresAt`; not one that was revoked or has a successor already. */
  supersede(id: string, replacedBy: string, expiresAt: number): Promise<boolean> {
    return this.change({ id, revokedAt: IsNull(), replacedBy: IsNull() }, { replacedBy, expiresAt });
  }

  /** Notes a use, unless a later one is noted already. */
  async noteUse(id: string, lastUsedAt: number, lastUsedEntry: string): Promise<void> {
    await this.change({ id, lastUsedAt: Or(IsNull(), LessThan(lastUsedAt)) }, { lastUsedAt, lastUsedEntry });
  }

  private async change(
    where: Parameters<ReturnType<Store['dataSource']['getRepository']>['update']>[0],
    changes: Partial<ApiKeyRecord>,
  ): Promise<boolean> {
    const { affected } = await this.store.run((manager) => manager.update(ApiKeyRecord, where, changes));
    return affected === 1;
  }

  private recordOf(row: Readonly<Record<string, unknown>>): ApiKeyRecord {
    const { driver } = this.store.dataSource;
    const record = new ApiKeyRecord();
    for (const column of this.columns)
      column.setEntityValue(record, driver.prepareHydratedValue(row[column.databaseName], column));
    return record;
  }
}
