import { AsyncLocalStorage } from 'node:async_hooks';
import type { ListCall, McpCall } from './mcp-call.js';

const scope = new AsyncLocalStorage<McpCall | ListCall>();

/**
 * The call that this code runs for, however deep below its handler; `undefined` outside of any, as in a background job.
 * Opened by the pipeline for a cleared call, and by the gate while it decides, so that a rule of the application loads what
 * its caller may see and nothing else: being inside of a call is no proof that it was permitted.
 *
 * @example
 * const tenant = currentCall()?.principal?.tenant;
 */
export function currentCall(): McpCall | ListCall | undefined {
  return scope.getStore();
}

/**
 * Runs `work`, and whatever it starts, as part of this call. For the gate and the pipeline: not exported from the package.
 */
export function withinCall<T>(call: McpCall | ListCall, work: () => T): T {
  return scope.run(call, work);
}
