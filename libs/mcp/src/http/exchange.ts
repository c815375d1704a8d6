import type { IncomingMessage } from 'node:http';
import type { Surface } from '../call/operation.js';
import type { Arrival } from '../arrive/arrival.js';
import type { ReadMessage } from '../arrive/read-message.js';
import type { Admission } from '../gate/gate.js';
import type { Principal } from '../principal.js';
import type { Session } from './session.js';

/** One HTTP request on its way through the gates. Each step fills in its part; a later one refuses when an earlier is missing. */
export interface Exchange {
  readonly id: string;
  readonly receivedAt: Date;
  /** `GET` opens the stream of a session, `DELETE` ends it; neither carries a message. */
  readonly method: 'POST' | 'GET' | 'DELETE';
  /** Without its body from the moment the message was read. */
  arrival: Arrival;
  /** Set by the identity guard. The wrapper tells "anonymous" from "nobody asked". */
  identity?: { readonly principal: Principal | undefined };
  /** Set when the body was read. */
  message?: ReadMessage;
  /** Set when the message belongs to a session of this very principal. */
  session?: Session;
  /** Set when the client says hello and sessions are served. */
  opensSession?: boolean;
  /** Set by the policy interceptor. */
  admission?: Admission;
}

/** What the answer to this exchange can carry. */
export function surfaceOf({ message, session }: Exchange, canListen: boolean): Surface {
  if (message?.era === 'modern') return { stream: canListen ? 'listen' : 'none' };
  return { stream: session === undefined ? 'none' : 'session' };
}

/** The platform's request: Express hands over node's own, Fastify wraps it. */
export function rawRequest(request: IncomingMessage | { readonly raw: IncomingMessage }): IncomingMessage {
  return 'raw' in request ? request.raw : request;
}
