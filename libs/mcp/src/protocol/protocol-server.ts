import {
  ProtocolError,
  Server,
  type CallToolResult,
  type ServerCapabilities,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Ran, Running } from '../call/call-pipeline.js';
import { toolFailure, type McpResult } from '../call/handler-result.js';
import type { EntryMethod, ListMethod, ServerIdentity } from '../call/mcp-call.js';
import type { Message, Surface } from '../call/operation.js';
import type { Progress } from '../call/running-call.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Entry, EntryKind } from '../catalog/entry.js';
import {
  invalidToken,
  methodNotFound,
  refusalAnswer,
  type ChallengeWriter,
  type Refusal,
} from '../gate/refusal.js';

/** What is known of a message beside its method and parameters. */
export interface About {
  /** The revision that was agreed on with the client, where a connection has one. */
  readonly protocol: string | undefined;
  /** The HTTP request that carried it, where one did. */
  readonly request: Request | undefined;
}

/** Where the SDK's server gets its answers: the gate and the pipeline, as one exchange or connection sees them. */
export interface Conversation {
  list(message: Message, about: About): Promise<Listing>;
  call(message: Message, running: Running, about: About): Promise<CallAnswer>;
  /** `resources/subscribe` and `resources/unsubscribe`, on connections where the server may speak at any time. */
  readonly subscriptions?: (message: Message, about: About) => Promise<Refusal | undefined>;
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
  readonly challengeOf: ChallengeWriter;
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
 * The SDK's server for one exchange (HTTP), one session or one connection (stdio): it speaks the protocol and decides
 * nothing. An instance is never shared. Schemas were built once, when an entry was.
 */
export function createProtocolServer(
  catalog: Catalog,
  options: ProtocolServerOptions,
  conversation: Conversation,
  surface: Surface,
): Server {
  const { name, version } = options.server;
  const instructions = options.instructions === undefined ? {} : { instructions: options.instructions };
  const capabilities = capabilitiesOf(surface);
  const server = new Server({ name, version }, { capabilities, ...instructions });
  const talk: Talk = { catalog, options, server, conversation };
  for (const kind of KINDS) {
    for (const method of METHODS_OF[kind].lists) answerList(talk, method);
    answerCall(talk, METHODS_OF[kind].call);
  }
  answerCall(talk, 'completion/complete');
  if (surface.stream === 'session') answerSubscriptions(talk);
  return server;
}

interface Talk {
  readonly catalog: Catalog;
  readonly options: ProtocolServerOptions;
  readonly server: Server;
  readonly conversation: Conversation;
}

function answerList({ catalog, options, server, conversation }: Talk, method: ListMethod): void {
  answer(server, method, async (_, context) =>
    listResult(
      catalog,
      options,
      method,
      await conversation.list({ method, params: {} }, aboutOf(server, context)),
    ),
  );
}

function answerCall({ catalog, options, server, conversation }: Talk, method: EntryMethod): void {
  answer(server, method, async (params, context) => {
    const said = await conversation.call({ method, params }, runningOf(context), aboutOf(server, context));
    return callResult(catalog, options, server, said, method);
  });
}

function answerSubscriptions({ options, server, conversation }: Talk): void {
  for (const method of ['resources/subscribe', 'resources/unsubscribe'] as const) {
    answer(server, method, async (params, context) => {
      const about = aboutOf(server, context);
      const { subscriptions } = conversation;
      if (subscriptions === undefined) throw errorOf(methodNotFound(), options);
      const refusal = await subscriptions({ method, params }, about);
      if (refusal !== undefined) throw errorOf(refusal, options);
      return {};
    });
  }
}

type Answering = (params: unknown, context: ServerContext) => Promise<McpResult>;
type Answered = EntryMethod | ListMethod | 'resources/subscribe' | 'resources/unsubscribe';
type Register = (
  method: string,
  handler: (request: { readonly params?: unknown }, context: ServerContext) => Promise<McpResult>,
) => void;

/** Which result belongs to which method is more than the SDK's types can follow here; it checks their shape when they leave. */
function answer(server: Server, method: Answered, answering: Answering): void {
  const register = server.setRequestHandler.bind(server) as Register;
  register(method, ({ params }, context) => answering(params, context));
}

function aboutOf(server: Server, context: ServerContext): About {
  return { protocol: server.getNegotiatedProtocolVersion(), request: context.http?.req };
}

/**
 * What a client may expect here: nothing is promised that this connection cannot carry. The same whatever the catalog
 * holds: a kind of which the caller may know nothing looks like one of which there is nothing, or nothing yet.
 */
function capabilitiesOf({ stream }: Surface): ServerCapabilities {
  const told = stream === 'none' ? {} : { listChanged: true };
  const followed = stream === 'none' ? {} : { subscribe: true };
  return {
    tools: told,
    resources: { ...told, ...followed },
    prompts: told,
    completions: {},
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
