import type { Entry, EntryKind } from '../catalog/entry.js';
import type { Principal } from '../principal.js';

/** The methods that reach a handler: that of an entry, or what completes the arguments of one. */
export const ENTRY_METHODS = ['tools/call', 'resources/read', 'prompts/get', 'completion/complete'] as const;
export type EntryMethod = (typeof ENTRY_METHODS)[number];

/** The methods that follow resources. No handler runs; each resource is one call to the gate. */
export const FOLLOW_METHODS = ['resources/subscribe', 'subscriptions/listen'] as const;
export type FollowMethod = (typeof FOLLOW_METHODS)[number];

/** The methods that show a part of the catalog. */
export const LIST_METHODS = [
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'prompts/list',
] as const;
export type ListMethod = (typeof LIST_METHODS)[number];

export type Way = 'http' | 'stdio';

/** Which server answers: the fourth identity of a call, beside client, user and tenant. */
export interface ServerIdentity {
  readonly name: string;
  readonly version: string;
  /** RFC 8707 resource indicator: the audience of every token. */
  readonly resource: string;
}

/** Frozen, JSON-shaped arguments, validated and defaulted once. */
export type CallArguments = Readonly<Record<string, unknown>>;

/** What both kinds of call have in common. */
export interface CallContext {
  /** Correlation id (UUID v7), made by us; the JSON-RPC id is the client's. */
  readonly id: string;
  readonly receivedAt: Date;
  readonly server: ServerIdentity;
  readonly via: Way;
  /** Protocol revision this exchange speaks, such as `2026-07-28`. */
  readonly protocol: string;
  /** `undefined` for a caller without a credential. */
  readonly principal: Principal | undefined;
  /** Address of the TCP peer, HTTP only. */
  readonly address: string | undefined;
  /** W3C trace context as the caller sent it: correlation only, never identity. */
  readonly traceparent: string | undefined;
}

/** What a completion is about. */
export interface Completing {
  /** The kind of entry that was named, whether there is one or not. */
  readonly kind: EntryKind;
  /** The argument whose values are asked for; its beginning is among the arguments of the call. */
  readonly argument: string;
}

/** One call of one entry, as it is decided on, recorded and run. Frozen. */
export interface McpCall extends CallContext {
  readonly method: EntryMethod | FollowMethod;
  /** Present on `completion/complete` alone: then the arguments are what the client knows of them so far. */
  readonly completing?: Completing;
  /** The name or URI as asked. */
  readonly target: string;
  /** `undefined`: the catalog has no such entry. */
  readonly entry: Entry | undefined;
  /** `undefined` until they are validated: there is no entry, the call was refused before, or they do not match. */
  readonly arguments: CallArguments | undefined;
}

/** One request for a list, or for word of what changes in lists. */
export interface ListCall<
  Method extends ListMethod | 'subscriptions/listen' = ListMethod | 'subscriptions/listen',
> extends CallContext {
  readonly method: Method;
}

const KIND_OF: Record<Exclude<McpCall['method'], 'completion/complete'>, EntryKind> = {
  'tools/call': 'tool',
  'resources/read': 'resource',
  'prompts/get': 'prompt',
  'resources/subscribe': 'resource',
  'subscriptions/listen': 'resource',
};

/** The kind of entry a call asks for, whether there is one or not. */
export function kindAsked({ method, completing }: Pick<McpCall, 'method' | 'completing'>): EntryKind {
  return method === 'completion/complete' ? (completing?.kind ?? 'prompt') : KIND_OF[method];
}
