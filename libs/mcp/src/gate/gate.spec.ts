import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { CallPipeline } from '../call/call-pipeline.js';
import { currentCall } from '../call/call-scope.js';
import type { CallContext } from '../call/mcp-call.js';
import { readOperation } from '../call/operation.js';
import { buildEntry } from '../catalog/build-entry.js';
import { Catalog } from '../catalog/catalog.js';
import type { Principal } from '../principal.js';
import type { AuditEvent } from './audit-event.js';
import type { Decision } from './decision.js';
import { Gate } from './gate.js';
import {
  AuditTrail,
  Authenticator,
  Authorizer,
  Revocations,
  type Authentication,
  type RevocationView,
} from './ports.js';

const server = { name: 'test', version: '1', resource: 'https://mcp.example/mcp' };
const alice: Principal = {
  kind: 'user',
  issuer: 'https://id.example',
  subject: 'alice',
  actors: [],
  tenant: 'acme',
  scopes: [],
  roles: [],
  credential: { kind: 'jwt' },
  claims: {},
};
const PERMIT: Decision = { effect: 'permit', checks: [], policyVersion: 'v1' };
const NOTHING_REVOKED: RevocationView = { isRevoked: () => false, isEntryRevoked: () => false };

const PAGE = { name: 'page', uri: 'a://{id}', description: 'A page.', scopes: ['a'] };

/** What the ports do in one test. */
interface Behaviour {
  readonly authorize?: () => unknown;
  readonly isVisible?: () => unknown;
  readonly record?: (event: AuditEvent) => Promise<void>;
  readonly authenticate?: () => unknown;
  readonly revoked?: () => Promise<RevocationView>;
}

function gateOf({
  authorize = () => PERMIT,
  isVisible = () => true,
  record,
  authenticate,
  revoked,
}: Behaviour = {}) {
  const events: AuditEvent[] = [];
  const authorizer = { authorize, isVisible } as unknown as Authorizer;
  const authenticator = {
    authenticate: async () => authenticate?.(),
    recognizes: () => false,
  } as unknown as Authenticator;
  const trail: AuditTrail = {
    record: async (event) => {
      await record?.(event);
      events.push(event);
    },
  };
  const revocations: Revocations = {
    current: revoked ?? (async () => NOTHING_REVOKED),
    onChange: () => () => undefined,
  };
  const input = z.object({ id: z.string() });
  const options = { name: 'open', description: 'Opens.', scopes: ['a'], risk: 'read', input };
  const built = buildEntry({ kind: 'tool', options } as never, 'Tools.open');
  if (!('entry' in built)) throw new Error('The entry is good.');
  const page = buildEntry({ kind: 'resource', options: { ...PAGE } } as never, 'Pages.page');
  if (!('entry' in page)) throw new Error('The page is good.');
  const catalog = new Catalog([built, page]);
  const gate = new Gate(catalog, authenticator, authorizer, trail, revocations, {
    server,
    anonymous: 'public-entries',
    signInScopes: [],
  });
  const ran: unknown[] = [];
  const pipeline = new CallPipeline(gate, trail, revocations);
  pipeline.bind(built.entry, async ({ call }) => ran.push(call.arguments));
  return { gate, catalog, pipeline, events, ran };
}

const context: CallContext = {
  id: 'call-1',
  receivedAt: new Date(),
  server,
  via: 'http',
  protocol: '2026-07-28',
  principal: alice,
  address: undefined,
  traceparent: undefined,
};

/** Takes one call through the gate, and runs it when it may. */
async function call(behaviour: Behaviour, name = 'open', args: unknown = { id: 'r-1' }) {
  const { gate, catalog, pipeline, events, ran } = gateOf(behaviour);
  const message = { method: 'tools/call', params: { name, arguments: args } };
  const admission = await gate.admit(readOperation(catalog, message, context));
  if (admission.kind === 'cleared') {
    const running = { signal: new AbortController().signal, reportProgress: async () => undefined };
    await pipeline.run(admission.call, admission.clearance, running);
  }
  return { admission, events, ran };
}

