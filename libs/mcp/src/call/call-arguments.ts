import type { McpCall } from './mcp-call.js';

/** The arguments of a call, or the one of that name: what {@link Args} hands out, and what pipes may not change. */
export function argumentsOf(call: Pick<McpCall, 'arguments'> | undefined, name: string | undefined): unknown {
  const all = call?.arguments ?? {};
  if (name === undefined) return all;
  return Object.hasOwn(all, name) ? all[name] : undefined;
}
