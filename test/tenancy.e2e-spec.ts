import { Injectable } from '@nestjs/common';
import { Args, Caller, McpTool, type Principal } from 'sallyport';
import { z } from 'zod';
import { TestIssuer } from './support/issuer.js';
import { comparable, toolCall, type Json } from './support/messages.js';
import { Runs, TestServer, WAYS } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}

  @McpTool({
    name: 'whoami',
    description: 'Says who calls.',
    scopes: ['crm:read'],
    risk: 'read',
    input: z.looseObject({}),
  })
  whoami(@Caller() { issuer, subject, tenant, client, roles, scopes }: Principal, @Args() args: Json) {
    this.runs.note('whoami');
    return { issuer, subject, tenant, client, roles, scopes, args };
  }

  @McpTool({
    name: 'clock',
    description: 'Says the time.',
    scopes: ['crm:read'],
    risk: 'read',
    tenancy: 'none',
  })
  clock() {
    this.runs.note('clock');
    return 'noon';
  }
}

/** Everything a caller writes itself, and from which nobody may learn who it is. */
const CLAIMED: readonly [string, { headers?: Record<string, string>; params?: Json }][] = [
  ['a header X-Tenant', { headers: { 'X-Tenant': 'globex', 'X-Tenant-Id': 'globex', Tenant: 'globex' } }],
  [
    'headers of a proxy',
    { headers: { 'X-Forwarded-User': 'root', 'X-Remote-User': 'root', From: 'root@globex' } },
  ],
  ['a cookie', { headers: { Cookie: 'tenant=globex; session=root' } }],
  ['a session id', { headers: { 'Mcp-Session-Id': 'session-of-globex' } }],
  ['arguments', { params: { arguments: { tenant: 'globex', principal: { subject: 'root' }, sub: 'root' } } }],
  ['members of params', { params: { tenant: 'globex', principal: { tenant: 'globex' } } }],
  [
    '_meta',
    { params: { _meta: { tenant: 'globex', principal: { tenant: 'globex', roles: ['agent:admin'] } } } },
  ],
  [
    '_meta of the client',
    {
      params: { _meta: { 'io.modelcontextprotocol/clientInfo': { name: 'globex', version: 'agent:admin' } } },
    },
  ],
  [
    'baggage',
    {
      params: { _meta: { baggage: 'tenant=globex', tracestate: 'tenant=globex' } },
      headers: { baggage: 'tenant=globex' },
    },
  ],
];

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await TestIssuer.start();
});
afterAll(async () => issuer.stop());

describe.each(WAYS)('Tenancy, on %s in %s:', (platform, era) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start({ issuer, platform, providers: [Tools] });
  });
  afterAll(async () => server.close());

  it('hides an entry from a principal without a tenant, as if it did not exist', async () => {
    const token = await issuer.token({ scope: 'crm:read' });
    const refused = await server.observe(() => server.send({ era, token, ...toolCall('whoami') }));
    const missing = await server.send({ era, token, ...toolCall('whoamx') });
    expect(comparable(refused.answer)).toEqual(comparable(missing));
    expect(refused.ran).toEqual([]);
    expect(refused.records).toMatchObject([{ kind: 'refusal', reason: 'tenant', tenant: null }]);
  });

  it('takes a tenant of null for none', async () => {
    const token = await issuer.token({ scope: 'crm:read', claims: { tenant: null } });
    const { ran, records } = await server.observe(() => server.send({ era, token, ...toolCall('whoami') }));
    expect({ ran, reasons: records.map(({ reason }) => reason) }).toEqual({ ran: [], reasons: ['tenant'] });
  });

  it('hides it before it says which scopes are missing', async () => {
    const token = await issuer.token({ scope: 'mail:read' });
    const answer = await server.send({ era, token, ...toolCall('whoami') });
    expect(answer.status).not.toBe(403);
    expect(answer.text).not.toContain('crm:read');
  });

  it('runs an entry of no tenant for a principal of none', async () => {
    const token = await issuer.token({ scope: 'crm:read' });
    const { answer, ran } = await server.observe(() => server.send({ era, token, ...toolCall('clock') }));
    expect({ status: answer.status, ran }).toEqual({ status: 200, ran: ['clock'] });
  });

  it.each(['', ' ', 'ac\u0000me', 'undefined', 7, ['acme'], { id: 'acme' }])(
    'takes the tenant %j for no credential at all',
    async (tenant) => {
      const token = await issuer.token({ scope: 'crm:read', claims: { tenant } });
      const { answer, ran, records } = await server.observe(() =>
        server.send({ era, token, ...toolCall('whoami') }),
      );
      expect({ status: answer.status, ran }).toEqual({ status: 401, ran: [] });
      expect(records).toMatchObject([{ kind: 'authentication', reason: 'claims' }]);
    },
  );

  it.each(CLAIMED)(
    'learns who calls from the credential, not from %s',
    async (_what, { headers, params }) => {
      const token = await issuer.token({ sub: 'alice', tenant: 'acme', scope: 'crm:read' });
      const { answer, records } = await server.observe(() =>
        server.send({
          era,
          token,
          method: 'tools/call',
          params: { name: 'whoami', ...params },
          ...(headers && { headers }),
        }),
      );
      expect(answer.result?.['structuredContent']).toMatchObject({
        issuer: issuer.url,
        subject: 'alice',
        tenant: 'acme',
        client: 'agent-1',
        roles: [],
        scopes: ['crm:read'],
      });
      expect(records).toMatchObject([{ subject: 'alice', tenant: 'acme', client: 'agent-1', roles: [] }]);
    },
  );
});
