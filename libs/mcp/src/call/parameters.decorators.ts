import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { argumentsOf } from './call-arguments.js';
import { KEPT_ARGUMENTS } from './kept-arguments.pipe.js';
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

const ArgumentsOfCall = createParamDecorator((name: string | undefined, context: ExecutionContext): unknown =>
  argumentsOf(handlerContextOf(context).call, name),
);

type ParameterPipe = Type<PipeTransform> | PipeTransform;

/**
 * The validated, defaulted and frozen arguments: the very object that was decided on and recorded. With a name, that
 * one argument. Pipes of the class, the method and the application may refuse it, and not change it; pipes that are named
 * here make of it what they like.
 *
 * @example
 * open(@Args('recordId', LoadRecord) record: CrmRecord) { … }
 */
export function Args(nameOrPipe?: string | ParameterPipe, ...pipes: ParameterPipe[]): ParameterDecorator {
  if (typeof nameOrPipe === 'string') return ArgumentsOfCall(nameOrPipe, KEPT_ARGUMENTS, ...pipes);
  const own = nameOrPipe === undefined ? pipes : [nameOrPipe, ...pipes];
  return ArgumentsOfCall(undefined, KEPT_ARGUMENTS, ...own);
}

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
