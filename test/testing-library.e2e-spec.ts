import { readFileSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { RevocationService } from '@sallyport/policy';
import { ListRefused, policyMatrix, sallyportMatchers, signInTo, type SignIn } from '@sallyport/testing';
import {
  Args,
  AuditReader,
  Caller,
  McpPrompt,
  McpResource,
  McpTool,
  oidc,
  type PolicyRule,
  type Principal,
  type RuleQuestion,
} from 'sallyport';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { applicationModule, LogLines, Runs } from './support/server.js';

expect.extend(sallyportMatchers);

@Injectable()
class OwnRecords implements PolicyRule {
  permits({ principal, arguments: { recordId } }: RuleQuestion) {
    return recordId === `of-${principal.subject}` || 'the record belongs to somebody else';
  }
}

const one = z.object({ recordId: z.string() });

@Injectable()
class CrmTools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'crm_open',
    description: 'Opens.',
    input: one,
    scopes: ['crm:read'],
    role: 'agent:read-only',
    risk: 'read',
  })
  open(@Args('recordId') recordId: string, @Caller() caller: Principal) {
    this.runs.note('crm_open');
    return { recordId, by: caller.subject };
  }

  @McpTool({
    name: 'crm_close',
    description: 'Closes.',
    input: one,
    scopes: ['crm:write'],
    risk: 'write',
    when: OwnRecords,
    freshness: { maxAge: 600 },
  })
  close() {
    this.runs.note('crm_close');
    return 'closed';
  }

  @McpTool({ name: 'mail_send', description: 'Sends.', scopes: ['email:send'], risk: 'external' })
  send() {
    this.runs.note('mail_send');
    return 'sent';
  }

  @McpTool({ name: 'fails', description: 'Fails.', scopes: ['crm:read'], risk: 'read' })
  fails(): string {
    throw new Error('the handler failed');
  }

  @McpResource({ name: 'page', description: 'A page.', uri: 'docs://{slug}', public: true })
  page(@Args('slug') slug: string) {
    return `page ${slug}`;
  }

  @McpPrompt({ name: 'triage', description: 'Triage.', input: one, scopes: ['crm:read'] })
  triage(@Args('recordId') recordId: string) {
    return `Triage ${recordId}.`;
  }
}

const BY_TEST = { by: 'test', via: 'cli', address: undefined, actor: undefined } as const;
const runs = new Runs();
let app: TestingModule;
let as: SignIn;

beforeAll(async () => {
  const sallyport = { identity: [oidc({ issuer: 'https://id.example' })] };
  const module = applicationModule({ providers: [CrmTools, OwnRecords], sallyport }, runs);
  app = await Test.createTestingModule({ imports: [module] })
    .setLogger(new LogLines())
    .compile();
  as = signInTo(app);
});
afterAll(async () => app.close());
beforeEach(() => runs.names.splice(0));

const reader = { tenant: 'acme', roles: ['agent:read-only'], scopes: ['crm:read'] };
const writer = { tenant: 'acme', scopes: ['crm:write'], signedInSecondsAgo: 60, subject: 'ada' };

it('runs what is permitted, as the caller it was told of', async () => {
  const outcome = await as({ ...reader, subject: 'ada' }).call('crm_open', { recordId: '7' });
  expect(outcome).toBePermitted();
  expect(outcome.result).toMatchObject({ structuredContent: { recordId: '7', by: 'ada' } });
  expect(runs.names).toEqual(['crm_open']);
});

it('reads resources and gets prompts', async () => {
  const page = await as.anonymous().read('docs://welcome');
  expect(page).toBePermitted();
  expect(page.result).toMatchObject({ contents: [{ text: 'page welcome' }] });
  const prompt = await as(reader).prompt('triage', { recordId: '7' });
  expect(prompt.result).toMatchObject({ messages: [{ content: { text: 'Triage 7.' } }] });
});

it('permits what then fails in its handler, and shows what the caller is told of that', async () => {
  const outcome = await as(reader).call('fails');
  expect(outcome).toBePermitted();
  expect(outcome.result).toMatchObject({ isError: true });
  expect(JSON.stringify(outcome.result)).not.toContain('the handler failed');
});

