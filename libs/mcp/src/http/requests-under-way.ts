import type { Exchange } from './exchange.js';

/** One request, until it is answered and nothing works on it any more. */
interface UnderWay {
  readonly exchange: Exchange;
  isAnswered: boolean;
  isWorkedOn: boolean;
}

/**
 * The requests of one session that are under way, by their JSON-RPC id. A client may leave before its answer comes: the id
 * is free when both have ended, so that the answer cannot go to another request.
 */
export class RequestsUnderWay {
  readonly #byId = new Map<string | number, UnderWay>();

  has(id: string | number): boolean {
    return this.#byId.has(id);
  }

  /** Whether it may be handed on: its id is no other's. */
  begin(exchange: Exchange): boolean {
    const id = requestId(exchange);
    if (id === undefined) return true;
    if (this.#byId.has(id)) return false;
    this.#byId.set(id, { exchange, isAnswered: false, isWorkedOn: false });
    return true;
  }

  /** Its HTTP answer has left, or its client has. Does nothing for one that was not begun. */
  end(exchange: Exchange): void {
    const underWay = this.#of(exchange);
    if (underWay === undefined) return;
    underWay.isAnswered = true;
    this.#release(underWay);
  }

  async during<T>(exchange: Exchange | undefined, work: () => Promise<T>): Promise<T> {
    const underWay = exchange === undefined ? undefined : this.#of(exchange);
    if (underWay === undefined) return work();
    underWay.isWorkedOn = true;
    try {
      return await work();
    } finally {
      // The SDK sends what comes of it right behind this: until then the id is taken.
      setImmediate(() => {
        underWay.isWorkedOn = false;
        this.#release(underWay);
      });
    }
  }

  #of(exchange: Exchange): UnderWay | undefined {
    const id = requestId(exchange);
    const underWay = id === undefined ? undefined : this.#byId.get(id);
    return underWay?.exchange === exchange ? underWay : undefined;
  }

  #release({ exchange, isAnswered, isWorkedOn }: UnderWay): void {
    const id = requestId(exchange);
    if (id !== undefined && isAnswered && !isWorkedOn) this.#byId.delete(id);
  }
}

/** `undefined`: it carries no request, but a notification, a response or nothing. */
function requestId({ message }: Exchange): string | number | undefined {
  return message?.message === undefined ? undefined : (message.id ?? undefined);
}
