import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { arrivalOf, withoutBody } from '../arrive/arrival.js';
import { readMessage, type Unreadable } from '../arrive/read-message.js';
import type { CallPipeline } from '../call/call-pipeline.js';
import type { CallContext } from '../call/mcp-call.js';
import { readOperation, type Operation } from '../call/operation.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Gate } from '../gate/gate.js';
import type { Challenger, Revocations } from '../gate/ports.js';
import {
  internalError,
  refusalAnswer,
  RefusalException,
  unavailable,
  type Refusal,
} from '../gate/refusal.js';
import type { McpOptions } from '../mcp.options.js';
import { uuidV7 } from '../uuid.js';
import type { Subscriptions } from '../subscriptions/subscriptions.js';
import { listenDispatch, sdkDispatch, type Dispatch, type Lanes } from './dispatch.js';
import { rawRequest, surfaceOf, type Exchange } from './exchange.js';
import type { Session } from './session.js';
import { sessionNotFound, sessionRequired, Sessions } from './sessions.js';
import { rawResponse, writeResponse, type PlatformResponse } from './write-response.js';

export type PlatformRequest = IncomingMessage | { readonly raw: IncomingMessage };

/** The body is no message: thrown to leave the interceptor, answered by the filter. */
export class UnreadableException extends Error {
  constructor(readonly unreadable: Unreadable) {
    super(unreadable.error.message);
    this.name = 'UnreadableException';
  }
}

/**
 * The steps of an HTTP exchange, in the order Nest takes them: `identify` in the guard, `admit` in the interceptor,
 * `dispatch` in the controller. Each refuses when the one before it did not happen.
 */
export class HttpGateway {
  readonly #logger = new Logger('Sallyport');
  readonly #exchanges = new WeakMap<IncomingMessage, Exchange>();
  readonly #dispatch: Dispatch;
  readonly #listen: Dispatch;
  readonly #canListen: boolean;
  readonly #sessions: Sessions | undefined;
  /** Answers under way, and the connections they are for. */
  readonly #answering = new Map<Promise<void>, Socket>();
  #closing = false;

  constructor(
    private readonly catalog: Catalog,
    private readonly gate: Gate,
    private readonly pipeline: CallPipeline,
    private readonly challenger: Challenger,
    private readonly options: McpOptions,
    subscriptions: Subscriptions,
    revocations: Revocations,
  ) {
    const challengeOf = challenger.challenge.bind(challenger);
    const { server, instructions } = options;
    const told = instructions === undefined ? {} : { instructions };
    this.#canListen = options.subscriptions !== undefined;
    const lanes: Lanes = {
      catalog,
      gate,
      pipeline,
      subscriptions,
      options: { server, challengeOf, ...told },
      canListen: this.#canListen,
    };
    this.#dispatch = sdkDispatch(lanes);
    this.#listen = listenDispatch(lanes);
    if (options.sessions !== undefined) this.#sessions = new Sessions(lanes, options.sessions, revocations);
  }

  /** @throws {@link RefusalException} when a credential came and is not good */
  async identify(request: PlatformRequest): Promise<void> {
    const exchange = this.#open(rawRequest(request));
    const { headers, address } = exchange.arrival;
    const identified = await this.gate.identify({
      headers,
      via: 'http',
      ...(address === undefined ? {} : { address }),
    });
    if (identified.kind === 'refused') throw new RefusalException(identified.refusal);
    exchange.identity = { principal: identified.principal };
  }

