import { setImmediate as settled } from 'node:timers/promises';
import { Catalog } from '../catalog/catalog.js';
import { Gate } from '../gate/gate.js';
import {
  type Authenticator,
  type AuditTrail,
  type Authorizer,
  Revocations,
  type RevocationView,
} from '../gate/ports.js';
import type { Principal } from '../principal.js';
import type { Subscriber, Subscription } from './subscription.js';
import { DEFAULT_SUBSCRIPTIONS } from './subscription-limits.js';
import { Subscriptions } from './subscriptions.js';

const alice: Principal = {
  kind: 'user',
  issuer: 'https://id.example',
  subject: 'alice',
  actors: [],
  scopes: [],
  roles: [],
  credential: { kind: 'jwt' },
  claims: {},
};
const subscriber: Subscriber = {
  principal: alice,
  key: 'alice',
  from: { via: 'stdio', address: undefined },
  identifyAgain: async () => ({ kind: 'identified', principal: alice }),
};
const ALICE_REVOKED: RevocationView = {
  isRevoked: ({ subject }) => subject === 'alice',
  isEntryRevoked: () => false,
};

class TestRevocations extends Revocations {
  readonly #listeners: ((view: RevocationView) => void)[] = [];

  async current(): Promise<RevocationView> {
    return ALICE_REVOKED;
  }

  onChange(listener: (view: RevocationView) => void): () => void {
    this.#listeners.push(listener);
    return () => undefined;
  }

  tell(view: RevocationView): void {
    for (const listener of this.#listeners) listener(view);
  }
}

function subscriptionsOf(revocations: Revocations): Subscriptions {
  const trail: AuditTrail = { record: async () => undefined };
  const authorizer: Authorizer = {
    authorize: () => ({ effect: 'permit', checks: [], policyVersion: 'v1' }),
    isVisible: () => true,
  };
  const authenticator: unknown = { authenticate: async () => ({ kind: 'anonymous' }) };
  const server = { name: 'test', version: '1', resource: 'https://mcp.example/mcp' };
  const options = { server, anonymous: 'refuse', signInScopes: [] } as const;
  const gate = new Gate(
    new Catalog([]),
    authenticator as Authenticator,
    authorizer,
    trail,
    revocations,
    options,
  );
  return new Subscriptions(gate, DEFAULT_SUBSCRIPTIONS, revocations);
}

describe('A caller who is revoked between the decision and the opening of a stream', () => {
  it.each([
    [
      'a stream',
      (subscriptions: Subscriptions, close: () => void) =>
        subscriptions.open(subscriber, ['tool'], { send: () => undefined, close }),
    ],
    [
      'the stream of a session',
      (subscriptions: Subscriptions, close: () => void) =>
        subscriptions.openConnection(subscriber, { send: () => undefined, close }),
    ],
  ])('finds %s ended, once whoever opened it holds it', async (_, open) => {
    const revocations = new TestRevocations();
    const subscriptions = subscriptionsOf(revocations);
    revocations.tell(ALICE_REVOKED);
    let held: Subscription | undefined;
    const heldAtClose: boolean[] = [];
    held = open(subscriptions, () => heldAtClose.push(held !== undefined));
    await settled();
    expect(held?.isOpen).toBe(false);
    expect(heldAtClose).toEqual([true]);
    expect(subscriptions.size).toBe(0);
  });
});
