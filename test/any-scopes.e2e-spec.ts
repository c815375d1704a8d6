import { Injectable } from '@nestjs/common';
import { McpPrompt, McpTool } from 'sallyport';
import { TestIssuer } from './support/issuer.js';
import { toolCall, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'inbox',
    description: 'Shows mail.',
    scopes: { anyOf: ['email:read', 'email:send'] },
    risk: 'read',
  })
  inbox() {
    return this.#ran('inbox');
  }

  @McpPrompt({
    name: 'report',
    description: 'Reports.',
    scopes: ['crm:read', { anyOf: ['email:send', 'email:read'] }],
  })
  report() {
    return this.#ran('report');
  }

  #ran(name: string): string {
    this.runs.note(name);
    return name;
  }
}

const INBOX = toolCall('inbox');
const REPORT = { method: 'prompts/get', params: { name: 'report' } };

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(WAYS)('Any of several scopes, on %s in %s:', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    const sallyport = { scopes: { 'email:all': ['email:send'], 'crm:write': ['crm:read'] } };
    server = await TestServer.start({ issuer, platform, providers: [Tools], sallyport });
  });
  afterAll(async () => server.close());

  async function callWith(scope: string, message: { method: string; params: Json }) {
    const token = await issuer.token({ tenant: 'acme', scope });
    return server.observe(() => server.send({ era, token, ...message }));
  }

  it.each([
    ['the first of them', 'email:read', INBOX, 'inbox'],
    ['the second of them', 'email:send', INBOX, 'inbox'],
    ['a scope that includes one of them', 'email:all', INBOX, 'inbox'],
    ['one of each group', 'crm:read email:read', REPORT, 'report'],
    ['scopes that include one of each group', 'crm:write email:all', REPORT, 'report'],
  ])('runs for a caller that holds %s', async (_what, scope, message, name) => {
    const { answer, ran, records } = await callWith(scope, message);
    expect({ status: answer.status, ran }).toEqual({ status: 200, ran: [name] });
    expect(records).toMatchObject([{ kind: 'attempt', decision: 'permit', outcome: 'completed' }]);
  });

  it.each([
    ['none of them, naming the first', 'crm:read', INBOX, ['email:read']],
    ['one group alone, naming all', 'crm:read', REPORT, ['crm:read', 'email:send']],
    ['the other group alone, naming what is held', 'email:read', REPORT, ['crm:read', 'email:read']],
    ['what another scope does not include', 'email:all', REPORT, ['crm:read', 'email:send']],
  ])('refuses a caller that holds %s', async (_what, scope, message, scopes) => {
    const { answer, ran, records } = await callWith(scope, message);
    expect({ status: answer.status, ran }).toEqual({ status: 403, ran: [] });
    expect(answer.headers['www-authenticate']).toContain(`scope="${scopes.join(' ')}"`);
    expect(answer.error?.data).toMatchObject({ reason: 'insufficient_scope', scopes });
    expect(records).toMatchObject([
      { kind: 'refusal', reason: 'insufficient_scope', scopesRequired: scopes, subject: 'alice' },
    ]);
  });

  it('runs once a caller has consented to what the challenge names', async () => {
    const { answer } = await callWith('email:read', REPORT);
    const scopes = answer.error?.data?.['scopes'];
    const { ran } = await callWith(Array.isArray(scopes) ? scopes.join(' ') : '', REPORT);
    expect(ran).toEqual(['report']);
  });
});
