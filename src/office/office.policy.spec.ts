import type { McpToolOptions } from 'sallyport';
import { officeEntries } from '../../test/support/office-entries.js';
import { MailTools } from './mail/mail.tools.js';
import { OnlyPeople } from './mail/only-people.rule.js';
import { OFFICE_ROLES, OFFICE_SCOPES, OFFICE_SCOPE_HIERARCHY } from './office.policy.js';

const entries = officeEntries();

function inputOf(name: string) {
  const schema = entries.find(({ options }) => options.name === name)?.options.input;
  if (schema === undefined) throw new Error(`${name} has no input.`);
  return schema['~standard'];
}

describe('the policy of the office', () => {
  it.each([
    ['docs_search', 'public', undefined, 'read'],
    ['docs_page', 'public', undefined, 'read'],
    ['crm_open_record', 'crm:read', 'agent:read-only', 'read'],
    ['crm_compare_records', 'crm:read', 'agent:read-only', 'read'],
    ['crm_record', 'crm:read', 'agent:read-only', 'read'],
    ['crm_update_record', 'crm:write', 'agent:contributor', 'write'],
    ['crm_delete_record', 'crm:write', 'agent:admin', 'destructive'],
    ['mail_list_unread', 'email:read', 'agent:read-only', 'read'],
    ['mail_send', 'email:send', 'agent:contributor', 'external'],
    ['calendar_list_events', 'calendar:read', 'agent:read-only', 'read'],
    ['calendar_create_event', 'calendar:write', 'agent:contributor', 'write'],
    ['tasks_list', 'tasks:write', 'agent:read-only', 'read'],
    ['tasks_create', 'tasks:write', 'agent:contributor', 'write'],
    ['tickets_read', 'tickets:read', 'agent:read-only', 'read'],
    ['tickets_watch', 'tickets:read', 'agent:read-only', 'read'],
    ['tickets_draft_reply', 'tickets:write', 'agent:contributor', 'write'],
    ['triage', 'tickets:read', 'agent:read-only', 'read'],
    ['plan_day', 'calendar:read|email:read', 'agent:read-only', 'read'],
  ])('%s asks for %s and %s; its risk is %s', (name, scope, role, risk) => {
    const { options } = entries.find((entry) => entry.options.name === name) ?? {};
    expect(options?.public === true ? 'public' : scopesOf(options ?? {}).join('|')).toBe(scope);
    expect(options?.role).toBe(role);
    expect(options?.risk ?? 'read').toBe(risk);
  });

  it.each([
    ['crm_compare_records', { argument: 'records.tenant' }],
    ['crm_record', { argument: 'tenant' }],
  ])('%s binds the tenant that it is given to that of the caller', (name, tenancy) => {
    expect(entries.find((entry) => entry.options.name === name)?.options.tenancy).toEqual(tenancy);
  });

  it('takes no tenant anywhere else', () => {
    const bound = entries.filter(({ options }) => options.tenancy !== undefined);
    expect(bound.map(({ options }) => options.name).toSorted()).toEqual([
      'crm_compare_records',
      'crm_record',
    ]);
  });

  it('has no other entry', () => {
    expect(entries).toHaveLength(18);
  });

  it('asks for a fresh sign-in before anything is deleted', () => {
    const deleting = entries.find(({ options }) => options.name === 'crm_delete_record');
    expect(deleting?.options.freshness).toEqual({ maxAge: 900 });
  });

  it('keeps mail to people', () => {
    expect(Reflect.getMetadata('sallyport:class-policy', MailTools)).toEqual({ when: OnlyPeople });
  });

  it('lists exactly the scopes that entries ask for', () => {
    const asked = new Set(entries.flatMap(({ options }) => scopesOf(options)));
    expect([...asked].toSorted()).toEqual([...OFFICE_SCOPES].toSorted());
  });

  it('arranges only scopes and roles that exist', () => {
    const scopes = Object.entries(OFFICE_SCOPE_HIERARCHY).flat(2);
    expect(OFFICE_SCOPES).toEqual(expect.arrayContaining(scopes));
    const roles = new Set(entries.flatMap(({ options }) => options.role ?? []));
    expect([...new Set(Object.entries(OFFICE_ROLES).flat(2))].toSorted()).toEqual([...roles].toSorted());
  });

  it('stores only arguments in the clear that the entry has', () => {
    for (const { options } of entries) {
      const { properties } = options.input?.['~standard'].jsonSchema.input({ target: 'draft-2020-12' }) ?? {};
      expect(Object.keys(properties ?? {})).toEqual(expect.arrayContaining([...(options.auditFields ?? [])]));
    }
  });
});

