import type { Writable } from 'node:stream';
import { classifyInboundRequest, isSpecType, SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/server';
import type { CallPipeline } from '../call/call-pipeline.js';
import type { EntryKind } from '../catalog/entry.js';
import type { Admission } from '../gate/gate.js';
import type { Change, Subscriber, Subscription } from '../subscriptions/subscription.js';
import type { Subscriptions } from '../subscriptions/subscriptions.js';
import { tooManySubscriptions } from '../subscriptions/too-many-subscriptions.js';
import { invalidArguments, methodNotFound, type Refusal } from '../gate/refusal.js';

type Id = string | number;
type Listening = Extract<Admission, { kind: 'listening' }>;

const LIST_CHANGED: Record<EntryKind, string> = {
  tool: 'notifications/tools/list_changed',
  prompt: 'notifications/prompts/list_changed',
  resource: 'notifications/resources/list_changed',
};

/**
 * The streams of `subscriptions/listen` on one stdio connection. The SDK's own would follow whatever it is asked to, and
 * cannot end one of several, so these messages do not reach it.
 */
export class StdioListening {
  readonly #open = new Map<Id, Subscription>();

  constructor(
    private readonly output: Writable,
    private readonly subscriptions: Subscriptions,
    private readonly pipeline: CallPipeline,
  ) {}

  /** Acknowledges what was cleared, and follows it until the stream ends; gives what refuses it. */
  async open(id: Id, { lists, resources }: Listening, subscriber: Subscriber): Promise<Refusal | undefined> {
    const close = () => this.#complete(id);
    const send = (change: Change) => this.#notify(id, change);
    const subscription = this.#open.has(id)
      ? undefined
      : this.subscriptions.open(subscriber, lists, { send, close });
    if (subscription === undefined) {
      for (const { call, clearance } of resources) await this.pipeline.discard(call, clearance);
      return tooManySubscriptions();
    }
    this.#open.set(id, subscription);
    this.#acknowledge(
      id,
      lists,
      resources.map(({ call }) => call.target),
    );
    for (const { call, clearance } of resources)
      await subscription.follow(this.pipeline.follow(call, clearance));
    // As over HTTP: a stream on which nothing can ever be told ends with its acknowledgement.
    if (lists.length === 0 && resources.length === 0) await subscription.end('completed');
    return undefined;
  }

  /** The client has cancelled this request; whether it was one of these. */
  async cancel(id: unknown): Promise<boolean> {
    if (typeof id !== 'string' && typeof id !== 'number') return false;
    const subscription = this.#open.get(id);
    // After a cancellation nothing is sent, not even that it has ended.
    this.#open.delete(id);
    await subscription?.end('completed');
    return subscription !== undefined;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((subscription) => subscription.end('completed')));
  }

  #acknowledge(id: Id, lists: readonly EntryKind[], uris: readonly string[]): void {
    const notifications = {
      ...(lists.includes('tool') ? { toolsListChanged: true } : {}),
      ...(lists.includes('prompt') ? { promptsListChanged: true } : {}),
      ...(lists.includes('resource') ? { resourcesListChanged: true } : {}),
      ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}),
    };
    this.#write(id, 'notifications/subscriptions/acknowledged', { notifications });
  }

  #notify(id: Id, change: Change): void {
    if (!this.#open.has(id)) return;
    if (change.kind === 'list') this.#write(id, LIST_CHANGED[change.of], {});
    else this.#write(id, 'notifications/resources/updated', { uri: change.uri });
  }

  #complete(id: Id): void {
    if (!this.#open.delete(id)) return;
    const result = { resultType: 'complete', _meta: { [SUBSCRIPTION_ID_META_KEY]: id } };
    this.output.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
  }

  #write(id: Id, method: string, params: object): void {
    const stamped = { ...params, _meta: { [SUBSCRIPTION_ID_META_KEY]: id } };
    this.output.write(`${JSON.stringify({ jsonrpc: '2.0', method, params: stamped })}\n`);
  }
}

/** What is wrong with a `subscriptions/listen`, by the SDK's own rules; `undefined`: it is one of 2026-07-28. */
export function listenFault(body: Record<string, unknown>): Refusal | undefined {
  const outcome = classifyInboundRequest({ httpMethod: 'POST', body });
  if (outcome.kind === 'reject') return { ...methodNotFound(), code: outcome.code, message: outcome.message };
  if (outcome.kind === 'legacy') return methodNotFound();
  const { params } = body;
  const filter =
    typeof params === 'object' && params !== null && 'notifications' in params
      ? params.notifications
      : undefined;
  return isSpecType.SubscriptionFilter(filter)
    ? undefined
    : invalidArguments(['notifications: expected a filter']);
}
