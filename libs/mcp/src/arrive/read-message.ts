import {
  classifyInboundRequest,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
} from '@modelcontextprotocol/server';
import type { Message } from '../call/operation.js';
import { isPlainObject } from '../frozen-json.js';
import type { Arrival } from './arrival.js';
import type { JsonLimits } from './strict-json.js';
import { parseStrictJson, StrictJsonError } from './strict-json.js';

/** The revision a 2025 client speaks that names none (2025-11-25, transports). */
const UNNAMED_REVISION = '2025-03-26';

/** One message of an HTTP request, with its era. */
export interface ReadMessage {
  readonly kind: 'message';
  /** The parsed body, as it goes to the SDK. */
  readonly body: Record<string, unknown>;
  /** `undefined` for a response to a request of the server: it asks for nothing. */
  readonly message: Message | undefined;
  readonly id: string | number | null;
  readonly protocol: string;
  readonly era: 'modern' | 'legacy';
  readonly traceparent: string | undefined;
}

/** The body is no message we take. Answered with this status and JSON-RPC error. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly status: number;
  readonly id: string | number | null;
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Parses a body strictly and sorts it into its protocol era with the SDK's own classifier. */
export function readMessage(arrival: Arrival, limits: JsonLimits): ReadMessage | Unreadable {
  const parsed = parse(arrival.body, limits);
  if (!parsed.ok) return unreadable(400, -32700, `Parse error: ${parsed.message}`);
  const body = parsed.value;
  if (Array.isArray(body)) {
    return unreadable(400, -32600, 'Batches are not served: send one message per request.');
  }
  if (!isPlainObject(body)) return unreadable(400, -32600, 'A JSON-RPC message is an object.');
  return classify(arrival, body);
}

function classify(arrival: Arrival, body: Record<string, unknown>): ReadMessage | Unreadable {
  const id = idOf(body);
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...present('protocolVersionHeader', header(arrival, 'mcp-protocol-version')),
    ...present('mcpMethodHeader', header(arrival, 'mcp-method')),
    ...present('mcpNameHeader', header(arrival, 'mcp-name')),
  });
  if (outcome.kind === 'reject') {
    const { code, message, data } = outcome;
    return {
      kind: 'unreadable',
      status: outcome.httpStatus,
      id,
      error: { code, message, ...(data === undefined ? {} : { data }) },
    };
  }
  // A call that nobody waits for would be cleared and recorded as an attempt, and the SDK would not run it.
  if (isJSONRPCNotification(body) && !body.method.startsWith('notifications/'))
    return unreadable(400, -32600, 'A request has an id.');
  const protocol =
    outcome.kind === 'modern'
      ? (outcome.classification.revision ?? 'unknown')
      : (header(arrival, 'mcp-protocol-version') ?? outcome.requestedVersion ?? UNNAMED_REVISION);
  return {
    kind: 'message',
    body,
    message: messageOf(body),
    id,
    protocol: protocol.slice(0, 32),
    era: outcome.kind,
    traceparent: traceparentOf(body) ?? wellFormedTraceparent(header(arrival, 'traceparent')),
  };
}

/** A request or notification; the SDK's own guards, so that both see the same message. */
export function messageOf(body: unknown): Message | undefined {
  // Only a response has no method; asking the SDK whether it is one is not cheap.
  if (isPlainObject(body) && !('method' in body) && isJSONRPCResponse(body)) return undefined;
  if (isJSONRPCRequest(body) || isJSONRPCNotification(body))
    return { method: body.method, params: body.params };
  return undefined;
}

/** W3C trace context as SEP-414 carries it: in `params._meta`. Correlation only. */
export function traceparentOf(body: unknown): string | undefined {
  const params = isPlainObject(body) ? body['params'] : undefined;
  const meta = isPlainObject(params) ? params['_meta'] : undefined;
  return wellFormedTraceparent(isPlainObject(meta) ? meta['traceparent'] : undefined);
}

/** W3C Trace Context §3.2: version, and ids that are not zero. Anything else that comes under that name is dropped. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function wellFormedTraceparent(value: unknown): string | undefined {
  return typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined;
}

type Parsed =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

function parse(bytes: Buffer, limits: JsonLimits): Parsed {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { ok: true, value: parseStrictJson(text, limits) };
  } catch (error) {
    return {
      ok: false,
      message: error instanceof StrictJsonError ? error.message : 'The body is not UTF-8.',
    };
  }
}

function unreadable(status: number, code: number, message: string): Unreadable {
  return { kind: 'unreadable', status, id: null, error: { code, message } };
}

function idOf(body: Record<string, unknown>): string | number | null {
  const { id } = body;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

function header(arrival: Arrival, name: string): string | undefined {
  const value = arrival.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function present<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  const pair: { [P in K]?: string } = {};
  if (value !== undefined) pair[key] = value;
  return pair;
}
