import type { Catalog } from '../catalog/catalog.js';
import { isPlainObject } from '../frozen-json.js';
import type { Principal } from '../principal.js';
import {
  ENTRY_METHODS,
  LIST_METHODS,
  type CallContext,
  type EntryMethod,
  type ListCall,
  type ListMethod,
  type McpCall,
} from './mcp-call.js';
import { validateArguments, type ValidatedArguments } from './validate-arguments.js';

/** Which way a message came, for the record. */
export type Origin = Pick<CallContext, 'via' | 'address'>;

/** What a message asks for, as far as the gate is concerned. */
export type Operation =
  /** Handshake, ping and notifications: nothing of the catalog is shown or run. */
  | { readonly kind: 'connect'; readonly principal: Principal | undefined; readonly from: Origin }
  /** A method that is not served here. Whatever is not named in this file is not: a new way in must be let in. */
  | { readonly kind: 'unserved'; readonly principal: Principal | undefined; readonly from: Origin }
  | { readonly kind: 'list'; readonly call: ListCall; readonly from: Origin }
  /** `call.arguments` is still undefined: they are validated when the caller turns out to be allowed to know the entry. */
  | { readonly kind: 'call'; readonly call: McpCall; readonly validate: () => Promise<ValidatedArguments> };

/** A JSON-RPC request or notification, reduced to what decides. */
export interface Message {
  readonly method: string;
  readonly params: unknown;
}

/** Reads what a message asks for. Runs nothing of the application. */
export function readOperation(catalog: Catalog, message: Message, context: CallContext): Operation {
  const from: Origin = { via: context.via, address: context.address };
  if (isListMethod(message.method)) {
    return { kind: 'list', call: Object.freeze({ ...context, method: message.method }), from };
  }
  if (isEntryMethod(message.method)) return readCall(catalog, message.method, message.params, context);
  return {
    kind: isConnectMethod(message.method) ? 'connect' : 'unserved',
    principal: context.principal,
    from,
  };
}

const CONNECT_METHODS = new Set(['initialize', 'server/discover', 'ping']);

/** Methods the SDK answers by itself, and that neither show nor run anything of the catalog. */
export function isConnectMethod(method: string): boolean {
  return CONNECT_METHODS.has(method) || method.startsWith('notifications/');
}

/** Every method that has a decision behind it. */
export function isServedMethod(method: string): boolean {
  return isConnectMethod(method) || isListMethod(method) || isEntryMethod(method);
}

export function isEntryMethod(method: string): method is EntryMethod {
  return ENTRY_METHODS.some((known) => known === method);
}

export function isListMethod(method: string): method is ListMethod {
  return LIST_METHODS.some((known) => known === method);
}

function readCall(catalog: Catalog, method: EntryMethod, params: unknown, context: CallContext): Operation {
  const given = isPlainObject(params) ? params : {};
  const name = method === 'resources/read' ? given['uri'] : given['name'];
  const target = typeof name === 'string' ? name : '';
  const found = catalog.find(method, target);
  const call: McpCall = Object.freeze({
    ...context,
    method,
    target,
    entry: found?.entry,
    arguments: undefined,
  });
  return {
    kind: 'call',
    call,
    // A resource has the variables of its URI for arguments, and no others: a caller can add none.
    validate: () =>
      validateArguments(found?.entry, method === 'resources/read' ? found?.variables : given['arguments']),
  };
}
