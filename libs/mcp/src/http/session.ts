import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { WebStandardStreamableHTTPServerTransport, type Server } from '@modelcontextprotocol/server';
import type { Principal } from '../principal.js';
import { cancelledId } from '../protocol/cancelled-id.js';
import { createProtocolServer, type Conversation } from '../protocol/protocol-server.js';
import { notifyThrough } from '../protocol/notify.js';
import { principalKey } from '../principal-key.js';
import type { Subscription } from '../subscriptions/subscription.js';
import { boundedStream } from './bounded-stream.js';
import { conversationOf, sdkRequest, type Lanes } from './dispatch.js';
import type { Exchange } from './exchange.js';
import { followIn, uriIn } from '../subscriptions/follow-in.js';
import { identifyAgain } from './identify-again.js';
import { RequestsUnderWay } from './requests-under-way.js';

/** 256 bits: nobody finds one by trying (MCP 2025-11-25, sessions). It is no credential all the same. */
const ID_BYTES = 32;

/**
 * One session of a 2025 client: the SDK's server and transport, which no other session shares. A session is no identity:
 * each request brings its credential, and is identified and admitted by itself before it comes here.
 */
export class Session {
  readonly id = randomBytes(ID_BYTES).toString('base64url');
  readonly #exchanges = new WeakMap<Request, Exchange>();
  readonly #transport: WebStandardStreamableHTTPServerTransport;
  readonly #server: Server;
  readonly #subscription: Subscription;
  readonly #requests = new RequestsUnderWay();
  /** Not answered to the end yet; the stream of the session is one. */
  readonly #open = new Set<Exchange>();
  #principal: Principal;
  #idle: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Milliseconds; of the last request. */
  usedAt = Date.now();

  constructor(
    private readonly lanes: Lanes,
    principal: Principal,
    private readonly idleSeconds: number,
    private readonly onClose: (closed: Session) => void,
    first: Exchange,
  ) {
    this.#principal = principal;
    this.#transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => this.id,
      onsessionclosed: () => this.close(),
    });
    const surface = { stream: 'session' } as const;
    this.#server = createProtocolServer(lanes.catalog, lanes.options, this.#conversation(), surface);
    const listener = { send: notifyThrough(this.#server), close: () => void this.close() };
    const subscriber = {
      principal,
      key: `session ${this.key}`,
      from: { via: 'http', address: first.arrival.address } as const,
      identifyAgain: identifyAgain(lanes.gate, first),
    };
    this.#subscription = lanes.subscriptions.openConnection(subscriber, listener);
  }

  /** To be called once, before the first exchange. */
  start(): Promise<void> {
    return this.#server.connect(this.#transport);
  }

  /** Whose it is. */
  get key(): string {
    return principalKey(this.#principal);
  }

  /** Whose it is, by each credential that counts: the last that came, and those of what is still being answered. */
  principals(): readonly Principal[] {
    const answered = [...this.#open].flatMap(({ identity }) => identity?.principal ?? []);
    return [this.#principal, ...answered];
  }

  /** Answers one exchange of this session, identified and admitted by then. */
  async dispatch(exchange: Exchange, signal: AbortSignal): Promise<Response> {
    this.#begin(exchange);
    if (!this.#requests.begin(exchange)) return requestIdInUse(exchange);
    const request = sdkRequest(exchange, this.lanes.options.server.resource, signal);
    this.#exchanges.set(request, exchange);
    const parsedBody = exchange.message?.body;
    const answer = await this.#transport.handleRequest(
      request,
      parsedBody === undefined ? {} : { parsedBody },
    );
    await this.#forgetCancelled(exchange);
    return exchange.method === 'GET' ? boundedStream(answer, () => undefined) : answer;
  }

  /** The answer to one exchange has left. */
  end(exchange: Exchange): void {
    this.#requests.end(exchange);
    this.#open.delete(exchange);
    if (this.#open.size > 0 || this.#isClosed) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.close(), this.idleSeconds * 1000).unref();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#idle);
    clearTimeout(this.#expiry);
    this.onClose(this);
    try {
      await this.#subscription.end('completed');
      await this.#transport.close();
      await this.#server.close();
    } catch (error) {
      new Logger('Sallyport').warn(`A session could not be closed: ${String(error)}`);
    }
  }

  /** A client that has refreshed its token goes on; one that has not is out when the token is. */
  #begin(exchange: Exchange): void {
    this.#open.add(exchange);
    this.usedAt = Date.now();
    clearTimeout(this.#idle);
    clearTimeout(this.#expiry);
    const principal = exchange.identity?.principal;
    this.#principal = principal ?? this.#principal;
    this.#subscription.renew(principal, identifyAgain(this.lanes.gate, exchange));
    const expiresAt = principal?.credential.expiresAt;
    if (expiresAt === undefined) return;
    const wait = Math.min(Math.max(0, expiresAt * 1000 - Date.now()), LONGEST_TIMER_MS);
    this.#expiry = setTimeout(() => void this.close(), wait).unref();
  }

  /** Nothing answers what was cancelled: the SDK would keep its stream open, and its id, as long as the session. */
  async #forgetCancelled({ message }: Exchange): Promise<void> {
    if (message?.message?.method !== 'notifications/cancelled') return;
    const id = cancelledId(message.message.params);
    if ((typeof id !== 'string' && typeof id !== 'number') || !this.#requests.has(id)) return;
    this.#transport.closeSSEStream(id);
    const error = { code: -32603, message: 'The request was cancelled.' };
    // Its stream is closed, so this reaches nobody; when it has been answered meanwhile, there is nothing to forget.
    await this.#transport.send({ jsonrpc: '2.0', id, error }).catch(() => undefined);
  }

  #conversation(): Conversation {
    const exchangeOf = (request: Request | undefined) =>
      request === undefined ? undefined : this.#exchanges.get(request);
    const admitted = conversationOf(exchangeOf, this.lanes.pipeline);
    return {
      ...admitted,
      call: (message, running, about) =>
        this.#requests.during(exchangeOf(about.request), () => admitted.call(message, running, about)),
      subscriptions: async ({ method, params }, { request }) => {
        if (method === 'resources/subscribe')
          return followIn(this.#subscription, exchangeOf(request)?.admission, this.lanes.pipeline);
        await this.#subscription.unfollow(uriIn(params) ?? '');
        return undefined;
      },
    };
  }
}

/** The SDK sends an answer to whichever request came last under its id, whatever credential came with that one. */
function requestIdInUse({ message }: Exchange): Response {
  const error = { code: -32600, message: 'A request with this id is under way: take another id.' };
  return Response.json({ jsonrpc: '2.0', id: message?.id ?? null, error }, { status: 400 });
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;