it('names the cause of each refusal, and runs nothing', async () => {
  expect(await as.anonymous().call('crm_open', { recordId: '7' })).toBeRefusedFor('authentication');
  expect(await as({ ...reader, tenant: undefined }).call('crm_open', { recordId: '7' })).toBeRefusedFor(
    'tenant',
  );
  expect(await as({ ...reader, roles: [] }).call('crm_open', { recordId: '7' })).toBeRefusedFor('role');
  expect(await as({ ...reader, scopes: [] }).call('crm_open', { recordId: '7' })).toBeRefusedFor('scope');
  expect(await as(reader).call('crm_open', { recordId: 7 })).toBeRefusedFor('arguments');
  expect(await as(reader).call('crm_opened')).toBeRefusedFor('unknown');
  expect(await as(writer).call('crm_close', { recordId: 'of-bob' })).toBeRefusedFor('rule');
  expect(
    await as({ ...writer, signedInSecondsAgo: 3600 }).call('crm_close', { recordId: 'of-ada' }),
  ).toBeRefusedFor('freshness');
  expect(await as({ tenant: 'acme', scopes: ['email:send'] }).call('mail_send')).toBeHeld();
  expect(runs.names).toEqual([]);
});

it('refuses wrong arguments of what would else wait for a person', async () => {
  const outcome = await as({ tenant: 'acme', scopes: ['email:send'] }).call('mail_send', { to: 7 });
  expect(outcome).toBeRefusedFor('arguments');
  expect(outcome).not.toBeHeld();
  const [record] = await app.get(AuditReader).list({ entry: 'mail_send', limit: 1 });
  expect(record).toMatchObject({ decision: 'refuse', reason: 'invalid_arguments', checks: outcome.checks });
  expect(runs.names).toEqual([]);
});

it('permits what a rule and a recent sign-in permit', async () => {
  expect(await as(writer).call('crm_close', { recordId: 'of-ada' })).toBePermitted();
  expect(runs.names).toEqual(['crm_close']);
});

it('shows what the caller is told, which is less', async () => {
  const { refusal, reason } = await as({ ...reader, roles: [] }).call('crm_open', { recordId: '7' });
  const unknown = await as(reader).call('crm_opened');
  expect(reason).toBe('role');
  expect(refusal).toEqual(unknown.refusal);
  const challenged = await as({ ...reader, scopes: [] }).call('crm_open', { recordId: '7' });
  expect(challenged.refusal).toMatchObject({
    status: 403,
    headers: { 'WWW-Authenticate': expect.stringContaining('crm:read') },
  });
});

it('lists what the caller would be shown', async () => {
  expect(await as(reader).list('tools')).toEqual(['crm_close', 'crm_open', 'fails', 'mail_send']);
  expect(await as({ ...reader, tenant: undefined }).list('tools')).toEqual([]);
  expect(await as.anonymous().list('templates')).toEqual(['page']);
  expect(await as.anonymous().list('resources')).toEqual([]);
  expect(await as(reader).list('prompts')).toEqual(['triage']);
});

it('records the call as every other, with the checks of the outcome', async () => {
  const { checks } = await as({ ...reader, tenant: 'globex', roles: [] }).call('crm_open', { recordId: '7' });
  const [record] = await app.get(AuditReader).list({ tenant: 'globex', limit: 10 });
  expect(record).toMatchObject({ kind: 'refusal', reason: 'role', checks });
});

it('explains without running or recording', async () => {
  const count = async () => (await app.get(AuditReader).list({ limit: 1000 })).length;
  const before = await count();
  const explanation = await as({ ...reader, roles: [] }).explain('crm_open', { recordId: '7' });
  expect(explanation).toBeRefusedFor('role');
  expect(explanation.helps).toEqual([
    'The organization has to give agent:read-only (or agent:admin, agent:contributor).',
  ]);
  expect(await as(reader).explain('docs://welcome', undefined, 'resource')).toBePermitted();
  expect(await count()).toBe(before);
  expect(runs.names).toEqual([]);
});

