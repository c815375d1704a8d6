import { Store, StoreSetupError, type StoreSettings } from '@sallyport/store';
import type { DataSource, DataSourceOptions, EntityMetadata, Repository } from 'typeorm';

import { AuditRecord, type NewAuditRecord } from './audit-record.entity.js';
import { AUDIT_STORE, AUDIT_TABLES } from './audit-tables.js';
import { AuditSetupError } from './audit.errors.js';
import type { AuditProtection } from './audit.options.js';
import { keyWarnings } from './keyed/key-warnings.js';
import { PersonKeys } from './keyed/person-keys.js';
import { privilegeFindings } from './privileges/privilege-findings.js';

/** Readers wait for each other; beyond a statement timeout they are told so. */
const READING_POOL_SIZE = 2;

/** SQLite has one connection, whose statements are not interrupted by others anyway. */
async function openReading(
  store: Store,
  database: DataSourceOptions,
  settings: StoreSettings,
): Promise<Store> {
  if (store.dataSource.options.type !== 'postgres') return store;
  const name = { ...AUDIT_STORE, applicationName: 'sallyport-audit-reader' };
  return Store.open(database, name, [AUDIT_TABLES], {
    ...settings,
    migrations: 'check',
    poolSize: READING_POOL_SIZE,
  });
}

/** The tables of the audit: a store of its own, so that nothing else holds up a record. */
export class AuditStore {
  /** All but the number, which is the database's to give. */
  private readonly columns: EntityMetadata['columns'];
  private readonly statements = new Map<number, string>();

  private constructor(
    /** Of these tables, for what else belongs to the audit, such as its log. */
    readonly store: Store,
    /** For whoever reads: on PostgreSQL connections of its own, so that no record waits for them. */
    private readonly reading: Store,
    /** Of the people whom the records name. */
    readonly keys: PersonKeys,
    /** What makes the records easier to change or to read than they should be, in sentences. Empty: nothing. */
    readonly protectionWarnings: readonly string[],
  ) {
    this.columns = this.metadata.columns.filter((column) => !column.isGenerated);
  }

  /**
   * Connects and brings the tables up to date, or checks that they are.
   *
   * @throws {AuditSetupError} when the database cannot be reached or lacks tables.
   */
  static async open(
    database: DataSourceOptions,
    settings: StoreSettings & AuditProtection,
  ): Promise<AuditStore> {
    try {
      const store = await Store.open(database, AUDIT_STORE, [AUDIT_TABLES], settings);
      return await AuditStore.protect(store, database, settings);
    } catch (error) {
      throw error instanceof StoreSetupError ? new AuditSetupError(error.message) : error;
    }
  }

  /** Closes the store again when it may not be used as it is. */
  private static async protect(
    store: Store,
    database: DataSourceOptions,
    settings: StoreSettings & AuditProtection,
  ): Promise<AuditStore> {
    try {
      const protection: AuditProtection = settings;
      const keys = new PersonKeys(store, protection);
      const warnings = [
        ...(await keyWarnings(keys, protection)),
        ...(await privilegeFindings(store.dataSource, protection.privileges ?? 'warn')),
      ];
      return new AuditStore(store, await openReading(store, database, settings), keys, warnings);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Of the audit alone. */
  get dataSource(): DataSource {
    return this.store.dataSource;
  }

  /** What is read with, never written. For its connections: records are read by {@link read}. */
  get readingSource(): DataSource {
    return this.reading.dataSource;
  }

  /**
   * Does what is one statement, and only reads. Like every statement here it ends in time, whatever the network does: a
   * reader must not wait for ever behind a connection on which nothing comes back.
   *
   * @example
   * const newest = await store.read((records) => records.maximum('seq'));
   */
  read<T>(work: (records: Repository<AuditRecord>) => Promise<T>): Promise<T> {
    return this.reading.run((manager) => work(manager.getRepository(AuditRecord)));
  }

  /** What makes the records less durable than they should be, in sentences. Empty: nothing. */
  get warnings(): readonly string[] {
    return this.store.warnings;
  }

  /** Adds the records in one statement, which is a transaction by itself: all of them or none. */
  async insert(records: readonly NewAuditRecord[]): Promise<void> {
    const parameters: unknown[] = [];
    for (const record of records)
      for (const column of this.columns) parameters.push(column.getEntityValue(record));
    await this.store.query(this.statementFor(records.length), parameters);
  }

  async close(): Promise<void> {
    await this.store.close();
    if (this.reading !== this.store) await this.reading.close();
  }

  /** Written here, not by a query builder: that one puts numbers into the text, and no two statements are the same. */
  private statementFor(count: number): string {
    const known = this.statements.get(count);
    if (known !== undefined) return known;
    const statement = this.writeStatement(count);
    this.statements.set(count, statement);
    return statement;
  }

  private writeStatement(count: number): string {
    const { driver } = this.dataSource;
    const table = this.metadata.tablePath.split('.').map((part) => driver.escape(part));
    const columns = this.columns.map((column) => driver.escape(column.databaseName));
    const rows = Array.from({ length: count }, (_, row) => {
      const cells = columns.map((name, cell) => driver.createParameter(name, row * columns.length + cell));
      return `(${cells.join(',')})`;
    });
    return `INSERT INTO ${table.join('.')} (${columns.join(',')}) VALUES ${rows.join(',')}`;
  }

  private get metadata() {
    return this.dataSource.getMetadata(AuditRecord);
  }
}
