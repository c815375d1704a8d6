import type { IncomingMessage } from 'node:http';
import type { Arrival } from '../arrive/arrival.js';
import type { ReadMessage } from '../arrive/read-message.js';
import type { Admission } from '../gate/gate.js';
import type { Principal } from '../principal.js';

/** One HTTP request on its way through the gates. Each step fills in its part; a later one refuses when an earlier is missing. */
export interface Exchange {
  readonly id: string;
  readonly receivedAt: Date;
  readonly arrival: Arrival;
  /** Set by the identity guard. The wrapper tells "anonymous" from "nobody asked". */
  identity?: { readonly principal: Principal | undefined };
  /** Set when the body was read. */
  message?: ReadMessage;
  /** Set by the policy interceptor. */
  admission?: Admission;
}

/** The platform's request: Express hands over node's own, Fastify wraps it. */
export function rawRequest(request: IncomingMessage | { readonly raw: IncomingMessage }): IncomingMessage {
  return 'raw' in request ? request.raw : request;
}
