import { Injectable } from '@nestjs/common';
import { Args, Caller, McpResource, McpTool, ResourceUpdates, type Principal } from 'sallyport';
import { z } from 'zod';
import { CRM_STAGES, type CrmRecord } from './crm-record.entity.js';
import { CrmService } from './crm.service.js';

const one = z.object({ recordId: z.uuid() });

/** How other systems of the company refer to a record. It is not what decides whose it is: that does the credential. */
const reference = z.object({ tenant: z.string().min(1).max(255), recordId: z.uuid() });

const several = z.object({ records: z.array(reference).min(2).max(5) });

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

const compared = z.object({ records: z.array(record) });

const deleted = z.object({ recordId: z.uuid(), deleted: z.literal(true) });

@Injectable()
export class CrmTools {
  constructor(
    private readonly records: CrmService,
    private readonly updates: ResourceUpdates,
  ) {}

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

  @McpResource({
    name: 'crm_record',
    title: 'Customer record',
    description: 'One customer record, for who follows its changes.',
    uri: 'crm://{tenant}/{recordId}',
    mimeType: 'application/json',
    input: reference,
    scopes: ['crm:read'],
    role: 'agent:read-only',
    tenancy: { argument: 'tenant' },
    auditFields: ['tenant', 'recordId'],
  })
  async read(@Args() { recordId }: z.output<typeof reference>): Promise<string> {
    return JSON.stringify(shown(await this.records.open(recordId)));
  }

  @McpTool({
    name: 'crm_compare_records',
    title: 'Compare customer records',
    description: 'Open several customer records side by side, by tenant and id.',
    input: several,
    output: compared,
    scopes: ['crm:read'],
    role: 'agent:read-only',
    risk: 'read',
    tenancy: { argument: 'records.tenant' },
    auditFields: ['records'],
  })
  async compare(@Args() { records }: z.output<typeof several>): Promise<z.output<typeof compared>> {
    const opened = await Promise.all(records.map(({ recordId }) => this.records.open(recordId)));
    return { records: opened.map(shown) };
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
  async update(
    @Args() { recordId, ...changes }: z.output<typeof update>,
    @Caller() caller: Principal,
  ): Promise<RecordView> {
    const updated = await this.records.update(recordId, changes);
    void this.updates.changed(uriOf(updated, caller));
    return shown(updated);
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
  async delete(
    @Args() { recordId }: z.output<typeof one>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof deleted>> {
    await this.records.delete(recordId);
    void this.updates.changed(uriOf({ id: recordId }, caller));
    return { recordId, deleted: true };
  }
}

type RecordView = z.output<typeof record>;

function shown({ id, name, company, email, stage, notes }: CrmRecord): RecordView {
  return { recordId: id, name, company, email, stage, notes };
}

/** The resource that a record is. Whoever follows it is asked again before they are told. */
function uriOf({ id }: Pick<CrmRecord, 'id'>, { tenant = '' }: Principal): string {
  return `crm://${tenant}/${id}`;
}
