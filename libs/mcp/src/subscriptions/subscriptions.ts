import { Logger } from '@nestjs/common';
import type { Entry, EntryKind } from '../catalog/entry.js';
import type { Gate } from '../gate/gate.js';
import type { Revocations, RevocationView } from '../gate/ports.js';
import { stackOf } from '../stack-of.js';
import type { SubscriptionLimits } from './subscription-limits.js';
import { Subscription, type Lifetime, type Listener, type Subscriber } from './subscription.js';

/** Every open stream of this process, and what they are told. */
export class Subscriptions {
  readonly #logger = new Logger('Sallyport');
  readonly #open = new Set<Subscription>();
  #isClosed = false;
  #latest: RevocationView | undefined;

  constructor(
    private readonly gate: Gate,
    private readonly limits: SubscriptionLimits,
    revocations: Revocations,
  ) {
    revocations.onChange((view) => this.#endRevoked(view));
  }

  /** How many streams are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Opens a stream; `undefined`: there are too many, of this principal or in all, or the server is stopping. */
  open(subscriber: Subscriber, lists: Iterable<EntryKind>, listener: Listener): Subscription | undefined {
    if (this.#isClosed) return undefined;
    const own = [...this.#open].filter((one) => one.subscriber.key === subscriber.key).length;
    if (own >= this.limits.maxPerPrincipal || this.#open.size >= this.limits.max) return undefined;
    return this.#start(subscriber, lists, listener, {
      maxSeconds: this.limits.maxSeconds,
      onLoss: 'end',
    });
  }

  /** The stream of a session or connection of 2025, which are bounded themselves: told of all lists without asking. */
  openConnection(subscriber: Subscriber, listener: Listener): Subscription {
    const lists: readonly EntryKind[] = ['tool', 'resource', 'prompt'];
    return this.#start(subscriber, lists, listener, { maxSeconds: undefined, onLoss: 'forget' });
  }

  /** Tells whoever follows this resource, and still may. Resolves when they have been told. */
  async resourceChanged(uri: string): Promise<void> {
    await this.#tell([...this.#open], (one) => one.resourceChanged(uri));
  }

  /** Tells of an entry that has come, whoever may know of it. */
  async entryAdded(entry: Entry): Promise<void> {
    await this.#tell([...this.#open], (one) =>
      one.listChanged(entry.kind, (principal) => this.gate.isKnownTo(entry, principal, one.subscriber.from)),
    );
  }

  /** To be asked before an entry goes: gives the way to tell, once it is gone, whoever knew of it. */
  async beforeRemoval(entry: Entry): Promise<() => Promise<void>> {
    const open = [...this.#open];
    const known = await Promise.all(
      open.map(({ subscriber: { principal, from } }) => this.gate.isKnownTo(entry, principal, from)),
    );
    const audience = open.filter((_, index) => known[index]);
    return async () => {
      await this.#tell(open, (one) => one.entryRemoved(entry));
      await this.#tell(audience, (one) => one.listChanged(entry.kind, async () => true));
    };
  }

  /** Ends every stream, and opens none any more: a client that comes back at once would hold up the end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#tell([...this.#open], (one) => one.end('completed'));
  }

  #start(
    subscriber: Subscriber,
    lists: Iterable<EntryKind>,
    listener: Listener,
    lifetime: Lifetime,
  ): Subscription {
    const onEnd = (ended: Subscription) => this.#open.delete(ended);
    const subscription = new Subscription(this.gate, subscriber, new Set(lists), listener, lifetime, onEnd);
    this.#open.add(subscription);
    const latest = this.#latest;
    // A revocation may have come between the decision and here. Whoever opens the stream has to hold it first, or could
    // not end what depends on it.
    if (latest !== undefined && isRevoked(subscription, latest))
      queueMicrotask(() => void this.#tell([subscription], (one) => one.end('aborted')));
    return subscription;
  }

  /** Whoever is revoked is told of nothing more, even where no resource is followed that would end with the right to it. */
  #endRevoked(view: RevocationView): void {
    this.#latest = view;
    const revoked = [...this.#open].filter((one) => isRevoked(one, view));
    void this.#tell(revoked, (one) => one.end('aborted'));
  }

  /** What goes wrong with one stream ends that stream, and is nothing to the others. */
  async #tell(
    streams: readonly Subscription[],
    tell: (one: Subscription) => Promise<unknown>,
  ): Promise<void> {
    await Promise.all(
      streams.map(async (one) => {
        try {
          await tell(one);
        } catch (error) {
          this.#logger.error('A subscription failed and was ended.', stackOf(error));
          await one.end('aborted');
        }
      }),
    );
  }
}

function isRevoked({ subscriber: { principal } }: Subscription, view: RevocationView): boolean {
  return principal !== undefined && view.isRevoked(principal);
}
