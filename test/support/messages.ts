/** Messages of both protocol eras, sent by hand: what a client library would repair or hide is seen here. */

/** What every token of the tests is meant for. Hosts are compared without their port, so any port will do. */
export const RESOURCE = 'http://127.0.0.1/mcp';

/** The revision of each era that the tests speak. */
export const ERAS = ['2026-07-28', '2025-11-25'] as const;
export type Era = (typeof ERAS)[number];

export type Json = Record<string, unknown>;

export interface Request {
  readonly era?: Era;
  readonly method: string;
  readonly params?: Json;
  readonly token?: string | undefined;
  readonly id?: string | number;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** What came back: every message of the answer, the last of which is the answer itself. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
  readonly messages: readonly Json[];
  readonly result: Json | undefined;
  readonly error: { readonly code: number; readonly message: string; readonly data?: Json } | undefined;
}

export function toolCall(name: string, args: Json = {}): { method: string; params: Json } {
  return { method: 'tools/call', params: { name, arguments: args } };
}

/** The body of a message as a client of this era writes it. */
export function bodyOf({ era = '2026-07-28', method, params = {}, id = 1 }: Request): Json {
  return { jsonrpc: '2.0', id, method, params: era === '2026-07-28' ? withEnvelope(params) : params };
}

export function headersOf({ era = '2026-07-28', method, params = {}, token, headers }: Request) {
  const name = params['name'] ?? params['uri'];
  const modern = era === '2026-07-28';
  return {
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    'MCP-Protocol-Version': era,
    ...(modern ? { 'Mcp-Method': method } : {}),
    ...(modern && typeof name === 'string' ? { 'Mcp-Name': headerValue(name) } : {}),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...headers,
  };
}

/** Sends one message. */
export async function send(url: string, request: Request): Promise<Answer> {
  return sendBytes(url, JSON.stringify(bodyOf(request)), headersOf(request), request.signal);
}

/** Sends any body with any headers. */
export async function sendBytes(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body, headers, ...(signal && { signal }) });
  return answerOf(response);
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const messages = messagesOf(response.headers.get('content-type') ?? '', text);
  const last = messages.at(-1);
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text,
    messages,
    result: last?.['result'] as Json | undefined,
    error: last?.['error'] as Answer['error'],
  };
}

function messagesOf(mediaType: string, text: string): Json[] {
  if (mediaType.startsWith('text/event-stream')) {
    return text
      .split('\n')
      .filter((line) => line.startsWith('data:') && line.length > 6)
      .map((line) => JSON.parse(line.slice(5)) as Json);
  }
  return mediaType.startsWith('application/json') && text !== '' ? [JSON.parse(text) as Json] : [];
}

/** What a caller can compare: everything but the id it chose and the clock. */
export function comparable({ status, headers, text }: Answer): Json {
  const { date: _date, ...others } = headers;
  return { status, headers: others, text };
}

export function withEnvelope(params: Json): Json {
  const given = params['_meta'];
  return {
    ...params,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'a-test', version: '1.0.0' },
      'io.modelcontextprotocol/clientCapabilities': {},
      ...(typeof given === 'object' ? given : {}),
    },
  };
}

/** A header holds printable ASCII; anything else travels in base64 (2026-07-28, transports). */
function headerValue(value: string): string {
  if (/^[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?$/.test(value)) return value;
  return `=?base64?${Buffer.from(value).toString('base64')}?=`;
}
