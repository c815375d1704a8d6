import type { Store } from '@sallyport/store';
import { MoreThan } from 'typeorm';
import { RevocationRecord } from './revocation-record.entity.js';

/** The history of revocations in the database, shared by every process. */
export class RevocationLog {
  readonly #count: string;

  constructor(private readonly store: Store) {
    const { driver } = store.dataSource;
    const { tablePath } = store.dataSource.getMetadata(RevocationRecord);
    const table = tablePath.split('.').map((part) => driver.escape(part));
    // Asked with every call, so written here once: building a query costs more than answering this one.
    this.#count = `SELECT COUNT(*) AS steps FROM ${table.join('.')} WHERE ${driver.escape('seq')} > ${driver.createParameter('seq', 0)}`;
  }

  async append(step: Omit<RevocationRecord, 'seq'>): Promise<void> {
    await this.store.run((manager) => manager.insert(RevocationRecord, step));
  }

  /** How many steps there are after one. */
  async countAfter(seq: number): Promise<number> {
    const [row] = await this.store.query<{ steps: number | string }>(this.#count, [seq]);
    return Number(row?.steps);
  }

  /** Every step after one, in order. */
  after(seq: number): Promise<RevocationRecord[]> {
    return this.store.run((manager) =>
      manager.find(RevocationRecord, { where: { seq: MoreThan(seq) }, order: { seq: 'ASC' } }),
    );
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
