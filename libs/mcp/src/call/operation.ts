import type { Catalog, Found } from '../catalog/catalog.js';
import type { EntryKind } from '../catalog/entry.js';
import { isPlainObject } from '../frozen-json.js';
import type { Principal } from '../principal.js';
import type {
  CallContext,
  Completing,
  EntryMethod,
  FollowMethod,
  ListCall,
  ListMethod,
  McpCall,
} from './mcp-call.js';
import { validateArguments, type ValidatedArguments } from './validate-arguments.js';

/** Which way a message came, for the record. */
export type Origin = Pick<CallContext, 'via' | 'address'>;

/** A call that is still to be decided on. */
export interface Asked {
  readonly call: McpCall;
  /** `call.arguments` is still undefined: they are validated when the caller turns out to be allowed to know the entry. */
  readonly validate: () => Promise<ValidatedArguments>;
}

/** What a message asks for, as far as the gate is concerned. */
export type Operation =
  /** Handshake, ping and notifications: nothing of the catalog is shown or run. */
  | { readonly kind: 'connect'; readonly principal: Principal | undefined; readonly from: Origin }
  /** A method that is not served here. Whatever is not named in this file is not: a new way in must be let in. */
  | { readonly kind: 'unserved'; readonly principal: Principal | undefined; readonly from: Origin }
  | { readonly kind: 'list'; readonly call: ListCall<ListMethod>; readonly from: Origin }
  | { readonly kind: 'listen'; readonly call: ListCall; readonly from: Origin; readonly filter: ListenFilter }
  | ({ readonly kind: 'call' } & Asked);

/** What a client of 2026-07-28 wants to be told of. */
export interface ListenFilter {
  /** Of changes in the lists of these. */
  readonly lists: readonly EntryKind[];
  /** Of updates of these resources, each of which is decided on. */
  readonly resources: readonly Asked[];
}

/** A JSON-RPC request or notification, reduced to what decides. */
export interface Message {
  readonly method: string;
  readonly params: unknown;
}

/** What the connection that a message came on can carry. Whatever it cannot is not served there. */
export interface Surface {
  /** `listen`: one long answer (2026-07-28). `session`: the server may speak at any time (2025). `none`: neither. */
  readonly stream: 'listen' | 'session' | 'none';
}

/** What each method is decided as: this is the whole list of the ways in. A method that is not here is refused. */
const SERVED = {
  initialize: 'connect',
  'server/discover': 'connect',
  ping: 'connect',
  'tools/list': 'list',
  'resources/list': 'list',
  'resources/templates/list': 'list',
  'prompts/list': 'list',
  'tools/call': 'call',
  'resources/read': 'call',
  'prompts/get': 'call',
  'completion/complete': 'call',
  'resources/subscribe': 'call',
  'resources/unsubscribe': 'connect',
  'subscriptions/listen': 'listen',
} as const;

export type ServedMethod = keyof typeof SERVED;

/** The ways in, and as what each is decided: `connect`, `list`, `call` or `listen`. */
export const SERVED_METHODS: Readonly<Record<ServedMethod, 'connect' | 'list' | 'call' | 'listen'>> =
  Object.freeze(SERVED);

type MethodsOf<Kind> = { [M in ServedMethod]: (typeof SERVED)[M] extends Kind ? M : never }[ServedMethod];

/** Methods that need a stream of this kind, and are not served where there is none. */
const NEEDED_STREAM: Partial<Record<string, Surface['stream']>> = {
  'resources/subscribe': 'session',
  'resources/unsubscribe': 'session',
  'subscriptions/listen': 'listen',
};

/** Reads what a message asks for. Runs nothing of the application. */
export function readOperation(
  catalog: Catalog,
  message: Message,
  context: CallContext,
  surface: Surface = { stream: 'none' },
): Operation {
  const from: Origin = { via: context.via, address: context.address };
  const { method, params } = message;
  const connecting = { principal: context.principal, from };
  if (!canServe(method, surface)) return { kind: 'unserved', ...connecting };
  if (isConnectMethod(method)) return { kind: 'connect', ...connecting };
  if (isOf('list', method)) return { kind: 'list', call: Object.freeze({ ...context, method }), from };
  if (isOf('call', method)) return { kind: 'call', ...readCall(catalog, method, params, context) };
  if (isOf('listen', method)) {
    const call = Object.freeze({ ...context, method });
    return { kind: 'listen', call, from, filter: readFilter(catalog, params, context) };
  }
  return { kind: 'unserved', ...connecting };
}

/** Whether there is a decision behind this method, and this connection can carry it. */
export function canServe(method: string, surface: Surface): boolean {
  if (method.startsWith('notifications/')) return true;
  if (!Object.hasOwn(SERVED, method)) return false;
  const needed = NEEDED_STREAM[method];
  return needed === undefined || needed === surface.stream;
}