describe('A stream of which one resource cannot be recorded', () => {
  it('is refused, and what was recorded beside it is closed as not run', async () => {
    const urisOf = ({ call }: Extract<AuditEvent, { kind: 'attempt' | 'outcome' }>) => call.target;
    const { gate, catalog, events } = gateOf({
      record: async (event) => {
        if (event.kind === 'attempt' && event.call.target === 'a://2') throw new Error('the disk is full');
      },
    });
    const notifications = { resourceSubscriptions: ['a://1', 'a://2', 'a://3'] };
    const message = { method: 'subscriptions/listen', params: { notifications } };
    const operation = readOperation(catalog, message, context, { stream: 'listen' });
    expect(await gate.admit(operation)).toMatchObject({ refusal: { reason: 'unavailable' } });
    expect(events.flatMap((event) => (event.kind === 'attempt' ? [urisOf(event)] : []))).toEqual([
      'a://1',
      'a://3',
    ]);
    const closed = events.flatMap((event) =>
      event.kind === 'outcome' ? [[urisOf(event), event.status]] : [],
    );
    expect(closed).toEqual([
      ['a://1', 'not_run'],
      ['a://3', 'not_run'],
    ]);
  });
});

beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['error']));

describe('An authorizer', () => {
  it('that permits lets a call run, between its attempt and its outcome', async () => {
    const { events, ran } = await call({});
    expect(ran).toEqual([{ id: 'r-1' }]);
    expect(events.map(({ kind }) => kind)).toEqual(['attempt', 'outcome']);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('the policy broke');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the policy broke'))],
    ['answers nothing', () => undefined],
    ['answers null', () => null],
    ['answers true', () => true],
    ['answers with a word', () => 'permit'],
    ['answers with an empty object', () => ({})],
    ['answers with an unknown effect', () => ({ ...PERMIT, effect: 'allow' })],
    ['answers with a list of permits', () => [PERMIT]],
    ['answers with a permit in another case', () => ({ ...PERMIT, effect: 'PERMIT' })],
    ['answers with a String of the word', () => ({ ...PERMIT, effect: Object('permit') as unknown })],
    ['answers with a promise in a promise', () => ({ decision: PERMIT })],
    ['refuses without a reason', () => ({ effect: 'refuse', checks: [], scopes: [], policyVersion: '' })],
  ])('that %s refuses, and the refusal is recorded', async (_what, authorize) => {
    const { admission, events, ran } = await call({ authorize });
    expect(ran).toEqual([]);
    expect(admission).toMatchObject({ kind: 'refused', refusal: { reason: 'internal_error', status: 500 } });
    expect(events).toMatchObject([{ kind: 'refusal', reason: 'decision_failed' }]);
  });

  it.each(['tenant', 'role', 'unknown_entry', 'a reason nobody knows'])(
    'that refuses for "%s" gives the answer of an unknown name',
    async (reason) => {
      const authorize = () => ({ effect: 'refuse', reason, checks: [], scopes: [], policyVersion: '' });
      const { admission, ran } = await call({ authorize });
      expect(admission).toMatchObject({ kind: 'refused', refusal: { reason: 'unknown', code: -32602 } });
      expect(ran).toEqual([]);
    },
  );

  it('that permits what does not exist, permits nothing', async () => {
    const { admission, events } = await call({}, 'nothing');
    expect(admission).toMatchObject({ kind: 'refused', refusal: { reason: 'unknown' } });
    expect(events).toMatchObject([{ kind: 'refusal', reason: 'unknown_entry' }]);
  });

  it('that changes its mind about the arguments has the last word', async () => {
    let asked = 0;
    const authorize = () => {
      asked += 1;
      return asked === 1
        ? PERMIT
        : { effect: 'refuse', reason: 'role', checks: [], scopes: [], policyVersion: '' };
    };
    const { admission, ran } = await call({ authorize });
    expect(admission.kind).toBe('refused');
    expect(ran).toEqual([]);
  });

  it('that holds lets nothing run', async () => {
    const { admission, ran } = await call({ authorize: () => ({ ...PERMIT, effect: 'hold' }) });
    expect(admission).toMatchObject({ refusal: { reason: 'approval_required' } });
    expect(ran).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broke');
      },
    ],
    ['promises false', async () => false],
    ['promises 1', async () => 1],
    ['rejects', () => Promise.reject(new Error('broke'))],
    ['answers 1', () => 1],
    ['answers nothing', () => undefined],
  ])('whose visibility %s hides the entry', async (_what, isVisible) => {
    const { gate, catalog } = gateOf({ isVisible });
    const admission = await gate.admit(readOperation(catalog, { method: 'tools/list', params: {} }, context));
    expect(admission).toEqual({ kind: 'listed', entries: [] });
  });

  it.each([() => true, async () => true])(
    'shows an entry that is visible, said or promised',
    async (isVisible) => {
      const { gate, catalog } = gateOf({ isVisible });
      const admission = await gate.admit(
        readOperation(catalog, { method: 'tools/list', params: {} }, context),
      );
      expect(admission).toEqual({ kind: 'listed', entries: catalog.of('tools/list') });
    },
  );

  it('decides within the call, so that what it loads is for its caller', async () => {
    const seen: unknown[] = [];
    const authorize = () => {
      seen.push(currentCall()?.principal?.subject);
      return PERMIT;
    };
    const isVisible = async () => seen.push(currentCall()?.principal?.tenant) > 0;
    await call({ authorize });
    const { gate, catalog } = gateOf({ isVisible });
    await gate.admit(readOperation(catalog, { method: 'tools/list', params: {} }, context));
    expect({ seen, outside: currentCall() }).toEqual({
      seen: ['alice', 'alice', 'acme'],
      outside: undefined,
    });
  });
});

