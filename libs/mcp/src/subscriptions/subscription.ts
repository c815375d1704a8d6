import type { Followed } from '../call/call-pipeline.js';
import type { McpCall } from '../call/mcp-call.js';
import type { Origin } from '../call/operation.js';
import type { Entry, EntryKind } from '../catalog/entry.js';
import type { Gate, Identified } from '../gate/gate.js';
import type { Principal } from '../principal.js';
import { isSamePrincipal } from './same-principal.js';

/** What a client is told: that something changed, never what. */
export type Change =
  { readonly kind: 'resource'; readonly uri: string } | { readonly kind: 'list'; readonly of: EntryKind };

/** The transport's side of a stream. */
export interface Listener {
  /** Hands one notification to the transport. */
  readonly send: (change: Change) => void;
  /** Ends the stream; nothing is sent after it. */
  readonly close: () => void;
}

/** For whom a stream is, and how their credential is judged again. */
export interface Subscriber {
  readonly principal: Principal | undefined;
  /** Whom bounds count against. */
  readonly key: string;
  /** Over which way, and from where. */
  readonly from: Origin;
  readonly identifyAgain: () => Promise<Identified>;
}

/** How long a stream may live, and what ends it. */
export interface Lifetime {
  /** `undefined`: as long as its session or connection. */
  readonly maxSeconds: number | undefined;
  /** What becomes of the stream when one resource may no longer be followed: it ends, or that resource is forgotten. */
  readonly onLoss: 'end' | 'forget';
}

/** A timer of node holds 31 bits of milliseconds; longer waits are not needed here. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * One open stream. Before each notification the credential is judged and the resource is decided on again: the stream
 * ends when either is no longer good, when the caller is revoked, when the credential expires, and after its time.
 */
export class Subscription {
  readonly #followed = new Map<string, Followed>();
  readonly #busy = new Map<string, { again: boolean }>();
  readonly #timer: NodeJS.Timeout | undefined;
  #subscriber: Subscriber;
  #ended: Promise<void> | undefined;

  constructor(
    private readonly gate: Gate,
    subscriber: Subscriber,
    /** Kinds whose lists the client is told of. */
    private readonly lists: ReadonlySet<EntryKind>,
    private readonly listener: Listener,
    private readonly lifetime: Lifetime,
    private readonly onEnd: (ended: Subscription) => void,
  ) {
    this.#subscriber = subscriber;
    this.#timer = this.#startTimer(lifetime.maxSeconds);
  }

  get subscriber(): Subscriber {
    return this.#subscriber;
  }

  /** The same principal came back with this credential, which counts from now on. */
  renew(principal: Principal | undefined, identifyAgain: Subscriber['identifyAgain']): void {
    if (!isSamePrincipal(principal, this.#subscriber.principal)) return;
    this.#subscriber = { ...this.#subscriber, principal, identifyAgain };
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  get following(): number {
    return this.#followed.size;
  }

  /** From now on the client is told of this resource. */
  async follow(followed: Followed): Promise<void> {
    const { target } = followed.call;
    if (!this.isOpen || this.#followed.has(target))
      return followed.end(this.isOpen ? 'completed' : 'not_run');
    this.#followed.set(target, followed);
    const onRevoked = () => void this.#lose(target);
    if (followed.revoked.aborted) onRevoked();
    else followed.revoked.addEventListener('abort', onRevoked, { once: true });
  }

  async unfollow(uri: string): Promise<void> {
    const followed = this.#followed.get(uri);
    this.#followed.delete(uri);
    await followed?.end('completed');
  }

  /** This entry is gone. */
  async entryRemoved(entry: Entry): Promise<void> {
    const lost = [...this.#followed.values()].filter(({ call }) => call.entry === entry);
    for (const { call } of lost) await this.#lose(call.target);
  }

  /** Tells of an update, when the client follows this resource and still may. */
  async resourceChanged(uri: string): Promise<void> {
    if (!this.#followed.has(uri)) return;
    await this.#once(`resource ${uri}`, async () => {
      const followed = this.#followed.get(uri);
      if (followed === undefined) return;
      const principal = await this.#identifyAgain();
      if (principal === NOBODY) return;
      const call: McpCall = Object.freeze({ ...followed.call, principal });
      if (!(await this.gate.stillPermits(call))) return this.#lose(uri);
      if (this.isOpen && this.#followed.has(uri)) this.listener.send({ kind: 'resource', uri });
    });
  }

  /** Tells that a list has changed; `isKnown` says whether this principal may know of what changed it. */
  async listChanged(
    of: EntryKind,
    isKnown: (principal: Principal | undefined) => Promise<boolean>,
  ): Promise<void> {
    if (!this.lists.has(of) || !this.isOpen) return;
    const principal = await this.#identifyAgain();
    if (principal === NOBODY || !(await isKnown(principal))) return;
    if (this.isOpen) this.listener.send({ kind: 'list', of });
  }

  /** Ends the stream; resolves when every outcome is committed. */
  end(status: 'completed' | 'aborted'): Promise<void> {
    this.#ended ??= this.#end(status);
    return this.#ended;
  }

  async #end(status: 'completed' | 'aborted'): Promise<void> {
    clearTimeout(this.#timer);
    this.onEnd(this);
    this.listener.close();
    const followed = [...this.#followed.values()];
    this.#followed.clear();
    await Promise.all(followed.map((one) => one.end(status)));
  }

  /** The right to one resource has ended. */
  async #lose(uri: string): Promise<void> {
    if (this.lifetime.onLoss === 'end') return this.end('aborted');
    const followed = this.#followed.get(uri);
    this.#followed.delete(uri);
    await followed?.end('aborted');
  }

  /** What has a time of its own ends with it, or with the credential, whichever comes first. */
  #startTimer(maxSeconds: number | undefined): NodeJS.Timeout | undefined {
    if (maxSeconds === undefined) return undefined;
    const expiresAt = this.#subscriber.principal?.credential.expiresAt ?? Infinity;
    const untilExpiry = Math.max(0, expiresAt * 1000 - Date.now());
    const lives = Math.min(maxSeconds * 1000, untilExpiry, LONGEST_TIMER_MS);
    const status = lives === untilExpiry ? 'aborted' : 'completed';
    return setTimeout(() => void this.end(status), lives).unref();
  }

  /** The credential, judged anew; when it is not good any more, or is another's, the stream is over. */
  async #identifyAgain(): Promise<Principal | undefined | typeof NOBODY> {
    const { principal, identifyAgain } = this.#subscriber;
    const identified = await identifyAgain();
    const isSame = identified.kind === 'identified' && isSamePrincipal(identified.principal, principal);
    if (isSame && this.isOpen) return identified.principal;
    await this.end('aborted');
    return NOBODY;
  }

  /** One at a time: what changes meanwhile, however often, is told of once more. */
  async #once(what: string, tell: () => Promise<void>): Promise<void> {
    const busy = this.#busy.get(what);
    if (busy !== undefined) {
      busy.again = true;
      return;
    }
    const mine = { again: true };
    this.#busy.set(what, mine);
    try {
      while (mine.again && this.isOpen) {
        mine.again = false;
        await tell();
      }
    } finally {
      this.#busy.delete(what);
    }
  }
}

const NOBODY = Symbol('nobody');