  /**
   * Reads the message and asks the gate. Refusals with an HTTP status of their own leave here, before anything is
   * dispatched; those that travel inside a JSON-RPC answer are dispatched and answered there.
   *
   * @throws {@link RefusalException}, {@link UnreadableException}
   */
  async admit(request: PlatformRequest): Promise<void> {
    const exchange = this.#of(rawRequest(request));
    if (exchange.identity === undefined) throw new RefusalException(internalError());
    if (exchange.method !== 'POST') return this.#admitToSession(exchange, exchange.identity.principal);
    const read = readMessage(exchange.arrival, this.options.limits);
    if (read.kind === 'unreadable') throw new UnreadableException(read);
    exchange.message = read;
    exchange.arrival = withoutBody(rawRequest(request), exchange.arrival);
    await this.#findSession(exchange);
    const message = read.message ?? { method: 'notifications/response', params: undefined };
    const context = this.#contextOf(exchange, exchange.identity.principal);
    await this.#ask(
      exchange,
      readOperation(this.catalog, message, context, surfaceOf(exchange, this.#canListen)),
    );
    exchange.opensSession =
      message.method === 'initialize' && read.era === 'legacy' && exchange.session === undefined;
  }

  async #ask(exchange: Exchange, operation: Operation): Promise<void> {
    const admission = await this.gate.admit(operation);
    exchange.admission = admission;
    if (admission.kind !== 'refused') return;
    // A stream is opened by the SDK without asking anybody: what was refused must not get there.
    const isAnsweredHere = admission.refusal.status !== 200 || operation.kind === 'listen';
    if (isAnsweredHere) throw new RefusalException(admission.refusal);
  }

