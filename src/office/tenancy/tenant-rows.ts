import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/** The setting that the row-level security policies of the migration compare each row with. */
export const TENANT_SETTING = 'sallyport.tenant';

/**
 * The only way from a service to the rows of a tenant. Every query names the tenant in its `where`; on PostgreSQL the
 * database is told as well, and row-level security hides everything else from a query that forgot to.
 */
@Injectable()
export class TenantRows {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Runs `work` for one tenant.
   *
   * On PostgreSQL it is one transaction, because the setting must end with it: the connection returns to a pool. On
   * SQLite it is none, because all callers share one connection and would end up inside each other's transaction; a
   * service therefore changes rows with single statements.
   */
  run<T>(tenant: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    if (this.dataSource.options.type !== 'postgres') return work(this.dataSource.manager);
    return this.dataSource.transaction(async (manager) => {
      await manager.query('SELECT set_config($1, $2, true)', [TENANT_SETTING, tenant]);
      return work(manager);
    });
  }
}
