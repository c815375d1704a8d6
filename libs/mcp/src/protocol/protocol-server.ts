import { ProtocolError, Server, type ServerContext } from '@modelcontextprotocol/server';
import type { Ran, Running } from '../call/call-pipeline.js';
import { toolFailure, type McpResult } from '../call/handler-result.js';
import type { EntryMethod, ListMethod, ServerIdentity } from '../call/mcp-call.js';
import type { Message } from '../call/operation.js';
import type { Progress } from '../call/running-call.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Entry } from '../catalog/entry.js';
import type { ChallengeError, Challenge } from '../gate/ports.js';
import { refusalAnswer, type Refusal } from '../gate/refusal.js';

/** Where the SDK's server gets its answers: the gate and the pipeline, as one exchange or connection sees them. */
export interface Conversation {
  list(message: Message): Promise<Listing>;
  call(message: Message, running: Running): Promise<CallAnswer>;
}

export type Listing =
  | { readonly kind: 'listed'; readonly entries: readonly Entry[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export type CallAnswer =
  | { readonly kind: 'ran'; readonly entry: Entry | undefined; readonly ran: Ran }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface ProtocolServerOptions {
  readonly server: ServerIdentity;
  readonly instructions?: string;
  readonly challengeOf: (scopes: readonly string[], error?: ChallengeError) => Challenge;
}

const LIST_MEMBER: Record<ListMethod, string> = {
  'tools/list': 'tools',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
  'prompts/list': 'prompts',
};

/**
 * The SDK's server for one exchange (HTTP) or one connection (stdio): it speaks the protocol and decides nothing. An
 * instance is never shared. Lists and schemas were built once, at boot.
 */
export function createProtocolServer(
  catalog: Catalog,
  options: ProtocolServerOptions,
  conversation: Conversation,
): Server {
  const { name, version } = options.server;
  const instructions = options.instructions === undefined ? {} : { instructions: options.instructions };
  const server = new Server({ name, version }, { capabilities: capabilitiesOf(catalog), ...instructions });
  const list = async (method: ListMethod) =>
    listResult(catalog, options, method, await conversation.list({ method, params: {} }));
  const call = async (method: EntryMethod, params: unknown, context: ServerContext) =>
    callResult(
      catalog,
      options,
      server,
      await conversation.call({ method, params }, runningOf(context)),
      method,
    );
  if (has(catalog, 'tool')) {
    server.setRequestHandler('tools/list', () => list('tools/list') as never);
    server.setRequestHandler(
      'tools/call',
      ({ params }, context) => call('tools/call', params, context) as never,
    );
  }
  if (has(catalog, 'resource')) {
    server.setRequestHandler('resources/list', () => list('resources/list') as never);
    server.setRequestHandler('resources/templates/list', () => list('resources/templates/list') as never);
    server.setRequestHandler(
      'resources/read',
      ({ params }, context) => call('resources/read', params, context) as never,
    );
  }
  if (has(catalog, 'prompt')) {
    server.setRequestHandler('prompts/list', () => list('prompts/list') as never);
    server.setRequestHandler(
      'prompts/get',
      ({ params }, context) => call('prompts/get', params, context) as never,
    );
  }
  return server;
}

function has(catalog: Catalog, kind: Entry['kind']): boolean {
  return catalog.entries.some((entry) => entry.kind === kind);
}

function capabilitiesOf(catalog: Catalog): Record<string, object> {
  return {
    ...(has(catalog, 'tool') ? { tools: {} } : {}),
    ...(has(catalog, 'resource') ? { resources: {} } : {}),
    ...(has(catalog, 'prompt') ? { prompts: {} } : {}),
  };
}

function listResult(
  catalog: Catalog,
  options: ProtocolServerOptions,
  method: ListMethod,
  listing: Listing,
): McpResult {
  if (listing.kind === 'refused') throw errorOf(listing.refusal, options);
  return { [LIST_MEMBER[method]]: listing.entries.map((entry) => catalog.listed(entry)) };
}

function callResult(
  catalog: Catalog,
  options: ProtocolServerOptions,
  server: Server,
  answer: CallAnswer,
  method: EntryMethod,
): McpResult {
  if (answer.kind === 'refused') return refusedResult(answer.refusal, options, method);
  const { ran, entry } = answer;
  if (ran.kind === 'error') throw new ProtocolError(ran.code, ran.message, ran.data);
  if (ran.kind === 'withheld') throw new ProtocolError(-32603, 'The client went away.');
  if (method !== 'tools/call' || entry === undefined) return ran.result;
  return server.projectCallToolResult(ran.result as never, catalog.outputSchema(entry) as never) as McpResult;
}

/** Arguments that do not match are a result the model can read and correct (MCP, tools, error handling). */
function refusedResult(refusal: Refusal, options: ProtocolServerOptions, method: EntryMethod): McpResult {
  if (refusal.reason === 'invalid_arguments' && method === 'tools/call') return toolFailure(refusal.message);
  throw errorOf(refusal, options);
}

function errorOf(refusal: Refusal, options: ProtocolServerOptions): ProtocolError {
  const { error } = refusalAnswer(refusal, options.challengeOf);
  return new ProtocolError(error.code, error.message, error.data);
}

function runningOf(context: ServerContext): Running {
  const token = context.mcpReq._meta?.progressToken;
  const reportProgress = async (progress: Progress): Promise<void> => {
    if (token === undefined || context.mcpReq.signal.aborted) return;
    await context.mcpReq.notify({
      method: 'notifications/progress',
      params: { ...progress, progressToken: token },
    });
  };
  return { signal: context.mcpReq.signal, reportProgress };
}
