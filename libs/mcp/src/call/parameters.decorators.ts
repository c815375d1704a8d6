import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { HandlerContext } from './running-call.js';

/** The `ExecutionContext` type of a call: `context.getType() === MCP_CONTEXT`. */
export const MCP_CONTEXT = 'mcp';

/**
 * The call behind a Nest execution context of type `mcp`, for guards, interceptors and filters of your own.
 *
 * @throws TypeError when the context is not of type `mcp`
 */
export function handlerContextOf(context: ExecutionContext): HandlerContext {
  if (context.getType<string>() !== MCP_CONTEXT) {
    throw new TypeError(`This is a context of type ${context.getType()}, not of an MCP call.`);
  }
  return context.getArgByIndex<HandlerContext>(0);
}

/**
 * The validated, defaulted and frozen arguments: the very object that was decided on and recorded. With a name, that
 * one argument.
 */
export const Args = createParamDecorator((name: string | undefined, context: ExecutionContext): unknown => {
  const args = handlerContextOf(context).call.arguments ?? {};
  return name === undefined ? args : Object.hasOwn(args, name) ? args[name] : undefined;
});

/** The {@link Principal} that calls; `undefined` when a public entry is called without a credential. */
export const Caller = createParamDecorator(
  (_: unknown, context: ExecutionContext) => handlerContextOf(context).principal,
);

/** The {@link RunningCall}: abort signal, progress, and the call as recorded. */
export const CurrentCall = createParamDecorator((_: unknown, context: ExecutionContext) =>
  handlerContextOf(context),
);

/** The `AbortSignal` of the call: aborted when the client went away. */
export const Signal = createParamDecorator(
  (_: unknown, context: ExecutionContext) => handlerContextOf(context).signal,
);
