import type { IncomingMessage } from 'node:http';
import { Logger } from '@nestjs/common';
import { arrivalOf } from '../arrive/arrival.js';
import { readMessage, type Unreadable } from '../arrive/read-message.js';
import type { CallPipeline } from '../call/call-pipeline.js';
import type { CallContext } from '../call/mcp-call.js';
import { readOperation } from '../call/operation.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Gate } from '../gate/gate.js';
import type { Challenger } from '../gate/ports.js';
import { internalError, refusalAnswer, RefusalException, type Refusal } from '../gate/refusal.js';
import type { McpOptions } from '../mcp.options.js';
import { uuidV7 } from '../uuid.js';
import { sdkDispatch, type Dispatch } from './dispatch.js';
import { rawRequest, type Exchange } from './exchange.js';
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
  #closing = false;

  constructor(
    private readonly catalog: Catalog,
    private readonly gate: Gate,
    private readonly pipeline: CallPipeline,
    private readonly challenger: Challenger,
    private readonly options: McpOptions,
  ) {
    const challengeOf = challenger.challenge.bind(challenger);
    const { server, instructions } = options;
    this.#dispatch = sdkDispatch(catalog, pipeline, {
      server,
      challengeOf,
      ...(instructions === undefined ? {} : { instructions }),
    });
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
    const read = readMessage(exchange.arrival, this.options.limits);
    if (read.kind === 'unreadable') throw new UnreadableException(read);
    exchange.message = read;
    const message = read.message ?? { method: 'notifications/response', params: undefined };
    const operation = readOperation(
      this.catalog,
      message,
      this.#contextOf(exchange, exchange.identity.principal),
    );
    exchange.admission = await this.gate.admit(operation);
    if (exchange.admission.kind === 'refused' && exchange.admission.refusal.status !== 200) {
      throw new RefusalException(exchange.admission.refusal);
    }
  }

  /** Dispatches what was admitted, and writes the answer. */
  async dispatch(request: PlatformRequest, response: PlatformResponse): Promise<void> {
    const exchange = this.#of(rawRequest(request));
    if (exchange.admission === undefined) throw new RefusalException(internalError());
    const gone = new AbortController();
    const raw = rawResponse(response);
    const { socket } = rawRequest(request);
    const leave = () => {
      if (!raw.writableFinished) gone.abort();
    };
    // Of several requests on one connection only one has it as its own: the others hear of its end from the socket.
    raw.once('close', leave);
    socket.once('close', leave);
    if (raw.destroyed || socket.destroyed) gone.abort();
    try {
      await writeResponse(response, await this.#dispatch(exchange, gone.signal));
    } finally {
      socket.off('close', leave);
      await this.#discardUnused(exchange);
      // Closing a server does not close a connection that falls idle later: this one has had its last answer.
      if (this.#closing) socket.destroySoon();
    }
  }

  /** From now on a connection ends with its answer, so that a shutdown does not wait for clients to hang up. */
  close(): void {
    this.#closing = true;
  }

  /** Answers a refusal: the one place where it becomes HTTP. */
  async refuse(request: PlatformRequest, response: PlatformResponse, refusal: Refusal): Promise<void> {
    const exchange = this.#exchanges.get(rawRequest(request));
    const challengeOf = this.challenger.challenge.bind(this.challenger);
    const { status, headers, error } = refusalAnswer(refusal, challengeOf);
    await writeResponse(
      response,
      jsonRpcError(statusFor(status, exchange), exchange?.message?.id ?? null, error, headers),
    );
  }

  async answerUnreadable(response: PlatformResponse, { status, id, error }: Unreadable): Promise<void> {
    await writeResponse(response, jsonRpcError(status, id, error));
  }

  #open(request: IncomingMessage): Exchange {
    const arrival = arrivalOf(request);
    // It did not come through the limits: another spelling of the path, or a server we do not listen on.
    if (arrival === undefined) throw new RefusalException(notServedHere());
    const exchange: Exchange = { id: uuidV7(), receivedAt: new Date(), arrival };
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
    if (exchange.admission?.kind !== 'cleared') return;
    const { call, clearance } = exchange.admission;
    if (!this.gate.isUnspent(clearance)) return;
    this.#logger.warn(`Call ${call.id} was cleared but not run: the protocol layer refused its message.`);
    await this.pipeline.discard(call, clearance);
  }
}

function notServedHere(): Refusal {
  return { reason: 'unknown', status: 404, code: -32600, message: 'There is no MCP endpoint at this path.' };
}

/** A 2025 client takes 404 for a lost session; there, an unknown method is an ordinary JSON-RPC error. */
function statusFor(status: number, exchange: Exchange | undefined): number {
  const legacy = exchange?.message?.protocol.startsWith('2025-') ?? false;
  return status === 404 && legacy ? 200 : status;
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