describe('A trail', () => {
  it.each(['attempt', 'refusal', 'list'])('that cannot record a %s refuses with 503', async (kind) => {
    const record = async (event: AuditEvent) => {
      if (event.kind === kind) throw new Error('disk full');
    };
    const authorize = () =>
      kind === 'refusal'
        ? { effect: 'refuse', reason: 'role', checks: [], scopes: [], policyVersion: '' }
        : PERMIT;
    const { gate, catalog, ran } = gateOf({ record, authorize });
    const message =
      kind === 'list'
        ? { method: 'tools/list', params: {} }
        : { method: 'tools/call', params: { name: 'open', arguments: { id: 'r-1' } } };
    const admission = await gate.admit(readOperation(catalog, message, context));
    expect(admission).toMatchObject({ kind: 'refused', refusal: { reason: 'unavailable', status: 503 } });
    expect(ran).toEqual([]);
  });

  it('that throws at once is no better', async () => {
    const record = () => {
      throw new Error('disk full');
    };
    expect((await call({ record })).admission).toMatchObject({ refusal: { status: 503 } });
  });
});

describe('Revocations', () => {
  it('that cannot be found out refuse everything', async () => {
    const { admission, ran } = await call({ revoked: () => Promise.reject(new Error('store is down')) });
    expect(admission).toMatchObject({ kind: 'refused', refusal: { reason: 'unavailable', status: 503 } });
    expect(ran).toEqual([]);
  });

  it('of a caller answer as an invalid credential does', async () => {
    const revoked = async () => ({ ...NOTHING_REVOKED, isRevoked: () => true });
    const { admission, events, ran } = await call({ revoked });
    expect(admission).toMatchObject({ kind: 'refused', refusal: { reason: 'invalid_token', status: 401 } });
    expect(events).toMatchObject([{ kind: 'refusal', reason: 'revoked' }]);
    expect(ran).toEqual([]);
  });

  it('of an entry answer as a name that does not exist', async () => {
    const revoked = async () => ({ ...NOTHING_REVOKED, isEntryRevoked: () => true });
    const gone = await call({ revoked });
    const never = await call({}, 'nothing');
    const told = [gone, never].map(({ admission }) => 'refusal' in admission && admission.refusal);
    expect(told[0]).toEqual(told[1]);
    expect(told[0]).toMatchObject({ reason: 'unknown' });
    expect(gone.ran).toEqual([]);
  });
});

