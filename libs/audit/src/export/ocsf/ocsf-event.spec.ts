import fc from 'fast-check';

import {
  administration,
  attempt,
  failedAuthentication,
  list,
  outcome,
  refusal,
} from '../../../../../test/support/audit-events.js';
import { AuditReader } from '../../audit.reader.js';
import { AuditStore } from '../../audit.store.js';
import { TypeOrmAuditTrail } from '../../audit.trail.js';
import type { ReadRecord } from '../../reading/read-record.js';
import { RecordWalk } from '../../reading/record-walk.js';
import { ACTIONS, anyRecord, CALL, EMPTY_RECORD } from '../../reading/records.fixture.js';
import { ocsfEvent } from './ocsf-event.js';
import { ocsfProblems } from './ocsf-problems.fixture.js';

const OUTCOME: ReadRecord = {
  ...CALL,
  kind: 'outcome',
  attempt: CALL.id,
  decision: null,
  checks: null,
  status: 'completed',
  durationMs: 12,
  resultBytes: 340,
};
const REFUSAL: ReadRecord = {
  ...CALL,
  kind: 'refusal',
  decision: 'refuse',
  reason: 'role',
  checks: [
    { name: 'scopes', passed: true, detail: 'holds crm:read' },
    { name: 'role', passed: false, detail: 'needs agent:admin' },
  ],
};

