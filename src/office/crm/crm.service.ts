import { Injectable, NotFoundException } from '@nestjs/common';
import { TenantRows } from '../tenancy/tenant-rows.js';
import { CrmRecord } from './crm-record.entity.js';

/** What of a record can be changed. */
export type CrmChanges = Partial<Pick<CrmRecord, 'name' | 'company' | 'email' | 'stage' | 'notes'>>;

/**
 * The records of one tenant. A record of another tenant is answered exactly as a missing one: nobody learns that it
 * exists.
 */
@Injectable()
export class CrmService {
  constructor(private readonly rows: TenantRows) {}

  async open(tenant: string, id: string): Promise<CrmRecord> {
    const record = await this.rows.run(tenant, (manager) => manager.findOneBy(CrmRecord, { id, tenant }));
    return record ?? noSuchRecord();
  }

  async update(tenant: string, id: string, changes: CrmChanges): Promise<CrmRecord> {
    const record = await this.rows.run(tenant, async (manager) => {
      await manager.update(CrmRecord, { id, tenant }, changes);
      return manager.findOneBy(CrmRecord, { id, tenant });
    });
    return record ?? noSuchRecord();
  }

  async delete(tenant: string, id: string): Promise<void> {
    const { affected } = await this.rows.run(tenant, (manager) => manager.delete(CrmRecord, { id, tenant }));
    if (affected !== 1) noSuchRecord();
  }
}

function noSuchRecord(): never {
  throw new NotFoundException('No such record.');
}
