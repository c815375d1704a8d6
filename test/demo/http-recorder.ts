import { fieldsOf, shown } from './answer.js';
import type { Answer, Fields } from './answer.js';

const EVENT_STREAM = 'text/event-stream';

/** One HTTP request of a client, and what it got. */
interface Exchange {
  readonly httpMethod: string;
  readonly path: string;
  readonly headersSent: Headers;
  /** The JSON-RPC message that was sent; empty for anything else. */
  readonly sent: Fields;
  readonly status: number;
  readonly headers: Headers;
  /** What of the body has arrived. */
  readonly body: () => string;
}

/**
 * A `fetch` for the transports of both clients that keeps what really went over the wire. The clients turn a 401 or 403
 * into errors of their own, and a demo that believed those would show the client's opinion instead of the server's
 * answer.
 */
export class HttpRecorder {
  private readonly exchanges: Exchange[] = [];

  readonly fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const response = await fetch(url, init);
    const { pathname: path } = new URL(url);
    const httpMethod = init?.method ?? 'GET';
    const { status, headers } = response;
    const headersSent = new Headers(init?.headers);
    const exchange = { httpMethod, path, headersSent, sent: messageIn(init?.body), status, headers };
    // Only a POST has an answer to keep: the stream of a GET has no end.
    const copied = httpMethod === 'POST' ? await copyOf(response) : { body: () => '', response };
    this.exchanges.push({ ...exchange, body: copied.body });
    return copied.response;
  };

  /** How many requests were made so far: a mark for {@link answerTo} and {@link trace}. */
  get mark(): number {
    return this.exchanges.length;
  }

  /** Whether the stream of a session is open, or was. */
  get hasStream(): boolean {
    return this.exchanges.some((exchange) => isStream(exchange) && exchange.status === 200);
  }

  /** The newest session that the server has opened. */
  get session(): string | undefined {
    const opened = this.exchanges.findLast(({ headers }) => headers.has('mcp-session-id'));
    return opened?.headers.get('mcp-session-id') ?? undefined;
  }

  /**
   * The answer to the last message of this method since the mark, or, when the client did not get that far because it
   * could not connect, to the last message at all.
   */
  answerTo(method: string, mark: number): Answer | undefined {
    const messages = this.exchanges.slice(mark).filter(({ sent }) => sent['method'] !== undefined);
    const exchange = messages.findLast(({ sent }) => sent['method'] === method) ?? messages.at(-1);
    return exchange && answerOf(exchange);
  }

  /** What was asked for since the mark, and with which success: `tools/call 401`, `/idp/reg 201`. */
  trace(mark: number): string[] {
    const requests = this.exchanges.slice(mark).filter((exchange) => !isStream(exchange));
    return requests.map(({ httpMethod, path, sent, status }) => {
      const what = sent['method'] === undefined ? `${httpMethod} ${path}` : shown(sent['method']);
      return `${what} ${status}`;
    });
  }
}

interface Copied {
  readonly body: () => string;
  /** For the client, in place of the one that was read. */
  readonly response: Response;
}

/** Not a clone: a client that cancels one half of a body waits until the other half is cancelled, too. */
async function copyOf(original: Response): Promise<Copied> {
  const { status, headers } = original;
  // A stream is passed on as it comes: the client is to see progress while the call runs.
  if (original.body !== null && contentTypeOf(headers).startsWith(EVENT_STREAM)) {
    const pieces: string[] = [];
    const response = new Response(original.body.pipeThrough(tap(pieces)), { status, headers });
    return { body: () => pieces.join(''), response };
  }
  const body = await original.text();
  return { body: () => body, response: new Response(body === '' ? null : body, { status, headers }) };
}

function tap(pieces: string[]): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  return new TransformStream({
    transform(chunk: Uint8Array, controller) {
      pieces.push(decoder.decode(chunk, { stream: true }));
      controller.enqueue(chunk);
    },
  });
}

/** After the handshake a client of 2025 asks for a stream, whenever it gets to it. It belongs to no call. */
function isStream({ httpMethod, headersSent }: Exchange): boolean {
  return httpMethod === 'GET' && headersSent.get('accept') === EVENT_STREAM;
}

function answerOf({ sent, status, headers, body }: Exchange): Answer {
  const json = messageText(body(), contentTypeOf(headers));
  const message = fieldsOf(json === '' ? undefined : JSON.parse(json));
  const error = fieldsOf(message['error']);
  return {
    status,
    challenge: headers.get('www-authenticate') ?? undefined,
    raw: json.replace(`"id":${JSON.stringify(sent['id'])}`, '"id":*'),
    result: message['result'] === undefined ? undefined : fieldsOf(message['result']),
    error:
      message['error'] === undefined
        ? undefined
        : { code: Number(error['code']), data: fieldsOf(error['data']) },
  };
}

/** The answer to a call may come as JSON or as the last event of a stream. */
function messageText(body: string, contentType: string): string {
  if (!contentType.startsWith(EVENT_STREAM)) return contentType.startsWith('application/json') ? body : '';
  const data = body.split('\n').filter((line) => line.startsWith('data:'));
  return data.at(-1)?.slice('data:'.length).trim() ?? '';
}

function contentTypeOf(headers: Headers): string {
  return headers.get('content-type') ?? '';
}

function messageIn(body: unknown): Fields {
  return typeof body === 'string' && body.startsWith('{') ? fieldsOf(JSON.parse(body)) : {};
}
