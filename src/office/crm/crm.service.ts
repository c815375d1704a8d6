import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { CrmRecord } from './crm-record.entity.js';

/** What of a record can be changed. */
export type CrmChanges = Partial<Pick<CrmRecord, 'name' | 'company' | 'email' | 'stage' | 'notes'>>;

/**
 * The records of the caller's tenant: the rows are tenant-owned, so a record of another one is answered exactly as a
 * missing one, and nobody learns that it exists.
 */
@Injectable()
export class CrmService {
  constructor(@InjectRepository(CrmRecord) private readonly records: Repository<CrmRecord>) {}

  async open(id: string): Promise<CrmRecord> {
    return (await this.records.findOneBy({ id })) ?? noSuchRecord();
  }

  async update(id: string, changes: CrmChanges): Promise<CrmRecord> {
    await this.records.update({ id }, changes);
    return this.open(id);
  }

  async delete(id: string): Promise<void> {
    const { affected } = await this.records.delete({ id });
    if (affected !== 1) noSuchRecord();
  }
}

function noSuchRecord(): never {
  throw new NotFoundException('No such record.');
}