describe('The OCSF event of a record', () => {
  it('is valid by the schema, whatever the record holds', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(ocsfProblems(ocsfEvent(record))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('is valid for every administrative action, permitted and refused', () => {
    for (const action of ACTIONS) {
      for (const decision of ['permit', 'refuse'] as const) {
        const record: ReadRecord = { ...EMPTY_RECORD, kind: 'administration', action, decision, target: 'x' };
        expect(ocsfProblems(ocsfEvent(record))).toEqual([]);
      }
    }
  });

  it('says who called what, from where, and that it was permitted', () => {
    expect(ocsfEvent(CALL)).toMatchObject({
      class_uid: 6003,
      category_uid: 6,
      activity_id: 2,
      type_uid: 600302,
      time: Date.parse('2026-11-21T08:00:00.000Z'),
      status_id: 99,
      status: 'Attempted',
      action_id: 1,
      actor: { user: { uid: 'priya', type_id: 1, org: { uid: 'acme' } }, app_uid: 'agent-7' },
      api: { operation: 'tools/call', service: { name: 'acme-assistant' }, request: { uid: CALL.call } },
      resources: [{ name: 'crm_open_record', type: 'tool' }],
      src_endpoint: { ip: '192.0.2.7' },
      trace: { uid: '4bf92f3577b34da6a3ce929d0e0e4736' },
      metadata: { version: '1.8.0', uid: CALL.id, correlation_uid: CALL.call, tenant_uid: 'acme' },
      authorizations: [{ decision: 'permit', policy: { version: 'p1' } }],
    });
  });

  it('has a place for everything the record says', () => {
    const { unmapped } = ocsfEvent({ ...CALL, actors: [{ subject: 'agent' }], argumentHashes: { x: 'h' } });
    expect(unmapped).toMatchObject({
      kind: 'attempt',
      checks: CALL.checks,
      argumentsDigest: 'a1',
      argumentHashes: { x: 'h' },
      fields: { recordId: '7' },
      actors: [{ subject: 'agent' }],
      scopesGranted: ['crm:read'],
      risk: 'read',
    });
  });

  it('of an outcome says how it ended, when it began, and which call it was', () => {
    expect(ocsfEvent(OUTCOME)).toMatchObject({
      status_id: 1,
      status_code: 'completed',
      duration: 12,
      start_time: Date.parse('2026-11-21T08:00:00.000Z') - 12,
      metadata: { correlation_uid: CALL.call },
      unmapped: { attempt: CALL.id, resultBytes: 340 },
    });
    expect(ocsfEvent({ ...OUTCOME, status: 'failed' })).toMatchObject({ status_id: 2 });
  });

  it('of a refusal names the check that did not pass', () => {
    expect(ocsfEvent(REFUSAL)).toMatchObject({
      class_uid: 6003,
      status_id: 2,
      status_code: 'role',
      status_detail: 'role: needs agent:admin',
      action_id: 2,
      disposition_id: 2,
      severity_id: 2,
    });
    expect(ocsfEvent({ ...REFUSAL, reason: 'revoked' })).toMatchObject({ severity_id: 3 });
  });

  it('of wrong arguments does not say that the risk refused', () => {
    const record: ReadRecord = {
      ...REFUSAL,
      reason: 'invalid_arguments',
      checks: [{ name: 'risk', passed: false, detail: 'external waits for a person' }],
    };
    expect(ocsfEvent(record)).toMatchObject({ status: 'Failure', status_code: 'invalid_arguments' });
    expect(ocsfEvent(record)).not.toHaveProperty('status_detail');
    const held: ReadRecord = { ...record, decision: 'hold', reason: 'approval_required' };
    expect(ocsfEvent(held)).toMatchObject({ status_detail: 'risk: external waits for a person' });
  });

  it('of what waits for a person is neither a success nor a failure', () => {
    expect(ocsfEvent({ ...REFUSAL, decision: 'hold' })).toMatchObject({ status: 'Held', disposition_id: 14 });
  });

  it('of failed authentications counts those it stands for', () => {
    const record: ReadRecord = {
      ...EMPTY_RECORD,
      kind: 'authentication',
      reason: 'too_many',
      address: '10.0.0.0/24',
      details: { count: '17', since: '2026-11-21T07:59:00.000Z' },
    };
    expect(ocsfEvent(record)).toMatchObject({
      class_uid: 3002,
      status_id: 2,
      count: 17,
      start_time: Date.parse('2026-11-21T07:59:00.000Z'),
      src_endpoint: { name: '10.0.0.0/24' },
      severity_id: 3,
    });
  });

  it.each([
    ['server.started', 6002, 3],
    ['server.stopped', 6002, 4],
    ['audit.exported', 1008, 3],
    ['audit.read', 6003, 2],
    ['key.issued', 3004, 1],
    ['key.revoked', 3004, 9],
    ['revocation.lifted', 3004, 4],
    ['policy.changed', 3004, 3],
  ] as const)('of %s is of class %i, activity %i', (action, uid, activity) => {
    const event = ocsfEvent({ ...EMPTY_RECORD, kind: 'administration', action, target: 'x' });
    expect(event).toMatchObject({ class_uid: uid, activity_id: activity });
  });

  it('says erased where a name was erased', () => {
    const erased = { ...CALL, subject: 'erased', address: 'erased', credential: 'erased' };
    expect(ocsfEvent(erased)).toMatchObject({
      actor: { user: { uid: 'erased' } },
      src_endpoint: { name: 'erased' },
    });
  });
});

describe('The OCSF events of what the gate records', () => {
  it('are valid by the schema, each of its own class', async () => {
    const store = await AuditStore.open(
      { type: 'better-sqlite3', database: ':memory:' },
      { migrations: 'run', timeoutMs: 5000 },
    );
    const trail = new TypeOrmAuditTrail(store, { timeoutMs: 5000, maxQueued: 100 });
    const permitted = attempt();
    const counted = { count: 17, since: new Date() };
    for (const event of [
      permitted,
      outcome(permitted),
      outcome(attempt(), { status: 'aborted', cause: 'client' }),
      refusal(),
      list(),
      failedAuthentication(),
      failedAuthentication({ reason: 'too_many', address: undefined, counted }),
      ...ACTIONS.map((action) => administration({ action })),
      administration({ action: 'revocation.added', target: 'user bob', about: { subject: 'bob' } }),
      administration({ actor: undefined, address: undefined, reason: 'role', target: '' }),
    ])
      await trail.record(event);
    const walk = new RecordWalk(store, new AuditReader(store));
    const events = (await walk.read({ after: 0, upTo: 1000 }, 100)).map(ocsfEvent);
    expect(events.map((event) => [event['class_uid'], ocsfProblems(event)])).toEqual(
      [
        6003,
        6003,
        6003,
        6003,
        6003,
        3002,
        3002,
        ...ACTIONS.map((action) => CLASS_OF_ACTION[action] ?? 3004),
        3004,
        3004,
      ].map((uid) => [uid, []]),
    );
    await trail.onApplicationShutdown();
  });
});

const CLASS_OF_ACTION: Readonly<Record<string, number>> = {
  'server.started': 6002,
  'server.stopped': 6002,
  'audit.read': 6003,
  'audit.exported': 1008,
  'audit.sealed': 1008,
  'tenancy.crossed': 6003,
};

describe('The validator of these tests', () => {
  it.each<[string, object, string]>([
    ['an unknown attribute', { colour: 'red' }, 'colour: is no attribute'],
    ['a missing one', { actor: undefined }, 'actor: is required'],
    ['a value that is in no enumeration', { severity_id: 7 }, 'severity_id: 7 is no value of it'],
    ['a text for a number', { time: 'now' }, 'time: is no timestamp_t'],
    ['another type_uid', { type_uid: 1 }, 'type_uid: is not class_uid * 100 + activity_id'],
    ['an empty object', { src_endpoint: {} }, 'src_endpoint.: has none of'],
    ['a nested mistake', { src_endpoint: { ip: 'somewhere' } }, 'src_endpoint.ip: is no ip_t'],
    [
      'an attribute of a profile that is not said',
      { metadata: { ...base().metadata, profiles: [] } },
      'action_id: needs',
    ],
  ])('finds %s', (_what, change, problem) => {
    const { actor, ...rest } = { ...base(), ...change };
    const event = actor === undefined ? rest : { actor, ...rest };
    expect(ocsfProblems(event).join('\n')).toContain(problem);
  });
});

function base() {
  return ocsfEvent(CALL) as Record<string, unknown> & { metadata: object };
}
