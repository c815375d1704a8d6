import { AsyncLocalStorage } from 'node:async_hooks';
import type { ListCall, McpCall } from './mcp-call.js';

/** A call while it is decided on or run. */
interface Open {
  readonly call: McpCall | ListCall;
  isOver: boolean;
}

const scope = new AsyncLocalStorage<Open>();

/**
 * The call that this code runs for, however deep below its handler; `undefined` outside of any, as in a background job, and
 * in what a call has left behind: a timer, a queue that it was the first to fill. What goes on after a call is no part of it.
 * Opened by the pipeline for a cleared call, and by the gate while it decides, so that a rule of the application loads what
 * its caller may see and nothing else: being inside of a call is no proof that it was permitted.
 *
 * @example
 * const tenant = currentCall()?.principal?.tenant;
 */
export function currentCall(): McpCall | ListCall | undefined {
  const open = scope.getStore();
  return open === undefined || open.isOver ? undefined : open.call;
}

/**
 * Runs `work`, and whatever it starts and awaits, as part of this call. For the gate and the pipeline: not exported from
 * the package.
 */
export async function withinCall<T>(call: McpCall | ListCall, work: () => T | Promise<T>): Promise<T> {
  const open: Open = { call, isOver: false };
  try {
    return await scope.run(open, work);
  } finally {
    open.isOver = true;
  }
}
