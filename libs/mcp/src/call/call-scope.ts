import { AsyncLocalStorage } from 'node:async_hooks';
import type { McpCall } from './mcp-call.js';

const scope = new AsyncLocalStorage<McpCall>();

/**
 * The call that this code runs for, however deep below its handler; `undefined` outside of any, as in a background job.
 * Only the pipeline opens a scope, and only for a cleared call.
 *
 * @example
 * const tenant = currentCall()?.principal?.tenant;
 */
export function currentCall(): McpCall | undefined {
  return scope.getStore();
}

/** Runs `work`, and whatever it starts, as part of this call. For the pipeline alone: not exported from the package. */
export function withinCall<T>(call: McpCall, work: () => T): T {
  return scope.run(call, work);
}
