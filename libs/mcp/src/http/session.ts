import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { WebStandardStreamableHTTPServerTransport, type Server } from '@modelcontextprotocol/server';
import type { Principal } from '../principal.js';
import { createProtocolServer, type Conversation } from '../protocol/protocol-server.js';
import { notifyThrough } from '../protocol/notify.js';
import { principalKey } from '../subscriptions/same-principal.js';
import type { Subscription } from '../subscriptions/subscription.js';
import { conversationOf, sdkRequest, type Lanes } from './dispatch.js';
import type { Exchange } from './exchange.js';
import { followIn, uriIn } from '../subscriptions/follow-in.js';
import { identifyAgain } from './identify-again.js';

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
  #idle: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #active = 0;
  #isClosed = false;
  /** Milliseconds; of the last request. */
  usedAt = Date.now();

  private constructor(
    private readonly lanes: Lanes,
    readonly principal: Principal,
    private readonly idleSeconds: number,
    private readonly onClose: (closed: Session) => void,
    first: Exchange,
  ) {
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
      identifyAgain: identifyAgain(lanes.gate, first),
    };
    this.#subscription = lanes.subscriptions.openConnection(subscriber, listener);
  }

  static async open(
    lanes: Lanes,
    principal: Principal,
    idleSeconds: number,
    onClose: (closed: Session) => void,
    first: Exchange,
  ): Promise<Session> {
    const session = new Session(lanes, principal, idleSeconds, onClose, first);
    await session.#server.connect(session.#transport);
    return session;
  }

  /** Whose it is. */
  get key(): string {
    return principalKey(this.principal);
  }

  /** Answers one exchange of this session, identified and admitted by then. */
  async dispatch(exchange: Exchange, signal: AbortSignal): Promise<Response> {
    this.#begin(exchange);
    const request = sdkRequest(exchange, this.lanes.options.server.resource, signal);
    this.#exchanges.set(request, exchange);
    const parsedBody = exchange.message?.body;
    return this.#transport.handleRequest(request, parsedBody === undefined ? {} : { parsedBody });
  }

  /** The answer to one exchange has left. */
  end(): void {
    this.#active -= 1;
    if (this.#active > 0 || this.#isClosed) return;
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
    this.#active += 1;
    this.usedAt = Date.now();
    clearTimeout(this.#idle);
    clearTimeout(this.#expiry);
    const principal = exchange.identity?.principal;
    this.#subscription.renew(principal, identifyAgain(this.lanes.gate, exchange));
    const expiresAt = principal?.credential.expiresAt;
    if (expiresAt === undefined) return;
    const wait = Math.min(Math.max(0, expiresAt * 1000 - Date.now()), LONGEST_TIMER_MS);
    this.#expiry = setTimeout(() => void this.close(), wait).unref();
  }

  #conversation(): Conversation {
    const exchangeOf = (request: Request | undefined) =>
      request === undefined ? undefined : this.#exchanges.get(request);
    return {
      ...conversationOf(exchangeOf, this.lanes.pipeline),
      subscriptions: async ({ method, params }, { request }) => {
        if (method === 'resources/subscribe')
          return followIn(this.#subscription, exchangeOf(request)?.admission, this.lanes.pipeline);
        await this.#subscription.unfollow(uriIn(params) ?? '');
        return undefined;
      },
    };
  }
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;
