import { Injectable } from '@nestjs/common';
import { McpTool } from 'sallyport';
import { legacyClient, modernClient } from './support/clients.js';
import { TestIssuer } from './support/issuer.js';
import { ERAS, toolCall } from './support/messages.js';
import { PLATFORMS, Runs, TestServer } from './support/server.js';

@Injectable()
class Tools {
  constructor(private readonly runs: Runs) {}
  @McpTool({ name: 'crm_read', description: 'x', scopes: ['crm:read'], risk: 'read' })
  read() { this.runs.note('crm_read'); return 'ok'; }
}

describe.each(PLATFORMS)('%s', (platform) => {
  let issuer: TestIssuer; let server: TestServer;
  beforeAll(async () => { issuer = await TestIssuer.start(); server = await TestServer.start({ issuer, platform, providers: [Tools] }); });
  afterAll(async () => { await server.close(); await issuer.stop(); });
  it.each(ERAS)('works %s', async (era) => {
    const token = await issuer.token({ tenant: 'acme', scope: 'crm:read' });
    const seen = await server.observe(() => server.send({ era, token, ...toolCall('crm_read') }));
    console.log(seen.answer, seen.records.map(r => [r.kind, r.outcome]), seen.ran, server.logs.lines.slice(-3));
    const bad = await server.observe(() => server.send({ era, ...toolCall('crm_read') }));
    console.log(bad.answer, bad.records.map(r => [r.kind, r.reason]), bad.ran);
    const hidden = await server.observe(() => server.send({ era, token, ...toolCall('nothing') }));
    console.log(hidden.answer, hidden.records.map(r => [r.kind, r.reason]), hidden.ran);
    const t = await server.send({ era, token, method: 'tools/list' });
    console.log(t.text, t.headers);
    const c = era === '2026-07-28' ? await modernClient(server.url, token) : await legacyClient(server.url, token);
    console.log(JSON.stringify(await c.listTools()));
    await c.close();
  });
});
