import { AUDIT_COLUMNS, auditCells } from './audit-table.js';
import type { AuditCall } from './audit.reader.js';

const call: AuditCall = {
  seq: 1,
  id: 'id-1',
  at: new Date('2026-08-01T10:00:00.123Z'),
  kind: 'attempt',
  call: 'call-1',
  traceparent: null,
  via: 'http',
  protocol: '2026-07-28',
  server: 'acme-assistant',
  resource: 'https://mcp.acme.example/mcp',
  address: '192.0.2.7',
  principalKind: 'user',
  issuer: 'https://id.acme.example',
  subject: 'alice',
  client: 'research-agent',
  tenant: 'acme',
  actors: null,
  credentialKind: 'jwt',
  credential: 'jti-1',
  scopesGranted: ['crm:read', 'crm:write'],
  scopesRequired: ['crm:read'],
  roles: [],
  method: 'tools/call',
  entryKind: 'tool',
  entry: 'crm_open_record',
  entryDigest: 'a',
  risk: 'read',
  decision: 'permit',
  reason: null,
  checks: [],
  policyVersion: 'b',
  argumentsDigest: 'c',
  fields: null,
  outcome: 'completed',
  durationMs: 12,
  resultBytes: 321,
  shown: null,
  source: null,
  action: null,
  target: null,
  details: null,
};

function cellsOf(overrides: Partial<AuditCall>): Record<string, string | undefined> {
  const cells = auditCells({ ...call, ...overrides });
  return Object.fromEntries(AUDIT_COLUMNS.map((column, index) => [column, cells[index]]));
}

describe('auditCells', () => {
  it('shows a call with its four identities, scopes and outcome', () => {
    expect(cellsOf({})).toEqual({
      time: '2026-08-01T10:00:00.123Z',
      kind: 'call',
      client: 'research-agent',
      user: 'alice',
      tenant: 'acme',
      server: 'acme-assistant',
      entry: 'crm_open_record',
      'scopes granted': 'crm:read crm:write',
      'scopes required': 'crm:read',
      decision: 'permit',
      reason: '-',
      outcome: 'completed',
    });
  });

  it('shows what is not known as a dash', () => {
    const cells = cellsOf({ kind: 'authentication', subject: null, scopesGranted: [], outcome: null });
    expect(cells).toMatchObject({ kind: 'authentication', user: '-', 'scopes granted': '-', outcome: '-' });
  });

  it('shows a list by its method', () => {
    expect(cellsOf({ kind: 'list', entry: null, method: 'tools/list' })).toMatchObject({
      entry: 'tools/list',
    });
  });

  it('shows an administrative change by what was done to what', () => {
    const change = { kind: 'administration', entry: null, method: null } as const;
    expect(cellsOf({ ...change, action: 'key.revoked', target: 'k1' })).toMatchObject({
      kind: 'administration',
      entry: 'key.revoked k1',
    });
  });

  it('lets no cell of a database that others wrote to move the cursor', () => {
    expect(cellsOf({ subject: '\u001b[2Jroot\n', at: new Date(Number.NaN) })).toMatchObject({
      user: '\\u001b[2Jroot\\u000a',
      time: '-',
    });
  });
});