it('is refused like everybody when the caller is revoked or the record cannot be written', async () => {
  const revocations = app.get(RevocationService, { strict: false });
  await revocations.revoke({ kind: 'user', value: 'eve' }, BY_TEST);
  const revoked = await as({ ...reader, subject: 'eve' }).call('crm_open', { recordId: '7' });
  expect(revoked).toBeRefusedFor('revoked');
  expect(revoked.refusal).toMatchObject({ status: 401, error: { data: { reason: 'invalid_token' } } });

  await app.get(DataSource).query('ALTER TABLE sallyport_audit RENAME TO lost_audit');
  const unrecorded = await as(reader).call('crm_open', { recordId: '7' });
  const held = await as({ tenant: 'acme', scopes: ['email:send'] }).call('mail_send');
  await expect(as(reader).list('tools')).rejects.toThrow(ListRefused);
  await app.get(DataSource).query('ALTER TABLE lost_audit RENAME TO sallyport_audit');
  expect(unrecorded).toBeRefusedFor('unavailable');
  expect(unrecorded.refusal).toMatchObject({ status: 503 });
  expect(held).toBeRefusedFor('unavailable');
  expect(held).not.toBeHeld();
  expect(runs.names).toEqual([]);
});

it('says in a failed expectation how the call was decided', async () => {
  const outcome = await as({ ...reader, roles: [] }).call('crm_open', { recordId: '7' });
  expect(() => expect(outcome).toBePermitted()).toThrow(
    /Expected the call to be permitted.*FAILED +role +asks for agent:read-only/s,
  );
  expect(() => expect(outcome).toBeRefusedFor('scope')).toThrow(/to be refused for scope/);
  expect(() => expect(outcome).not.toBeRefusedFor('role')).toThrow(/not to be refused for role/);
  expect(() => expect(outcome).toBeHeld()).toThrow(/to be held/);
});

it('refuses to judge what is no outcome, and causes that do not exist', async () => {
  expect(() => expect(as(reader).call('fails')).toBePermitted()).toThrow(/with await inside/);
  const outcome = await as(reader).call('crm_opened');
  expect(() => expect(outcome).toBeRefusedFor('scopes' as 'scope')).toThrow(/write one of scope, role/);
});

it.each(['README.md', 'libs/testing/README.md'])(
  'is shown in %s with await inside of expect(), where it has to stand',
  (file) => {
    const readme = readFileSync(file, 'utf8');
    expect(readme).toContain('.toBeRefusedFor(');
    expect(readme).not.toMatch(/expect\(\s*as[(.]/);
  },
);

it('refuses facts that describe no principal', async () => {
  await expect(as({ role: 'agent:admin' } as never).call('crm_open')).rejects.toThrow(/has unknown members/);
  await expect(as({ scopes: ['two words'] }).call('crm_open')).rejects.toThrow(/is not a scope token/);
  expect(runs.names).toEqual([]);
});

it('prints who reaches what, the same for the same policy', async () => {
  const matrix = await policyMatrix(app);
  expect(matrix.split('\n\n')).toEqual([
    expect.stringMatching(/^P permit {3}H hold/),
    [
      'TOOLS BY ROLES  (signed out)  (none)  agent:admin  agent:contributor  agent:read-only',
      'crm_close *     -             P       P            P                  P',
      'crm_open        -             -       P            P                  P',
      'fails           -             P       P            P                  P',
      'mail_send       -             H       H            H                  H',
    ].join('\n'),
    expect.stringContaining('page                P             P       P'),
    expect.stringContaining('triage            -             P       P'),
    [
      'TOOLS BY SCOPES  (none)  crm:read  crm:write  email:send',
      'crm_close *      -       -         P          -',
      'crm_open         -       P         -          -',
      'fails            -       P         -          -',
      'mail_send        -       -         -          H',
    ].join('\n'),
    expect.stringContaining('page                 P       P'),
    expect.stringContaining('triage             -       P'),
  ]);
  expect(await policyMatrix(app)).toBe(matrix);
});

describe('in production', () => {
  const before = process.env['NODE_ENV'];
  afterEach(() => {
    process.env['NODE_ENV'] = before;
  });

  it('makes up nobody', async () => {
    process.env['NODE_ENV'] = 'production';
    expect(() => signInTo(app)).toThrow(/refused with NODE_ENV=production/);
    await expect(as(reader).call('crm_open', { recordId: '7' })).rejects.toThrow(
      /refused with NODE_ENV=production/,
    );
    await expect(as(reader).list('tools')).rejects.toThrow(/refused with NODE_ENV=production/);
    expect(runs.names).toEqual([]);
  });
});
