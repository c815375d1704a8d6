import { createMcpHandler } from '@modelcontextprotocol/server';
import type { CallPipeline } from '../call/call-pipeline.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Gate } from '../gate/gate.js';
import { RefusalException } from '../gate/refusal.js';
import {
  createProtocolServer,
  type Conversation,
  type ProtocolServerOptions,
} from '../protocol/protocol-server.js';
import { subscriberKey } from '../subscriptions/same-principal.js';
import type { Subscriptions } from '../subscriptions/subscriptions.js';
import { tooManySubscriptions } from '../subscriptions/too-many-subscriptions.js';
import { surfaceOf, type Exchange } from './exchange.js';
import { identifyAgain } from './identify-again.js';
import { listen, type Listening } from './listen.js';

/**
 * The seam between an admitted exchange and its answer: everything in front of it (limits, identity, decision, attempt)
 * and behind it (pipeline, outcome) stays when another lane is put in its place.
 */
export interface Dispatch {
  (exchange: Exchange, signal: AbortSignal): Promise<Response>;
}

/** What the lanes work with. */
export interface Lanes {
  readonly catalog: Catalog;
  readonly gate: Gate;
  readonly pipeline: CallPipeline;
  readonly subscriptions: Subscriptions;
  readonly options: ProtocolServerOptions;
  /** Whether `subscriptions/listen` is served. */
  readonly canListen: boolean;
}

/** Dispatches through the SDK's own handler, both eras from one endpoint. */
export function sdkDispatch({ catalog, pipeline, options, canListen }: Lanes): Dispatch {
  const exchanges = new WeakMap<Request, Exchange>();
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const exchange = requestInfo === undefined ? undefined : exchanges.get(requestInfo);
      if (exchange === undefined) throw new Error('No exchange, no server.');
      const conversation = conversationOf(() => exchange, pipeline);
      return createProtocolServer(catalog, options, conversation, surfaceOf(exchange, canListen));
    },
    { legacy: 'stateless' },
  );
  return async (exchange, signal) => {
    // The SDK would open a stream before it asks for a server, and so before anybody is asked.
    if (exchange.message?.message?.method === 'subscriptions/listen')
      throw new Error('A stream was not admitted.');
    const request = sdkRequest(exchange, options.server.resource, signal);
    exchanges.set(request, exchange);
    return handler.fetch(request, { parsedBody: exchange.message?.body });
  };
}

/** The long answer of `subscriptions/listen`: it ends with the client, with its time, and with the right to it. */
export function listenDispatch({ catalog, gate, pipeline, subscriptions, options }: Lanes): Dispatch {
  return async (exchange, signal) => {
    const { admission, message, arrival, identity } = exchange;
    if (admission?.kind !== 'listening' || message === undefined || identity === undefined)
      throw new Error('This exchange was not admitted to listen.');
    const leave = new AbortController();
    const request = sdkRequest(exchange, options.server.resource, AbortSignal.any([signal, leave.signal]));
    const { response, listener, isOpen } = await listen(catalog, options, request, message.body, admission);
    // The stream may be open for an hour, and what asked for it may be large.
    exchange.message = { ...message, body: {}, message: undefined };
    if (!isOpen) {
      await discard(pipeline, admission);
      return response;
    }
    const { principal } = identity;
    const key = subscriberKey(principal, arrival.address);
    const from = { via: 'http', address: arrival.address } as const;
    const subscriber = { principal, key, from, identifyAgain: identifyAgain(gate, exchange) };
    const subscription = subscriptions.open(subscriber, admission.lists, listener);
    if (subscription === undefined) {
      leave.abort();
      await discard(pipeline, admission);
      throw new RefusalException(tooManySubscriptions());
    }
    signal.addEventListener('abort', () => void subscription.end('completed'), { once: true });
    for (const { call, clearance } of admission.resources)
      await subscription.follow(pipeline.follow(call, clearance));
    if (signal.aborted) await subscription.end('completed');
    return response;
  };
}

async function discard(pipeline: CallPipeline, { resources }: Listening): Promise<void> {
  for (const { call, clearance } of resources) await pipeline.discard(call, clearance);
}

/** The SDK sees the headers of the protocol and none other: no credential travels further than the identity guard. */
export function sdkRequest({ arrival, method }: Exchange, url: string, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(arrival.headers)) {
    const ofProtocol = name.startsWith('mcp-') || name === 'accept' || name === 'content-type';
    if (ofProtocol && typeof value === 'string') headers.set(name, value);
  }
  return new Request(url, { method, headers, signal });
}

/** Answers from what the gate has already decided for an exchange. One exchange carries one message, so one call. */
export function conversationOf(
  exchangeOf: (request: Request | undefined) => Exchange | undefined,
  pipeline: CallPipeline,
): Conversation {
  const admissionFor = (request: Request | undefined) => {
    const admission = exchangeOf(request)?.admission;
    if (admission === undefined) throw new Error('Nothing was admitted, so nothing is dispatched.');
    return admission;
  };
  return {
    list: async (_, { request }) => {
      const admission = admissionFor(request);
      if (admission.kind === 'listed' || admission.kind === 'refused') return admission;
      throw new Error('This exchange was not admitted as a list.');
    },
    call: async (_, running, { request }) => {
      const admission = admissionFor(request);
      if (admission.kind === 'refused') return admission;
      if (admission.kind !== 'cleared') throw new Error('This exchange was not admitted as a call.');
      const { call, clearance } = admission;
      return { kind: 'ran', entry: call.entry, ran: await pipeline.run(call, clearance, running) };
    },
  };
}