/** What an entry asks for, each alternative by itself. */
function scopesOf({ scopes }: Pick<McpToolOptions, 'scopes'>): readonly string[] {
  if (scopes === undefined) return [];
  const requirements = 'anyOf' in scopes ? [scopes] : scopes;
  return requirements.flatMap((each) => (typeof each === 'string' ? each : each.anyOf));
}

describe('the inputs of the office', () => {
  const id = 'd75595e1-9ba8-48c0-bd6e-7b5e5a787dc2';
  const mail = { to: ['hannah@weiss-logistics.example'], subject: 'Terms', body: 'Attached.' };
  const event = { title: 'Lunch', startsAt: '2030-01-02T12:00:00Z', endsAt: '2030-01-02T13:00:00+01:00' };

  it.each<[string, object, object]>([
    ['docs_search', { query: 'audit' }, { query: 'audit', limit: 5 }],
    ['crm_open_record', { recordId: id, tenant: 'globex' }, { recordId: id }],
    ['crm_update_record', { recordId: id, stage: 'lead' }, { recordId: id, stage: 'lead' }],
    ['crm_record', { tenant: 'acme', recordId: id }, { tenant: 'acme', recordId: id }],
    ['mail_send', mail, mail],
    ['calendar_list_events', {}, {}],
    ['calendar_create_event', { ...event, endsAt: '2030-01-02T13:00:01+01:00' }, { attendees: [] }],
    ['tasks_create', { title: 'Call', due: '2030-01-02' }, { title: 'Call' }],
    ['tickets_read', {}, {}],
  ])('%s takes %j', async (name, given, read) => {
    expect(await inputOf(name).validate(given)).toEqual({ value: expect.objectContaining(read) });
  });

  it.each<[string, object]>([
    ['docs_search', { query: '' }],
    ['docs_search', { query: 'x'.repeat(201) }],
    ['docs_search', { query: 'audit', limit: 21 }],
    ['docs_page', { slug: '../secrets' }],
    ['crm_open_record', { recordId: '1' }],
    ['crm_record', { tenant: 'acme', recordId: '../7' }],
    ['crm_compare_records', { records: [{ tenant: 'acme', recordId: id }] }],
    ['crm_compare_records', { records: [{ recordId: id }, { recordId: id }] }],
    ['crm_update_record', { recordId: id }],
    ['crm_update_record', { recordId: id, tenant: 'globex' }],
    ['crm_update_record', { recordId: id, stage: 'vip' }],
    ['mail_send', { ...mail, to: [] }],
    ['mail_send', { ...mail, to: ['everyone'] }],
    ['mail_send', { ...mail, subject: 'Terms\r\nBcc: all@acme.example' }],
    ['calendar_list_events', { from: 'tomorrow' }],
    ['calendar_create_event', event],
    ['calendar_create_event', { ...event, endsAt: '2030-01-02T11:00:00Z' }],
    ['tasks_create', { title: 'Call', due: '2030-02-30' }],
    ['tickets_read', { ticketId: '7' }],
  ])('%s refuses %j', async (name, given) => {
    expect(await inputOf(name).validate(given)).toHaveProperty('issues');
  });
});
