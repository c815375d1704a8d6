import { randomUUID } from 'node:crypto';

import type {
  AdministrationEvent,
  AttemptEvent,
  Entry,
  FailedAuthenticationEvent,
  ListEvent,
  McpCall,
  OutcomeEvent,
  Permit,
  Principal,
  RefusalEvent,
  Refuse,
} from '@sallyport/mcp';

/** Audit events as the gate makes them, with what a test cares about replaced. */

export const server = { name: 'acme-assistant', version: '1.0.0', resource: 'https://mcp.acme.example/mcp' };

export function principal(overrides: Partial<Principal> = {}): Principal {
  return {
    kind: 'user',
    issuer: 'https://id.acme.example',
    subject: 'alice',
    client: 'research-agent',
    actors: [{ issuer: 'https://id.acme.example', subject: 'research-agent' }],
    tenant: 'acme',
    scopes: ['crm:read', 'crm:write'],
    roles: ['agent:contributor'],
    credential: { kind: 'jwt', id: 'jti-1' },
    claims: {},
    ...overrides,
  };
}

export function entry(overrides: Partial<Entry> = {}): Entry {
  return {
    kind: 'tool',
    name: 'crm_open_record',
    policy: {
      public: false,
      scopes: ['crm:read'],
      roles: ['agent:read-only'],
      risk: 'read',
      tenancy: 'required',
      when: [],
    },
    auditFields: [],
    source: 'CrmTools.open',
    digest: 'a'.repeat(64),
    ...overrides,
  };
}

export function call(overrides: Partial<McpCall> = {}): McpCall {
  return {
    id: randomUUID(),
    receivedAt: new Date(),
    server,
    via: 'http',
    protocol: '2026-07-28',
    principal: principal(),
    address: '192.0.2.7',
    traceparent: undefined,
    method: 'tools/call',
    target: 'crm_open_record',
    entry: entry(),
    arguments: { recordId: 'r-1' },
    ...overrides,
  };
}

export const permit: Permit = {
  effect: 'permit',
  checks: [{ name: 'role', passed: true, detail: 'agent:contributor includes agent:read-only.' }],
  policyVersion: 'b'.repeat(64),
};

export const refuse: Refuse = {
  effect: 'refuse',
  reason: 'insufficient_scope',
  scopes: ['crm:read', 'crm:write'],
  checks: [{ name: 'scopes', passed: false, detail: 'crm:write is missing.' }],
  policyVersion: 'b'.repeat(64),
};

export function attempt(overrides: Partial<AttemptEvent> = {}): AttemptEvent {
  return {
    kind: 'attempt',
    id: randomUUID(),
    at: new Date(),
    call: call(),
    decision: permit,
    ...overrides,
  };
}

export function outcome(of: AttemptEvent, overrides: Partial<OutcomeEvent> = {}): OutcomeEvent {
  return {
    kind: 'outcome',
    id: randomUUID(),
    at: new Date(),
    attempt: of.id,
    call: of.call,
    status: 'completed',
    durationMs: 12.4,
    resultBytes: 321,
    ...overrides,
  };
}

export function refusal(overrides: Partial<RefusalEvent> = {}): RefusalEvent {
  return {
    kind: 'refusal',
    id: randomUUID(),
    at: new Date(),
    call: call(),
    decision: refuse,
    reason: 'insufficient_scope',
    ...overrides,
  };
}

export function list(overrides: Partial<ListEvent> = {}): ListEvent {
  const { method: _method, target: _target, entry: _entry, arguments: _arguments, ...context } = call();
  return {
    kind: 'list',
    id: randomUUID(),
    at: new Date(),
    call: { ...context, method: 'tools/list' },
    shown: 7,
    ...overrides,
  };
}

export function failedAuthentication(
  overrides: Partial<FailedAuthenticationEvent> = {},
): FailedAuthenticationEvent {
  return {
    kind: 'authentication',
    id: randomUUID(),
    at: new Date(),
    server,
    via: 'http',
    address: '198.51.100.9',
    reason: 'expired',
    source: 'okta',
    ...overrides,
  };
}

export function administration(overrides: Partial<AdministrationEvent> = {}): AdministrationEvent {
  return {
    kind: 'administration',
    id: randomUUID(),
    at: new Date(),
    server,
    via: 'http',
    address: '192.0.2.7',
    actor: principal({ subject: 'marco', client: undefined, actors: [] }),
    action: 'key.revoked',
    target: 'key-1',
    details: { name: 'nightly export' },
    ...overrides,
  };
}
