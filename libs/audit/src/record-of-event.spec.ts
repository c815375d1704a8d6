import { randomBytes } from 'node:crypto';

import type { AuditEvent, Decision, RefusalReason } from '@sallyport/mcp';
import { z } from 'zod';

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
import { PersonKey } from './keyed/person-key.js';
import { personText, type Person } from './keyed/person.js';
import { openRecord } from './keyed/sealed-record.js';
import { LIMITS, recordOf as sealedRecordOf } from './record-of-event.js';
import { safeText } from './safe-text.js';

const CANARY = 'canary-7f3a';

/** A key for everybody, as the store would give it; by name, and by id. */
const keyOf = new Map<string, PersonKey>();
const keys = new Map<string, PersonKey>();

function ring(person: Person): PersonKey {
  const text = personText(person);
  const key = keyOf.get(text) ?? new PersonKey(randomBytes(16).toString('base64url'), randomBytes(32));
  keyOf.set(text, key);
  keys.set(key.id, key);
  return key;
}

/** As it is stored. */
function stored(event: AuditEvent) {
  return sealedRecordOf(event, ring);
}

/** As a reader shows it. */
function recordOf(event: AuditEvent) {
  return openRecord({ seq: 1, ...stored(event) }, keys);
}

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
      actors: [{ issuer: 'https://id.acme.example', subject: 'research-agent' }],
      checks: '[{"name":"role","passed":true,"detail":"agent:contributor includes agent:read-only."}]',
    });
  });

  it('stores nothing that names the caller or holds a value', () => {
    const caller = principal({
      subject: CANARY,
      actors: [{ subject: CANARY }],
      credential: { kind: 'jwt', id: CANARY },
    });
    const values = { recordId: CANARY, note: CANARY, nested: { [CANARY]: [CANARY] } };
    const guarded = call({
      principal: caller,
      address: CANARY,
      arguments: values,
      entry: entry({ auditFields: ['recordId'] }),
    });
    const tried = attempt({ call: guarded });
    for (const event of [tried, outcome(tried), refusal({ call: guarded })]) {
      expect(JSON.stringify(stored(event))).not.toContain(CANARY);
      expect(recordOf(event)).toMatchObject({
        personal: 'shown',
        subject: CANARY,
        address: CANARY,
        credential: CANARY,
        actors: [{ subject: CANARY }],
      });
    }
  });

  it('holds keyed hashes of the arguments, which agree for one person alone', () => {
    const values = { recordId: CANARY, count: 3, isOpen: true, nothing: null, list: [1], map: { a: 1 } };
    const input = z.object(Object.fromEntries(Object.keys(values).map((name) => [name, z.unknown()])));
    const digests = (overrides: Parameters<typeof principal>[0] = {}) => {
      const tried = attempt({
        call: call({ principal: principal(overrides), arguments: values, entry: entry({ input }) }),
      });
      const { argumentsDigest, argumentHashes } = stored(tried);
      return { argumentsDigest, hashes: JSON.parse(argumentHashes ?? '') as Record<string, string> };
    };
    const { argumentsDigest, hashes } = digests();
    expect(Object.keys(hashes)).toEqual(Object.keys(values));
    expect(Object.values(hashes)).toEqual(
      Object.keys(values).map(() => expect.stringMatching(/^[0-9a-f]{24}$/)),
    );
    expect(new Set(Object.values(hashes)).size).toBe(6);
    expect(argumentsDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(digests()).toEqual({ argumentsDigest, hashes });
    for (const other of [{ subject: 'bob' }, { tenant: 'globex' }, { issuer: 'https://other.example' }]) {
      expect(digests(other).argumentsDigest).not.toBe(argumentsDigest);
      expect(Object.values(digests(other).hashes)).not.toContain(hashes['recordId']);
    }
  });

  it('names no argument that the caller made up', () => {
    const values = { known: 1, [CANARY]: 2, ['__proto__']: 3 };
    const input = z.looseObject({ known: z.number() });
    const { argumentHashes } = stored(
      attempt({ call: call({ arguments: values, entry: entry({ input }) }) }),
    );
    expect(argumentHashes).not.toContain(CANARY);
    const hidden = expect.stringMatching(/^~[0-9a-f]{16}$/);
    expect(Object.keys(JSON.parse(argumentHashes ?? '') as object)).toEqual(['known', hidden, hidden]);
  });

  it('hashes so many arguments at most, and says how many more there were', () => {
    const values = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`a${index}`, index]));
    const { argumentHashes } = stored(attempt({ call: call({ arguments: values }) }));
    const hashes = JSON.parse(argumentHashes ?? '') as Record<string, string>;
    expect(Object.keys(hashes)).toHaveLength(33);
    expect(hashes['…']).toBe('468 more');
  });

  it('shows of the arguments only what the entry lists as safe', () => {
    const values = { recordId: 'r-1', note: CANARY };
    const record = recordOf(
      attempt({ call: call({ arguments: values, entry: entry({ auditFields: ['recordId', 'absent'] }) }) }),
    );
    expect(record.fields).toBe('{"recordId":"r-1"}');
    expect(JSON.stringify(record)).not.toContain(CANARY);
  });

  it('are safe to show and to copy into a spreadsheet also once the JSON of fields was read', () => {
    const values = { note: '=HYPERLINK("https://evil.example")', list: [{ 'a\u202eb': 'x\u00ady' }, 7] };
    const record = recordOf(
      attempt({ call: call({ arguments: values, entry: entry({ auditFields: ['note', 'list'] }) }) }),
    );
    const safe = {
      note: '\\u003dHYPERLINK("https://evil.example")',
      list: [{ 'a\\u202eb': 'x\\u00ady' }, 7],
    };
    expect(JSON.parse(record.fields ?? '')).toEqual(safe);
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

  it('names an unknown entry as it was asked for when that looks like a name, and else by a hash', () => {
    const asked = (target: string) =>
      recordOf(refusal({ call: call({ entry: undefined, target, method: 'prompts/get' }) }));
    expect(asked('no_such_prompt')).toMatchObject({
      entry: 'no_such_prompt',
      entryKind: 'prompt',
      entryDigest: null,
      risk: null,
    });
    expect(asked(`${CANARY}-${'x'.repeat(5000)}`).entry).toMatch(/^~[0-9a-f]{24}$/);
  });

  it('says of a refusal why, and every scope of the operation', () => {
    expect(recordOf(refusal())).toMatchObject({
      decision: 'refuse',
      reason: 'insufficient_scope',
      scopesRequired: 'crm:read crm:write',
    });
  });

  it.each<[RefusalReason, Decision['effect'], 'refuse' | 'hold']>([
    ['approval_required', 'hold', 'hold'],
    ['invalid_arguments', 'hold', 'refuse'],
    ['invalid_arguments', 'permit', 'refuse'],
    ['revoked', 'permit', 'refuse'],
  ])(
    'says of %s, where the checks %s the call by themselves, that it was decided as %s',
    (reason, effect, decision) => {
      const decided = { effect, checks: [], policyVersion: '' } as unknown as Decision;
      expect(recordOf(refusal({ reason, decision: decided }))).toMatchObject({ decision, reason });
    },
  );

  it('ties an outcome to its attempt', () => {
    const first = attempt();
    expect(recordOf(outcome(first))).toMatchObject({
      kind: 'outcome',
      attempt: first.id,
      call: first.call.id,
      status: 'completed',
      cause: null,
      durationMs: 12,
      resultBytes: 321,
    });
  });

  it('says of an outcome what ended the call', () => {
    const event = outcome(attempt(), { status: 'aborted', cause: 'revoked' });
    expect(recordOf(event)).toMatchObject({ status: 'aborted', cause: 'revoked' });
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

  it('keeps a person that a change is about apart from whoever makes it', () => {
    const event = administration({
      action: 'revocation.added',
      target: 'user priya',
      about: { tenant: 'acme', subject: 'priya' },
      details: { by: 'marco', why: 'lost laptop' },
    });
    const row = stored(event);
    expect(JSON.stringify({ ...row, about: null })).not.toMatch(/priya/);
    expect(row).toMatchObject({ target: null, details: '{"why":"lost laptop"}' });
    expect(recordOf(event)).toMatchObject({ target: 'user priya', by: 'marco', subject: 'marco' });
    const { id } = ring({ tenant: 'acme', subject: 'priya' });
    const others = new Map([...keys].filter(([key]) => key !== id));
    expect(openRecord({ seq: 1, ...row }, others)).toMatchObject({ target: 'erased', subject: 'marco' });
  });

  it('says `erased` where a key is gone, and `unreadable` where it cannot be opened', () => {
    const tried = attempt();
    const { person } = stored(tried);
    const row = { seq: 1, ...stored(tried) };
    const erased = new Map([...keys].filter(([id]) => id !== person));
    expect(openRecord(row, erased)).toMatchObject({
      personal: 'erased',
      subject: 'erased',
      address: 'erased',
      credential: 'erased',
      fields: null,
      tenant: 'acme',
      entry: 'crm_open_record',
    });
    const locked = new Map([...erased, [person ?? '', undefined] as const]);
    expect(openRecord(row, locked)).toMatchObject({ personal: 'unreadable', subject: 'unreadable' });
  });

  it('opens nothing that was moved from another record, or changed', () => {
    const row = stored(attempt());
    const moved = { seq: 1, ...row, personal: stored(attempt()).personal };
    const changed = { seq: 1, ...row, personal: `A${row.personal?.slice(1)}B` };
    for (const record of [moved, changed]) expect(openRecord(record, keys).subject).toBe('unreadable');
    for (const odd of ['', 'x', '{}', '[1]'])
      expect(openRecord({ seq: 1, ...row, personal: odd, actors: odd, about: odd }, keys)).toMatchObject({
        subject: 'unreadable',
      });
  });

  it('shows a record of before there were keys as it is', () => {
    const row = { seq: 1, ...stored(attempt()), person: null, personal: null, subject: 'alice' };
    const actors = '[{"issuer":"https://id.acme.example","subject":"agent"}]';
    expect(openRecord({ ...row, actors }, keys)).toMatchObject({
      subject: 'alice',
      personal: 'shown',
      actors: [{ issuer: 'https://id.acme.example', subject: 'agent' }],
    });
  });

  it('does not tell a short name from a long one by the length of what is sealed', () => {
    const lengths = ['a', 'a much longer name of a person'].map(
      (subject) => stored(refusal({ call: call({ principal: principal({ subject }) }) })).personal?.length,
    );
    expect(lengths[0]).toBe(lengths[1]);
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
    for (const value of Object.values({ ...record, actors: JSON.stringify(record.actors) }))
      expect(safeText(String(value))).toBe(value === null ? 'null' : String(value));
  });

  it('keeps a long chain of actors short', () => {
    const actors = Array.from({ length: 500 }, (_, index) => ({ subject: `agent-${index}` }));
    const record = recordOf(attempt({ call: call({ principal: principal({ actors }) }) }));
    expect(record.actors).toHaveLength(8);
  });
});