describe('Identifying', () => {
  const credential = { headers: { authorization: 'Bearer x' }, via: 'http' } as const;

  it.each<[string, Authentication, unknown]>([
    ['anonymous', { kind: 'anonymous' }, { kind: 'identified', principal: undefined }],
    ['a principal', { kind: 'principal', principal: alice }, { kind: 'identified', principal: alice }],
    ['a failure', { kind: 'failed', reason: 'expired' }, { kind: 'refused', refusal: { status: 401 } }],
    ['no provider', { kind: 'unavailable', source: 'okta' }, { kind: 'refused', refusal: { status: 503 } }],
  ])('%s', async (_what, authentication, expected) => {
    const { gate, events } = gateOf({ authenticate: () => authentication });
    expect(await gate.identify(credential)).toMatchObject(expected as object);
    const isRefused = authentication.kind === 'failed' || authentication.kind === 'unavailable';
    expect(events).toHaveLength(isRefused ? 1 : 0);
  });

  it.each([{ kind: 'ok', principal: alice }, { principal: alice }, {}, true, alice])(
    'takes the odd answer %j for nobody it knows',
    async (answer) => {
      const { gate } = gateOf({ authenticate: () => answer });
      expect(await gate.identify(credential)).toMatchObject({ kind: 'refused' });
    },
  );

  it('does not say 401 when it cannot record the failure', async () => {
    const authenticate = () => ({ kind: 'failed', reason: 'expired' });
    const { gate } = gateOf({ authenticate, record: () => Promise.reject(new Error('disk full')) });
    expect(await gate.identify(credential)).toMatchObject({ refusal: { status: 503 } });
  });
});

describe('Over the limit on failed authentications', () => {
  const credential = { headers: { authorization: 'Bearer x' }, via: 'http', address: '192.0.2.7' } as const;

  async function refusals(times: number, next: () => Promise<{ readonly kind: string }>): Promise<unknown[]> {
    const statuses: unknown[] = [];
    for (let time = 0; time < times; time += 1) {
      const result = await next();
      statuses.push('refusal' in result && (result.refusal as { status: number }).status);
    }
    return [...new Set(statuses)].map((status) => [
      status,
      statuses.filter((each) => each === status).length,
    ]);
  }

  it('a credential that fails is answered 429, and shares a record', async () => {
    const { gate, events } = gateOf({ authenticate: () => ({ kind: 'failed', reason: 'expired' }) });
    expect(await refusals(100, () => gate.identify(credential))).toEqual([
      [401, 30],
      [429, 70],
    ]);
    expect(events).toHaveLength(31);
    await gate.beforeApplicationShutdown();
    expect(events.at(-1)).toMatchObject({ reason: 'too_many', address: '192.0.2.7', counted: { count: 69 } });
  });

  it('an outage is still said to be one', async () => {
    const { gate, events } = gateOf({ authenticate: () => ({ kind: 'unavailable', source: 'okta' }) });
    expect(await refusals(100, () => gate.identify(credential))).toEqual([[503, 100]]);
    expect(events).toHaveLength(31);
  });

  it('what is revoked is not recorded with every call either', async () => {
    const revoked = async () => ({ ...NOTHING_REVOKED, isRevoked: () => true });
    const { gate, catalog, events } = gateOf({ revoked });
    const message = { method: 'tools/call', params: { name: 'open', arguments: { id: 'r-1' } } };
    expect(await refusals(100, () => gate.admit(readOperation(catalog, message, context)))).toEqual([
      [401, 30],
      [429, 70],
    ]);
    expect(events).toHaveLength(31);
    expect(events[0]).toMatchObject({ kind: 'refusal', reason: 'revoked' });
  });

  it('a good credential is judged, and lets its caller in', async () => {
    let answer: Authentication = { kind: 'failed', reason: 'expired' };
    const { gate } = gateOf({ authenticate: () => answer });
    await refusals(40, () => gate.identify(credential));
    answer = { kind: 'principal', principal: alice };
    expect(await gate.identify(credential)).toEqual({ kind: 'identified', principal: alice });
  });
});

it('reads nothing of the application before the caller is known to be allowed', async () => {
  let validated = 0;
  const input = z.object({}).refine(() => {
    validated += 1;
    return true;
  });
  const options = { name: 'open', description: 'Opens.', scopes: ['a'], risk: 'read', input };
  const built = buildEntry({ kind: 'tool', options } as never, 'Tools.open');
  if (!('entry' in built)) throw new Error('The entry is good.');
  const { gate } = gateOf({
    authorize: () => ({ effect: 'refuse', reason: 'role', checks: [], scopes: [], policyVersion: '' }),
  });
  const message = { method: 'tools/call', params: { name: 'open', arguments: {} } };
  await gate.admit(readOperation(new Catalog([built]), message, context));
  expect(validated).toBe(0);
});