/** Methods that neither show nor run anything of the catalog. */
export function isConnectMethod(method: string): boolean {
  return method.startsWith('notifications/') || isOf('connect', method);
}

function isOf<Kind extends (typeof SERVED)[ServedMethod]>(
  kind: Kind,
  method: string,
): method is MethodsOf<Kind> {
  return Object.entries(SERVED).some(([known, decidedAs]) => known === method && decidedAs === kind);
}

type CallMethod = EntryMethod | Extract<FollowMethod, 'resources/subscribe'>;

function readCall(catalog: Catalog, method: CallMethod, params: unknown, context: CallContext): Asked {
  const given = isPlainObject(params) ? params : {};
  switch (method) {
    case 'completion/complete':
      return readCompletion(catalog, given, context);
    case 'resources/read':
    case 'resources/subscribe':
      return readResource(catalog, method, given['uri'], context);
    case 'tools/call':
    case 'prompts/get': {
      const target = textOf(given['name']);
      const found = catalog.find(method, target);
      return asked(context, { method, target }, found, given['arguments']);
    }
  }
}

/** A resource has the variables of its URI for arguments, and no others: a caller can add none. */
function readResource(
  catalog: Catalog,
  method: 'resources/read' | FollowMethod,
  uri: unknown,
  context: CallContext,
): Asked {
  const target = textOf(uri);
  const found = catalog.find('resources/read', target);
  return asked(context, { method, target }, found, found?.variables);
}

function asked(
  context: CallContext,
  what: Pick<McpCall, 'method' | 'target'>,
  found: Found | undefined,
  raw: unknown,
): Asked {
  const call: McpCall = Object.freeze({ ...context, ...what, entry: found?.entry, arguments: undefined });
  return { call, validate: () => validateArguments(found?.entry, raw) };
}

/** Each kind, and how a client names it when it asks for values of an argument. */
const REFERENCES = { 'ref/prompt': 'prompt', 'ref/resource': 'resource' } as const;

function readCompletion(catalog: Catalog, given: Record<string, unknown>, context: CallContext): Asked {
  const ref = isPlainObject(given['ref']) ? given['ref'] : {};
  const argument = isPlainObject(given['argument']) ? given['argument'] : {};
  const kind = ref['type'] === 'ref/resource' ? REFERENCES['ref/resource'] : REFERENCES['ref/prompt'];
  const target = textOf(kind === 'resource' ? ref['uri'] : ref['name']);
  const completing: Completing = Object.freeze({ kind, argument: textOf(argument['name']) });
  const entry = catalog.named(kind, target);
  const names = entry === undefined ? [] : catalog.argumentNames(entry);
  const call: McpCall = Object.freeze({
    ...context,
    method: 'completion/complete',
    target,
    entry,
    completing,
    arguments: undefined,
  });
  return { call, validate: async () => knownSoFar(names, completing, argument['value'], given['context']) };
}

/**
 * The arguments of the entry, as far as the client has them: strings, of which the last may be a beginning. A caller can
 * add none that the entry does not have: rules and completers would see it.
 */
function knownSoFar(
  names: readonly string[],
  { argument }: Completing,
  value: unknown,
  context: unknown,
): ValidatedArguments {
  const others = isPlainObject(context) ? (context['arguments'] ?? {}) : {};
  if (argument === '' || typeof value !== 'string')
    return { valid: false, issues: ['argument: expected a name and a value'] };
  if (!value.isWellFormed()) return { valid: false, issues: ['argument: expected a value that is text'] };
  if (!isPlainObject(others) || !Object.values(others).every(isText))
    return { valid: false, issues: ['context.arguments: expected strings'] };
  const known = Object.entries({ ...others, [argument]: value }).filter(([name]) => names.includes(name));
  return { valid: true, value: Object.freeze(Object.fromEntries(known)) };
}

const LISTS = [
  ['toolsListChanged', 'tool'],
  ['promptsListChanged', 'prompt'],
  ['resourcesListChanged', 'resource'],
] as const;

/** How many resources one stream may follow. */
export const MOST_RESOURCES = 100;

/** One more than may be followed is enough to be refused: the others are not even looked up. */
function readFilter(catalog: Catalog, params: unknown, context: CallContext): ListenFilter {
  const given = isPlainObject(params) ? params['notifications'] : undefined;
  const filter = isPlainObject(given) ? given : {};
  const uris: unknown = filter['resourceSubscriptions'];
  const distinct = new Set(Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : []);
  return {
    lists: LISTS.filter(([name]) => filter[name] === true).map(([, kind]) => kind),
    resources: [...distinct]
      .slice(0, MOST_RESOURCES + 1)
      .map((uri) => readResource(catalog, 'subscriptions/listen', uri, context)),
  };
}

/** Half of a surrogate pair is none: it could not be recorded. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed();
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The methods that show a part of the catalog, for those who answer them. */
export function isListMethod(method: string): method is ListMethod {
  return isOf('list', method);
}
