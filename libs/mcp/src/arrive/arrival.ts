import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ArrivalLimits } from './limits.js';
import { isAllowedHost, isAllowedOrigin, type Gatekeeping } from './origin-and-host.js';

/** A request that passed the limits: its bytes, not yet parsed. */
export interface Arrival {
  readonly body: Buffer;
  /** The headers as they came, before the marks of the body were taken off for the framework. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly address: string | undefined;
}

export interface ArrivalOptions {
  /** Path of the endpoint, such as `/mcp`, or of several, which a set has; compared exactly. */
  readonly path: string | Pick<ReadonlySet<string>, 'has'>;
  readonly limits: ArrivalLimits;
  readonly gatekeeping: Gatekeeping;
  /** Also served: `GET` and `DELETE` of sessions, which carry no message. Default: `POST` alone. */
  readonly sessions?: boolean;
  /** `GET` alone: there is something to see, and nothing to send. */
  readonly readOnly?: boolean;
}

/** What the client is told when it gets no further. Plain HTTP: nothing has been parsed, so there is no JSON-RPC id. */
interface Rejection {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const arrivals = new WeakMap<IncomingMessage, Arrival>();

/** What arrived with this request; `undefined` when it did not come through {@link arrive}, and then it must not be served. */
export function arrivalOf(request: IncomingMessage): Arrival | undefined {
  return arrivals.get(request);
}

/** Lets go of the bytes once they have been read: what answers them may be open much longer. */
export function withoutBody(request: IncomingMessage, arrival: Arrival): Arrival {
  const rest: Arrival = { ...arrival, body: NO_BYTES };
  arrivals.set(request, rest);
  return rest;
}

const NO_BYTES = Buffer.alloc(0);

/**
 * The first step of a call, in front of the framework's own body parser and the same on every platform: host, origin,
 * method, media type, size. Takes the bytes; nothing behind it can read (and parse) them a second time in its own way.
 *
 * @returns whether the request goes on; when not, it has been answered
 */
export async function arrive(
  request: IncomingMessage,
  response: ServerResponse,
  options: ArrivalOptions,
): Promise<boolean> {
  if (!isServed(pathOf(request), options.path)) return true;
  const rejection = inspect(request, options);
  allowCrossOrigin(request, response, options.gatekeeping);
  if (rejection !== undefined) return reject(request, response, rejection);
  if (request.method === 'OPTIONS') return preflight(request, response, methodsOf(options));
  const body = await readBody(request, options.limits.maxBodyBytes);
  if (body === 'too_large') return reject(request, response, tooLarge(options.limits.maxBodyBytes));
  if (body === 'too_many') return reject(request, response, TOO_MANY);
  if (body === 'gone') return false;
  const headers = { ...request.headers };
  arrivals.set(request, { body, headers, address: request.socket.remoteAddress });
  hideBody(request);
  return true;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function isServed(asked: string, path: ArrivalOptions['path']): boolean {
  return typeof path === 'string' ? asked === path : path.has(asked);
}

function methodsOf({ sessions, readOnly }: ArrivalOptions): readonly string[] {
  if (readOnly === true) return ['GET'];
  return sessions === true ? ['POST', 'GET', 'DELETE'] : ['POST'];
}

function inspect(request: IncomingMessage, options: ArrivalOptions): Rejection | undefined {
  const { headers, method = '' } = request;
  const { gatekeeping, limits } = options;
  const methods = methodsOf(options);
  if (!isAllowedHost(headers.host, gatekeeping))
    return { status: 403, message: 'This host name is not served here.' };
  if (!isAllowedOrigin(headers.origin, gatekeeping))
    return { status: 403, message: 'This origin may not call this server.' };
  if (method === 'OPTIONS') return undefined;
  if (!methods.includes(method)) {
    const message = options.readOnly === true ? 'Ask by GET.' : 'Send MCP messages by POST.';
    return { status: 405, message, headers: { Allow: methods.join(', ') } };
  }
  for (const name of SENT_ONCE) {
    if (count(request, name) > 1) return { status: 400, message: `Send one ${name} header.` };
  }
  const { 'transfer-encoding': coding } = headers;
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return { status: 415, message: 'The body must not be compressed.' };
  }
  if (method === 'POST' && mediaType(headers['content-type']) !== 'application/json') {
    return { status: 415, message: 'The Content-Type must be application/json.' };
  }
  if (headers['content-encoding'] !== undefined)
    return { status: 415, message: 'The body must not be compressed.' };
  if (Number(headers['content-length'] ?? 0) > limits.maxBodyBytes) return tooLarge(limits.maxBodyBytes);
  return undefined;
}

/** What a proxy in front may have judged another one of. */
const SENT_ONCE = ['authorization', 'host', 'content-type', 'content-length', 'mcp-session-id'];

/** Node keeps only the first of several `Authorization` headers; a proxy in front may have judged another one. */
function count(request: IncomingMessage, name: string): number {
  return request.rawHeaders.filter((item, index) => index % 2 === 0 && item.toLowerCase() === name).length;
}

function mediaType(header: string | undefined): string | undefined {
  return header?.split(';', 1)[0]?.trim().toLowerCase();
}

const TOO_MANY: Rejection = {
  status: 503,
  message: 'Too many messages are being read. Try again.',
  headers: { 'Retry-After': '1' },
};

function tooLarge(maxBytes: number): Rejection {
  return { status: 413, message: `The body is larger than ${maxBytes} bytes.` };
}

/** Once the bytes are taken, a body parser behind us would wait for them for ever: nothing may say there is a body. */
function hideBody(request: IncomingMessage): void {
  delete request.headers['content-type'];
  delete request.headers['content-length'];
  delete request.headers['transfer-encoding'];
}

const BODY_DEADLINE_MS = 30_000;

/** Bytes of all bodies that are being read in this process: anyone may send one, so together they are bounded, too. */
const MOST_BYTES_AT_A_TIME = 64 * 1024 * 1024;
let bytesBeingRead = 0;

async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Buffer | 'too_large' | 'too_many' | 'gone'> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Fastify sets no deadline for a body: one that trickles in would hold its connection and its bytes for ever.
  const deadline = setTimeout(() => request.destroy(), BODY_DEADLINE_MS);
  try {
    // Destroying the request would take the connection with it, and so the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const bytes: Buffer = chunk;
      size += bytes.length;
      bytesBeingRead += bytes.length;
      if (size > maxBytes) return 'too_large';
      if (bytesBeingRead > MOST_BYTES_AT_A_TIME) return 'too_many';
      chunks.push(bytes);
    }
  } catch {
    return 'gone'; // The client hung up in the middle, or took too long: there is nobody to answer.
  } finally {
    clearTimeout(deadline);
    bytesBeingRead -= size;
  }
  return Buffer.concat(chunks);
}

