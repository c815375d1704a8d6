import { ProtocolError, Server, type CallToolResult, type ServerContext } from '@modelcontextprotocol/server';
import type { Ran, Running } from '../call/call-pipeline.js';
import { toolFailure, type McpResult } from '../call/handler-result.js';
import type { EntryMethod, ListMethod, ServerIdentity } from '../call/mcp-call.js';
import type { Message } from '../call/operation.js';
import type { Progress } from '../call/running-call.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Entry, EntryKind } from '../catalog/entry.js';
import type { ChallengeError, Challenge } from '../gate/ports.js';
import { invalidToken, refusalAnswer, type Refusal } from '../gate/refusal.js';

/** Where the SDK's server gets its answers: the gate and the pipeline, as one exchange or connection sees them. */
export interface Conversation {
  /** `protocol`: the revision that was agreed on with the client, where a connection has one. */
  list(message: Message, protocol: string | undefined): Promise<Listing>;
  call(message: Message, running: Running, protocol: string | undefined): Promise<CallAnswer>;
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

/** The methods that come with a kind of entry. */
const METHODS_OF: Record<EntryKind, { readonly lists: readonly ListMethod[]; readonly call: EntryMethod }> = {
  tool: { lists: ['tools/list'], call: 'tools/call' },
  resource: { lists: ['resources/list', 'resources/templates/list'], call: 'resources/read' },
  prompt: { lists: ['prompts/list'], call: 'prompts/get' },
};

const KINDS: readonly EntryKind[] = ['tool', 'resource', 'prompt'];

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
  for (const kind of KINDS.filter((candidate) => has(catalog, candidate))) {
    const { lists, call } = METHODS_OF[kind];
    for (const method of lists) {
      answer(server, method, async () =>
        listResult(
          catalog,
          options,
          method,
          await conversation.list({ method, params: {} }, server.getNegotiatedProtocolVersion()),
        ),
      );
    }
    answer(server, call, async (params, context) => {
      const protocol = server.getNegotiatedProtocolVersion();
      const said = await conversation.call({ method: call, params }, runningOf(context), protocol);
      return callResult(catalog, options, server, said, call);
    });
  }
  return server;
}

type Answering = (params: unknown, context: ServerContext) => Promise<McpResult>;
type Register = (
  method: string,
  handler: (request: { readonly params?: unknown }, context: ServerContext) => Promise<McpResult>,
) => void;

/** Which result belongs to which method is more than the SDK's types can follow here; it checks their shape when they leave. */
function answer(server: Server, method: EntryMethod | ListMethod, answering: Answering): void {
  const register = server.setRequestHandler.bind(server) as Register;
  register(method, ({ params }, context) => answering(params, context));
}

function has(catalog: Catalog, kind: Entry['kind']): boolean {
  return catalog.entries.some((entry) => entry.kind === kind);
}

function capabilitiesOf(catalog: Catalog): Record<string, object> {
  return Object.fromEntries(KINDS.filter((kind) => has(catalog, kind)).map((kind) => [`${kind}s`, {}]));
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
  said: CallAnswer,
  method: EntryMethod,
): McpResult {
  if (said.kind === 'refused') return refusedResult(said.refusal, options, method);
  const { ran, entry } = said;
  if (ran.kind === 'error') throw new ProtocolError(ran.code, ran.message, ran.data);
  if (ran.kind === 'withheld') throw new ProtocolError(-32603, 'The client went away.');
  if (ran.kind === 'revoked') throw errorOf(invalidToken([]), options);
  if (method !== 'tools/call' || entry === undefined) return ran.result;
  // The SDK checks the shape of every tool result itself, right behind this.
  return server.projectCallToolResult(ran.result as CallToolResult, catalog.outputSchema(entry));
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
