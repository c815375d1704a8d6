import { buildEntry } from '../catalog/build-entry.js';
import { Catalog } from '../catalog/catalog.js';
import type { AuditEvent } from '../gate/audit-event.js';
import { Gate } from '../gate/gate.js';
import type { Authenticator, Authorizer, Revocations, RevocationView } from '../gate/ports.js';
import { CallPipeline } from './call-pipeline.js';
import { readOperation } from './operation.js';

const NOTHING_REVOKED: RevocationView = { isRevoked: () => false, isEntryRevoked: () => false };
const context = {
  id: 'call-1',
  receivedAt: new Date(),
  server: { name: 'test', version: '1', resource: 'https://mcp.example/mcp' },
  via: 'http',
  protocol: '2025-11-25',
  principal: {
    kind: 'user',
    issuer: 'https://id.example',
    subject: 'alice',
    actors: [],
    scopes: [],
    roles: [],
    credential: { kind: 'jwt' },
    claims: {},
  },
  address: undefined,
  traceparent: undefined,
} as const;

async function cleared() {
  const events: AuditEvent[] = [];
  let revoke: ((view: RevocationView) => void) | undefined;
  const revocations: Revocations = {
    current: async () => NOTHING_REVOKED,
    onChange: (listener) => {
      revoke = listener;
      return () => undefined;
    },
  };
  const decision = { effect: 'permit', checks: [], policyVersion: 'v1' } as const;
  const authorizer: Authorizer = { authorize: () => decision, isVisible: () => true };
  const nobody: unknown = { authenticate: async () => ({ kind: 'anonymous' }), recognizes: () => false };
  const trail = {
    record: async (event: AuditEvent) => {
      events.push(event);
    },
  };
  const options = { name: 'page', uri: 'crm://1', description: 'A page.', scopes: ['a'] } as const;
  const built = buildEntry({ kind: 'resource', options }, 'Pages.page');
  if (!('entry' in built)) throw new Error('The entry is good.');
  const catalog = new Catalog([built]);
  const gate = new Gate(catalog, nobody as Authenticator, authorizer, trail, revocations, {
    server: context.server,
    anonymous: 'refuse',
    signInScopes: [],
  });
  const pipeline = new CallPipeline(gate, trail, revocations);
  const ran: string[] = [];
  pipeline.bind(built.entry, async () => {
    ran.push('handler');
    return 'a page';
  });
  const message = { method: 'resources/subscribe', params: { uri: 'crm://1' } };
  const admission = await gate.admit(readOperation(catalog, message, context, { stream: 'session' }));
  if (admission.kind !== 'cleared') throw new Error('It is permitted.');
  const outcomes = () =>
    events.flatMap((event) => (event.kind === 'outcome' ? [[event.status, event.cause]] : []));
  return {
    pipeline,
    admission,
    ran,
    outcomes,
    revokeAll: () => revoke?.({ ...NOTHING_REVOKED, isRevoked: () => true }),
  };
}

const running = { signal: new AbortController().signal, reportProgress: async () => undefined };

describe('A clearance to follow a resource', () => {
  it('is none to read it: no handler runs', async () => {
    const { pipeline, admission, ran, outcomes } = await cleared();
    const { kind } = await pipeline.run(admission.call, admission.clearance, running);
    expect({ kind, ran, outcomes: outcomes() }).toEqual({
      kind: 'error',
      ran: [],
      outcomes: [['not_run', undefined]],
    });
  });

  it('is good once', async () => {
    const { pipeline, admission } = await cleared();
    pipeline.follow(admission.call, admission.clearance);
    expect(() => pipeline.follow(admission.call, admission.clearance)).toThrow('No clearance, no run');
  });

  it('has one outcome, however often it is ended', async () => {
    const { pipeline, admission, outcomes } = await cleared();
    const followed = pipeline.follow(admission.call, admission.clearance);
    await Promise.all([followed.end('completed'), followed.end('aborted')]);
    expect(outcomes()).toEqual([['completed', undefined]]);
  });

  it('says in its outcome why the right to it ended', async () => {
    const lapsed = await cleared();
    await lapsed.pipeline.follow(lapsed.admission.call, lapsed.admission.clearance).end('aborted');
    expect(lapsed.outcomes()).toEqual([['aborted', 'lapsed']]);
    const revoked = await cleared();
    const followed = revoked.pipeline.follow(revoked.admission.call, revoked.admission.clearance);
    revoked.revokeAll();
    await followed.end('aborted');
    expect(revoked.outcomes()).toEqual([['aborted', 'revoked']]);
  });

  it('tells when the caller is revoked, before it was opened or after', async () => {
    const after = await cleared();
    const followed = after.pipeline.follow(after.admission.call, after.admission.clearance);
    expect(followed.revoked.aborted).toBe(false);
    after.revokeAll();
    expect(followed.revoked.aborted).toBe(true);
    const before = await cleared();
    before.revokeAll();
    expect(before.pipeline.follow(before.admission.call, before.admission.clearance).revoked.aborted).toBe(
      true,
    );
  });
});
