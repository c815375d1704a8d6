import { createMcpHandler } from '@modelcontextprotocol/server';
import type { CallPipeline } from '../call/call-pipeline.js';
import type { Catalog } from '../catalog/catalog.js';
import {
  createProtocolServer,
  type Conversation,
  type ProtocolServerOptions,
} from '../protocol/protocol-server.js';
import type { Exchange } from './exchange.js';

/**
 * The seam between an admitted exchange and its answer: everything in front of it (limits, identity, decision, attempt)
 * and behind it (pipeline, outcome) stays when another lane is put in its place.
 */
export interface Dispatch {
  (exchange: Exchange, signal: AbortSignal): Promise<Response>;
}

/** Dispatches through the SDK's own handler, both eras from one endpoint. */
export function sdkDispatch(
  catalog: Catalog,
  pipeline: CallPipeline,
  options: ProtocolServerOptions,
): Dispatch {
  const exchanges = new WeakMap<Request, Exchange>();
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const exchange = requestInfo === undefined ? undefined : exchanges.get(requestInfo);
      if (exchange === undefined) throw new Error('No exchange, no server.');
      return createProtocolServer(catalog, options, conversationOf(exchange, pipeline));
    },
    { legacy: 'stateless' },
  );
  return async (exchange, signal) => {
    const request = sdkRequest(exchange, options.server.resource, signal);
    exchanges.set(request, exchange);
    return handler.fetch(request, { parsedBody: exchange.message?.body });
  };
}

/** The SDK sees the headers of the protocol and none other: no credential travels further than the identity guard. */
function sdkRequest(exchange: Exchange, url: string, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(exchange.arrival.headers)) {
    const ofProtocol = name.startsWith('mcp-') || name === 'accept' || name === 'content-type';
    if (ofProtocol && typeof value === 'string') headers.set(name, value);
  }
  return new Request(url, { method: 'POST', headers, signal });
}

/** Answers from what the gate has already decided for this exchange. One exchange carries one message, so one call. */
function conversationOf(exchange: Exchange, pipeline: CallPipeline): Conversation {
  const { admission } = exchange;
  if (admission === undefined) throw new Error('Nothing was admitted, so nothing is dispatched.');
  return {
    list: async () => {
      if (admission.kind === 'listed' || admission.kind === 'refused') return admission;
      throw new Error('This exchange was not admitted as a list.');
    },
    call: async (_, running) => {
      if (admission.kind === 'refused') return admission;
      if (admission.kind !== 'cleared') throw new Error('This exchange was not admitted as a call.');
      const { call, clearance } = admission;
      return { kind: 'ran', entry: call.entry, ran: await pipeline.run(call, clearance, running) };
    },
  };
}
