import { canonicalDigest } from '@sallyport/mcp';

import {
  administration,
  attempt,
  call,
  entry,
  failedAuthentication,
  list,
  outcome,
  principal,
  refusal,
} from '../../../test/support/audit-events.js';
import { LIMITS, recordOf } from './record-of-event.js';
import { safeText } from './safe-text.js';

const CANARY = 'canary-7f3a';

describe('recordOf', () => {
  it('names the four identities of an attempt: client, user, tenant, server', () => {
    expect(recordOf(attempt())).toMatchObject({
      client: 'research-agent',
      issuer: 'https://id.acme.example',
      subject: 'alice',
      tenant: 'acme',
      server: 'acme-assistant',
      resource: 'https://mcp.acme.example/mcp',
    });
  });

  it('says of an attempt what was asked, what was required and how it was decided', () => {
    expect(recordOf(attempt())).toMatchObject({
      kind: 'attempt',
      method: 'tools/call',
      entryKind: 'tool',
      entry: 'crm_open_record',
      entryDigest: 'a'.repeat(64),
      risk: 'read',
      scopesGranted: 'crm:read crm:write',
      scopesRequired: 'crm:read',
      roles: 'agent:contributor',
      credentialKind: 'jwt',
      credential: 'jti-1',
      decision: 'permit',
      policyVersion: 'b'.repeat(64),
      actors: '[{"issuer":"https://id.acme.example","subject":"research-agent"}]',
      checks: '[{"name":"role","passed":true,"detail":"agent:contributor includes agent:read-only."}]',
    });
  });

  it('holds the digest of the arguments and none of their values', () => {
    const values = { recordId: CANARY, nested: { deep: [CANARY] } };
    const record = recordOf(attempt({ call: call({ arguments: values }) }));
    expect(record.argumentsDigest).toBe(canonicalDigest('sallyport-arguments/v1', values));
    expect(record.fields).toBeNull();
    expect(JSON.stringify(record)).not.toContain(CANARY);
  });

  it('holds in the clear only what the entry lists as safe', () => {
    const values = { recordId: 'r-1', note: CANARY };
    const record = recordOf(
      attempt({ call: call({ arguments: values, entry: entry({ auditFields: ['recordId', 'absent'] }) }) }),
    );
    expect(record.fields).toBe('{"recordId":"r-1"}');
    expect(JSON.stringify(record)).not.toContain(CANARY);
  });

  it('takes no field from a prototype', () => {
    const record = recordOf(
      attempt({ call: call({ entry: entry({ auditFields: ['constructor', '__proto__'] }) }) }),
    );
    expect(record.fields).toBeNull();
  });

  it('cuts a safe field that is too long', () => {
    const values = { note: 'x'.repeat(100_000) };
    const { fields } = recordOf(
      attempt({ call: call({ arguments: values, entry: entry({ auditFields: ['note'] }) }) }),
    );
    expect(fields?.length).toBeLessThan(LIMITS.field + 50);
    expect(JSON.parse(fields ?? '')).toEqual({ note: expect.stringMatching(/^"x+…[0-9a-f]{16}$/) });
  });

  it('names a resource as the catalog does, because its URI holds argument values', () => {
    const record = recordOf(
      attempt({
        call: call({
          method: 'resources/read',
          target: `docs://${CANARY}`,
          entry: entry({ kind: 'resource', name: 'docs', uri: 'docs://{slug}' }),
          arguments: { slug: CANARY },
        }),
      }),
    );
    expect(record.entry).toBe('docs');
    expect(JSON.stringify(record)).not.toContain(CANARY);
  });

  it('names an unknown entry as it was asked for, bounded', () => {
    const record = recordOf(
      refusal({ call: call({ entry: undefined, target: 'x'.repeat(5000), method: 'prompts/get' }) }),
    );
    expect(record.entry).toHaveLength(LIMITS.name);
    expect(record).toMatchObject({ entryKind: 'prompt', entryDigest: null, risk: null });
  });

  it('says of a refusal why, and every scope of the operation', () => {
    expect(recordOf(refusal())).toMatchObject({
      decision: 'refuse',
      reason: 'insufficient_scope',
      scopesRequired: 'crm:read crm:write',
    });
  });

  it('ties an outcome to its attempt', () => {
    const first = attempt();
    expect(recordOf(outcome(first))).toMatchObject({
      kind: 'outcome',
      attempt: first.id,
      call: first.call.id,
      status: 'completed',
      durationMs: 12,
      resultBytes: 321,
    });
  });

  it('says of a list how much was shown', () => {
    expect(recordOf(list())).toMatchObject({
      kind: 'list',
      method: 'tools/list',
      shown: 7,
      subject: 'alice',
    });
  });

  it('says of a failed authentication address, time, reason and source', () => {
    const at = new Date('2026-08-01T10:00:00.123Z');
    expect(recordOf(failedAuthentication({ at }))).toMatchObject({
      kind: 'authentication',
      at: at.getTime(),
      address: '198.51.100.9',
      reason: 'expired',
      source: 'okta',
      subject: null,
      call: null,
    });
  });

  it('says of failed authentications that were counted how many they were', () => {
    const counted = { count: 4711, since: new Date('2026-08-01T10:00:00.123Z') };
    const event = failedAuthentication({ reason: 'too_many', source: undefined, counted });
    expect(recordOf(event)).toMatchObject({
      kind: 'authentication',
      reason: 'too_many',
      source: null,
      details: '{"count":"4711","since":"2026-08-01T10:00:00.123Z"}',
    });
    expect(recordOf(failedAuthentication())).toMatchObject({ details: null });
  });

  it('says of an administrative change who made it, what it was and to what', () => {
    expect(recordOf(administration())).toMatchObject({
      kind: 'administration',
      subject: 'marco',
      address: '192.0.2.7',
      decision: 'permit',
      reason: null,
      action: 'key.revoked',
      target: 'key-1',
      details: '{"name":"nightly export"}',
    });
  });

  it('says of one that was not made why', () => {
    expect(recordOf(administration({ reason: 'role', actor: undefined, via: 'cli' }))).toMatchObject({
      decision: 'refuse',
      reason: 'role',
      subject: null,
      via: 'cli',
    });
  });

  it('bounds what an administrator wrote', () => {
    const details = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`${index}${CANARY.repeat(100)}`, '\u202e'.repeat(5000)]),
    );
    const record = recordOf(administration({ target: 'x'.repeat(5000), details }));
    expect(record.target).toHaveLength(LIMITS.name);
    expect(record.details?.length).toBeLessThan(16 * 2 * (LIMITS.name + LIMITS.field));
    expect(safeText(record.details ?? '')).toBe(record.details);
  });

  it('says nothing of a caller without a credential', () => {
    expect(recordOf(refusal({ call: call({ principal: undefined }) }))).toMatchObject({
      issuer: null,
      subject: null,
      scopesGranted: null,
    });
  });

  it.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01', false],
    ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', false],
    ['00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01', false],
    ["x'; DROP TABLE sallyport_audit; --", false],
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n', false],
  ])('keeps the trace context %j: %s', (traceparent, isKept) => {
    expect(recordOf(attempt({ call: call({ traceparent }) })).traceparent).toBe(isKept ? traceparent : null);
  });

  it('holds no unsafe character, whoever wrote it', () => {
    const evil = 'a\0b\n\u001b[2J\u202e\ud800';
    const hostile = principal({
      subject: evil,
      tenant: evil,
      client: evil,
      scopes: [evil],
      roles: [evil],
      actors: [{ subject: evil }],
      credential: { kind: evil, id: evil },
    });
    const record = recordOf(
      refusal({
        call: call({
          principal: hostile,
          target: evil,
          entry: undefined,
          arguments: undefined,
          address: evil,
        }),
      }),
    );
    for (const value of Object.values(record))
      expect(safeText(String(value))).toBe(value === null ? 'null' : String(value));
  });

  it('keeps a long chain of actors short', () => {
    const actors = Array.from({ length: 500 }, (_, index) => ({ subject: `agent-${index}` }));
    const record = recordOf(attempt({ call: call({ principal: principal({ actors }) }) }));
    expect(JSON.parse(record.actors ?? '')).toHaveLength(8);
  });
});
