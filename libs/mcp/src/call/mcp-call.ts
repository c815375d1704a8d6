import type { Entry } from '../catalog/entry.js';
import type { Principal } from '../principal.js';

/** The methods that reach a handler. */
export const ENTRY_METHODS = ['tools/call', 'resources/read', 'prompts/get'] as const;
export type EntryMethod = (typeof ENTRY_METHODS)[number];

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

/** One call of one entry, as it is decided on, recorded and run. Frozen. */
export interface McpCall extends CallContext {
  readonly method: EntryMethod;
  /** The name or URI as asked. */
  readonly target: string;
  /** `undefined`: the catalog has no such entry. */
  readonly entry: Entry | undefined;
  /** `undefined` until they are validated: there is no entry, the call was refused before, or they do not match. */
  readonly arguments: CallArguments | undefined;
}

/** One request for a list. */
export interface ListCall extends CallContext {
  readonly method: ListMethod;
}
