import { Injectable } from '@nestjs/common';
import { Args, McpTool } from 'sallyport';
import { z } from 'zod';
import { CRM_STAGES, type CrmRecord } from './crm-record.entity.js';
import { CrmService } from './crm.service.js';

const one = z.object({ recordId: z.uuid() });

const record = z.object({
  recordId: z.uuid(),
  name: z.string(),
  company: z.string(),
  email: z.string(),
  stage: z.enum(CRM_STAGES),
  notes: z.string(),
});

const update = z
  .object({
    recordId: z.uuid(),
    name: z.string().min(1).max(200).optional(),
    company: z.string().min(1).max(200).optional(),
    email: z.email().max(320).optional(),
    stage: z.enum(CRM_STAGES).optional(),
    notes: z.string().max(10_000).optional(),
  })
  .refine((given) => Object.keys(given).length > 1, {
    error: 'Name at least one field to change.',
  });

const deleted = z.object({ recordId: z.uuid(), deleted: z.literal(true) });

@Injectable()
export class CrmTools {
  constructor(private readonly records: CrmService) {}

  @McpTool({
    name: 'crm_open_record',
    title: 'Open a customer record',
    description: 'Open one customer record by its id.',
    input: one,
    output: record,
    scopes: ['crm:read'],
    role: 'agent:read-only',
    risk: 'read',
    auditFields: ['recordId'],
  })
  async open(@Args() { recordId }: z.output<typeof one>): Promise<RecordView> {
    return shown(await this.records.open(recordId));
  }

  @McpTool({
    name: 'crm_update_record',
    title: 'Update a customer record',
    description: 'Change fields of one customer record; fields that are left out stay as they are.',
    input: update,
    output: record,
    scopes: ['crm:write'],
    role: 'agent:contributor',
    risk: 'write',
    auditFields: ['recordId', 'stage'],
  })
  async update(@Args() { recordId, ...changes }: z.output<typeof update>): Promise<RecordView> {
    return shown(await this.records.update(recordId, changes));
  }

  @McpTool({
    name: 'crm_delete_record',
    title: 'Delete a customer record',
    description: 'Delete one customer record for good.',
    input: one,
    output: deleted,
    scopes: ['crm:write'],
    role: 'agent:admin',
    risk: 'destructive',
    freshness: { maxAge: 15 * 60 },
    auditFields: ['recordId'],
  })
  async delete(@Args() { recordId }: z.output<typeof one>): Promise<z.output<typeof deleted>> {
    await this.records.delete(recordId);
    return { recordId, deleted: true };
  }
}

type RecordView = z.output<typeof record>;

function shown({ id, name, company, email, stage, notes }: CrmRecord): RecordView {
  return { recordId: id, name, company, email, stage, notes };
}
