import type { Principal } from '../principal.js';
import type { McpCall } from './mcp-call.js';

/** Progress of a running call (MCP `notifications/progress`); sent only to a client that asked for it. */
export interface Progress {
  /** Must grow with each report. */
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** What a handler can know of, and say during, its own call. Given to a method by `@CurrentCall()`. */
export interface RunningCall {
  /** The call as it was decided on and recorded. */
  readonly call: McpCall;
  /** Aborted when the client went away or cancelled: stop, nobody will see the result. */
  readonly signal: AbortSignal;
  /** Resolves when the report was handed to the transport; does nothing when the client did not ask for progress. */
  readonly reportProgress: (progress: Progress) => Promise<void>;
}

/** What travels through Nest's pipeline as the only argument of the execution context. */
export interface HandlerContext extends RunningCall {
  readonly principal: Principal | undefined;
}
