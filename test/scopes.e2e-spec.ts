import { Injectable } from '@nestjs/common';
import { McpPrompt, McpResource, McpTool } from 'sallyport';
import { TestIssuer } from './support/issuer.js';
import { toolCall, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({ name: 'crm_open', description: 'Opens.', scopes: ['crm:read'], risk: 'read' })
  open() {
    return this.#ran('crm_open');
  }

  @McpTool({ name: 'crm_merge', description: 'Merges.', scopes: ['crm:write', 'crm:admin'], risk: 'write' })
  merge() {
    return this.#ran('crm_merge');
  }

  @McpResource({ name: 'record', uri: 'crm://{id}', description: 'One record.', scopes: ['crm:read'] })
  record() {
    return this.#ran('record');
  }

  @McpPrompt({ name: 'triage', description: 'Triages.', scopes: ['tickets:read'] })
  triage() {
    return this.#ran('triage');
  }

  #ran(name: string): string {
    this.runs.note(name);
    return name;
  }
}

const METADATA = 'http://127.0.0.1/.well-known/oauth-protected-resource/mcp';

const ASKED: readonly [string, { method: string; params: Json }, string[]][] = [
  ['a tool', toolCall('crm_open'), ['crm:read']],
  ['a tool that needs several', toolCall('crm_merge'), ['crm:write', 'crm:admin']],
  ['a resource', { method: 'resources/read', params: { uri: 'crm://7' } }, ['crm:read']],
  ['a prompt', { method: 'prompts/get', params: { name: 'triage' } }, ['tickets:read']],
];

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(WAYS)('Scopes, on %s in %s:', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    const sallyport = { scopes: { 'crm:write': ['crm:read'] }, signInScopes: ['mail:read'] };
    server = await TestServer.start({ issuer, platform, providers: [Tools], sallyport });
  });
  afterAll(async () => server.close());

  async function callWith(scope: string | undefined, message: { method: string; params: Json }) {
    const token = await issuer.token({ tenant: 'acme', ...(scope === undefined ? {} : { scope }) });
    return server.observe(() => server.send({ era, token, ...message }));
  }

  it.each(ASKED)(
    'refuses a caller that lacks the scope of %s, naming all of them',
    async (_what, message, scopes) => {
      const { answer, ran, records } = await callWith('mail:read', message);
      expect(answer.status).toBe(403);
      expect(answer.headers['www-authenticate']).toBe(
        `Bearer resource_metadata="${METADATA}", scope="${scopes.join(' ')}", error="insufficient_scope", ` +
          'error_description="The access token lacks a scope that this operation needs."',
      );
      const data = { reason: 'insufficient_scope', scopes, resource_metadata: METADATA };
      expect(answer.error).toEqual(expect.objectContaining({ code: -32011, data }));
      expect(answer.messages[0]).toMatchObject({ jsonrpc: '2.0', id: 1 });
      expect(ran).toEqual([]);
      expect(records).toMatchObject([
        {
          kind: 'refusal',
          decision: 'refuse',
          reason: 'insufficient_scope',
          scopesRequired: scopes,
          subject: 'alice',
        },
      ]);
    },
  );

  it.each(ASKED)('runs %s for a caller that holds every scope', async (_what, message, scopes) => {
    const { answer, ran, records } = await callWith(scopes.join(' '), message);
    expect(answer.status).toBe(200);
    expect(ran).toHaveLength(1);
    expect(records).toMatchObject([{ kind: 'attempt', decision: 'permit', outcome: 'completed' }]);
  });

  it('names every scope of the operation, not the missing ones alone', async () => {
    const { answer, ran } = await callWith('crm:write', toolCall('crm_merge'));
    expect(answer.error?.data?.['scopes']).toEqual(['crm:write', 'crm:admin']);
    expect(ran).toEqual([]);
  });

  it('honours a scope that includes another', async () => {
    expect((await callWith('crm:write', toolCall('crm_open'))).ran).toEqual(['crm_open']);
  });

  it.each(['crm:rea', 'crm:read:all', 'CRM:READ', 'crm:*', 'crm:admin', '*', 'crm'])(
    'takes "%s" for no other scope than itself',
    async (scope) => {
      const { answer, ran } = await callWith(scope, toolCall('crm_open'));
      expect({ status: answer.status, ran }).toEqual({ status: 403, ran: [] });
    },
  );

  it('refuses a token without any scope', async () => {
    const { answer, ran } = await callWith(undefined, toolCall('crm_open'));
    expect({ status: answer.status, ran }).toEqual({ status: 403, ran: [] });
  });

  it('checks the credential before the scopes', async () => {
    const token = await issuer.token({ tenant: 'acme', scope: 'mail:read', lives: -3600 });
    const answer = await server.send({ era, token, ...toolCall('crm_open') });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    expect(answer.headers['www-authenticate']).not.toContain('crm:read');
  });

  it('decides on the message, never on a header that says another name', async () => {
    const token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
    const headers = { 'Mcp-Name': 'crm_open', 'Mcp-Method': 'tools/call' };
    const { answer, ran } = await server.observe(() =>
      server.send({ era, token, ...toolCall('crm_merge'), headers }),
    );
    expect(ran).toEqual([]);
    expect([400, 403]).toContain(answer.status);
  });
});