  /** `GET` and `DELETE` carry no message: they are about a session, which must be the caller's own. */
  async #admitToSession(exchange: Exchange, principal: CallContext['principal']): Promise<void> {
    const { address } = exchange.arrival;
    await this.#ask(exchange, { kind: 'connect', principal, from: { via: 'http', address } });
    await this.#findSession(exchange);
    if (exchange.session === undefined) throw new RefusalException(sessionRequired());
  }

  /**
   * A session is no identity: it must have been opened by the principal of this request's credential.
   *
   * @throws {@link RefusalException} the same for a session of another and for one that does not exist
   */
  async #findSession(exchange: Exchange): Promise<void> {
    const id = exchange.arrival.headers['mcp-session-id'];
    if (this.#sessions === undefined || typeof id !== 'string' || exchange.message?.era === 'modern') return;
    const principal = exchange.identity?.principal;
    const found = this.#sessions.find(id, principal);
    if (typeof found !== 'string') {
      exchange.session = found;
      return;
    }
    const { address } = exchange.arrival;
    // A credential that is good for nothing is told so first.
    await this.#ask(exchange, { kind: 'connect', principal, from: { via: 'http', address } });
    const reason = found === 'unknown' ? 'unknown_session' : 'session_of_another';
    const recorded = await this.gate.recordStray({ via: 'http', address }, reason, principal);
    throw new RefusalException(recorded ? sessionNotFound() : unavailable('audit'));
  }

  /** Dispatches what was admitted, and writes the answer. */
  async dispatch(request: PlatformRequest, response: PlatformResponse): Promise<void> {
    const exchange = this.#of(rawRequest(request));
    if (exchange.admission === undefined) throw new RefusalException(internalError());
    const { socket } = rawRequest(request);
    const answering = this.#answerOver(socket, exchange, response);
    this.#answering.set(answering, socket);
    try {
      await answering;
    } finally {
      this.#answering.delete(answering);
    }
  }

  async #answerOver(socket: Socket, exchange: Exchange, response: PlatformResponse): Promise<void> {
    const gone = new AbortController();
    const raw = rawResponse(response);
    const leave = () => {
      if (!raw.writableFinished) gone.abort();
    };
    // Of several requests on one connection only one has it as its own: the others hear of its end from the socket.
    raw.once('close', leave);
    socket.once('close', leave);
    if (raw.destroyed || socket.destroyed) gone.abort();
    try {
      await writeResponse(response, await this.#answer(exchange, gone.signal));
      // Closing a server does not close a connection that falls idle later: this one has had its last answer. One that is
      // refused here has yet to get it.
      if (this.#closing) socket.destroySoon();
    } finally {
      socket.off('close', leave);
      exchange.session?.end(exchange);
      await this.#discardUnused(exchange);
    }
  }

  async #answer(exchange: Exchange, signal: AbortSignal): Promise<Response> {
    if (exchange.admission?.kind === 'listening') return this.#listen(exchange, signal);
    if (exchange.opensSession === true) {
      const session = await this.#sessions?.open(exchange);
      if (session !== undefined) return this.#greet(exchange, session, signal);
    }
    return exchange.session === undefined
      ? this.#dispatch(exchange, signal)
      : exchange.session.dispatch(exchange, signal);
  }

  /** What the protocol layer did not greet has no session. */
  async #greet(exchange: Exchange, session: Session, signal: AbortSignal): Promise<Response> {
    exchange.session = session;
    const response = await session.dispatch(exchange, signal);
    if (response.status !== 200) await session.close();
    return response;
  }

  /**
   * From now on a connection ends with its answer, so that a shutdown does not wait for clients to hang up; sessions end
   * at once.
   */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#sessions?.close();
  }

  /** Resolves when no answer is under way any more. */
  async answered(): Promise<void> {
    while (this.#answering.size > 0) await Promise.allSettled(this.#answering.keys());
  }

  /** Ends the connections that still wait for an answer: closing a server waits for them, however long that takes. */
  endConnections(): void {
    for (const socket of this.#answering.values()) socket.destroy();
  }

  /** Answers a refusal: the one place where it becomes HTTP. */
  async refuse(request: PlatformRequest, response: PlatformResponse, refusal: Refusal): Promise<void> {
    const exchange = this.#exchanges.get(rawRequest(request));
    const challengeOf = this.challenger.challenge.bind(this.challenger);
    const { headers, error } = refusalAnswer(refusal, challengeOf);
    await writeResponse(
      response,
      jsonRpcError(statusFor(refusal, exchange), exchange?.message?.id ?? null, error, headers),
    );
  }

  async answerUnreadable(response: PlatformResponse, { status, id, error }: Unreadable): Promise<void> {
    await writeResponse(response, jsonRpcError(status, id, error));
  }

  #open(request: IncomingMessage): Exchange {
    const arrival = arrivalOf(request);
    // It did not come through the limits: another spelling of the path, or a server we do not listen on.
    if (arrival === undefined) throw new RefusalException(notServedHere());
    const exchange: Exchange = { id: uuidV7(), receivedAt: new Date(), arrival, method: methodOf(request) };
    this.#exchanges.set(request, exchange);
    return exchange;
  }

  #of(request: IncomingMessage): Exchange {
    const exchange = this.#exchanges.get(request);
    if (exchange === undefined) throw new RefusalException(internalError());
    return exchange;
  }

  #contextOf(exchange: Exchange, principal: CallContext['principal']): CallContext {
    return {
      id: exchange.id,
      receivedAt: exchange.receivedAt,
      server: this.options.server,
      via: 'http',
      protocol: exchange.message?.protocol ?? 'unknown',
      principal,
      address: exchange.arrival.address,
      traceparent: exchange.message?.traceparent,
    };
  }

  /** The SDK may refuse a cleared message (a malformed envelope): then its attempt is closed as not run. */
  async #discardUnused(exchange: Exchange): Promise<void> {
    const { admission } = exchange;
    const cleared =
      admission?.kind === 'cleared'
        ? [admission]
        : admission?.kind === 'listening'
          ? admission.resources
          : [];
    for (const { call, clearance } of cleared) {
      if (!this.gate.isUnspent(clearance)) continue;
      this.#logger.warn(`Call ${call.id} was cleared but not run: the protocol layer refused its message.`);
      await this.pipeline.discard(call, clearance);
    }
  }
}

function methodOf({ method }: IncomingMessage): Exchange['method'] {
  return method === 'GET' || method === 'DELETE' ? method : 'POST';
}

function notServedHere(): Refusal {
  return { reason: 'unknown', status: 404, code: -32600, message: 'There is no MCP endpoint at this path.' };
}

/** A 2025 client takes 404 for a lost session; there, an unknown method is an ordinary JSON-RPC error. */
function statusFor({ reason, status }: Refusal, exchange: Exchange | undefined): number {
  const legacy = exchange?.message?.protocol.startsWith('2025-') ?? false;
  return reason === 'method_not_found' && legacy ? 200 : status;
}

function jsonRpcError(
  status: number,
  id: string | number | null,
  error: object,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(
    { jsonrpc: '2.0', id, error },
    { status, headers: { 'Cache-Control': 'no-store', ...headers } },
  );
}