const EXPOSED = 'WWW-Authenticate, Retry-After, MCP-Protocol-Version, Mcp-Session-Id';
const REQUEST_HEADERS =
  'Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID';

function allowCrossOrigin(
  request: IncomingMessage,
  response: ServerResponse,
  gatekeeping: Gatekeeping,
): void {
  const { origin } = request.headers;
  response.setHeader('Vary', 'Origin');
  if (origin === undefined || !isAllowedOrigin(origin, gatekeeping)) return;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', EXPOSED);
}

function preflight(request: IncomingMessage, response: ServerResponse, methods: readonly string[]): false {
  const asked = (request.headers['access-control-request-headers'] ?? '').split(',');
  const parameters = asked
    .map((name) => name.trim())
    .filter((name) => /^mcp-param-[a-z0-9-]{1,64}$/i.test(name));
  response.setHeader('Access-Control-Allow-Methods', methods.join(', '));
  response.setHeader('Access-Control-Allow-Headers', [REQUEST_HEADERS, ...parameters].join(', '));
  response.setHeader('Access-Control-Max-Age', '600');
  response.writeHead(204).end();
  return false;
}

function reject(
  request: IncomingMessage,
  response: ServerResponse,
  { status, message, headers }: Rejection,
): false {
  const error = { code: -32000, message };
  // The rest of an unread body is not worth reading: this connection ends with the answer.
  if (!request.complete) response.setHeader('Connection', 'close');
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
  return false;
}
