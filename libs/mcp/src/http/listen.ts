import { createMcpHandler, InMemoryServerEventBus, type ServerEvent } from '@modelcontextprotocol/server';
import type { EntryKind } from '../catalog/entry.js';
import type { Catalog } from '../catalog/catalog.js';
import type { ClearedCall } from '../gate/gate.js';
import { isPlainObject } from '../frozen-json.js';
import { createProtocolServer, type ProtocolServerOptions } from '../protocol/protocol-server.js';
import type { Change, Listener } from '../subscriptions/subscription.js';
import { boundedStream } from './bounded-stream.js';

/** The answer to a `subscriptions/listen`, and the way to speak and to end on it. */
export interface ListenAnswer {
  readonly response: Response;
  readonly listener: Listener;
  /** Whether there is anything to be told of; otherwise the stream has ended with its acknowledgement. */
  readonly isOpen: boolean;
}

/** What was cleared of a `subscriptions/listen`. */
export interface Listening {
  readonly lists: readonly EntryKind[];
  readonly resources: readonly ClearedCall[];
}

/**
 * Answers `subscriptions/listen` with the SDK's own stream, over a bus of its own: what is published there has been
 * decided for this one client. The filter that the SDK sees, and acknowledges, holds nothing that was not cleared.
 */
export async function listen(
  catalog: Catalog,
  options: ProtocolServerOptions,
  request: Request,
  body: Record<string, unknown>,
  listening: Listening,
): Promise<ListenAnswer> {
  const bus = new InMemoryServerEventBus();
  const handler = createMcpHandler(
    () => createProtocolServer(catalog, options, SILENT, { stream: 'listen' }),
    { legacy: 'reject', bus },
  );
  const response = await handler.fetch(request, { parsedBody: narrowed(body, listening) });
  const close = () => void handler.close();
  return {
    response: boundedStream(response, close),
    listener: { send: (change) => bus.publish(eventOf(change)), close },
    isOpen: bus.listenerCount > 0,
  };
}

/** A server that is asked nothing: the SDK reads its capabilities and closes it. */
const SILENT = {
  list: () => Promise.reject(new Error('Nothing was admitted here.')),
  call: () => Promise.reject(new Error('Nothing was admitted here.')),
};

function narrowed(body: Record<string, unknown>, listening: Listening): Record<string, unknown> {
  const params = isPlainObject(body['params']) ? body['params'] : {};
  // What is no filter stays as it is: the SDK says what is wrong with it.
  if (!isPlainObject(params['notifications'])) return body;
  return {
    ...body,
    params: { ...params, notifications: { ...params['notifications'], ...filterOf(listening) } },
  };
}

/** The part of a filter that was cleared, as MCP writes it. */
export function filterOf({ lists, resources }: Listening): Record<string, unknown> {
  return {
    toolsListChanged: lists.includes('tool'),
    promptsListChanged: lists.includes('prompt'),
    resourcesListChanged: lists.includes('resource'),
    resourceSubscriptions: resources.map(({ call }) => call.target),
  };
}

const LIST_EVENT = {
  tool: { kind: 'tools_list_changed' },
  prompt: { kind: 'prompts_list_changed' },
  resource: { kind: 'resources_list_changed' },
} as const satisfies Record<EntryKind, ServerEvent>;

function eventOf(change: Change): ServerEvent {
  return change.kind === 'list' ? LIST_EVENT[change.of] : { kind: 'resource_updated', uri: change.uri };
}
