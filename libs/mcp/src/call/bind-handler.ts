import { ContextIdFactory, type ExternalContextCreator, type ModuleRef } from '@nestjs/core';
import type { MethodHost } from '../catalog/scan-catalog.js';
import type { CallArguments } from './mcp-call.js';
import { MCP_CONTEXT } from './parameters.decorators.js';
import type { HandlerContext } from './running-call.js';

/** A method with everything Nest puts around it: guards, interceptors, pipes and filters, its own and global ones. */
export type Handler = (context: HandlerContext) => Promise<unknown>;

/** Where Nest's own `createParamDecorator` keeps what it records (`@nestjs/common/constants`, ROUTE_ARGS_METADATA). */
const PARAMETERS = '__routeArguments__';

/** A call has no `@Body()`, `@Headers()` and the like: such a parameter is undefined. */
const NO_HTTP_PARAMETERS = { exchangeKeyForValue: () => undefined };

type Instance = Record<string, (...args: unknown[]) => unknown>;

/** Binds the method of a provider. Providers of request or transient scope are made anew for each call. */
export function bindHandler(
  host: MethodHost,
  creator: ExternalContextCreator,
  moduleRef: ModuleRef,
): Handler {
  if (host.wrapper.isDependencyTreeStatic() && !host.wrapper.isTransient) {
    return create(creator, host.wrapper.instance, host.method);
  }
  return async (context) => {
    const contextId = ContextIdFactory.create();
    moduleRef.registerRequestByContextId(context, contextId);
    const instance = await moduleRef.resolve<Instance>(host.wrapper.token, contextId, { strict: false });
    return create(creator, instance, host.method, contextId)(context);
  };
}

/** The class that Nest sees behind an entry that is no method: enhancers of the whole application apply to it. */
class RegisteredEntry {
  constructor(readonly handle: (...args: unknown[]) => unknown) {}
}

/** Binds a function, which gets the arguments and the call. */
export function bindFunction(
  handler: (args: CallArguments, context: HandlerContext) => unknown,
  creator: ExternalContextCreator,
): Handler {
  const everything = { guards: true, interceptors: true, filters: true };
  // Without a factory for parameters, Nest passes on the arguments of the execution context.
  const handle = (...[context]: unknown[]) => {
    const running = context as HandlerContext;
    return handler(running.call.arguments ?? {}, running);
  };
  return creator.create(
    new RegisteredEntry(handle),
    handle,
    'handle',
    undefined,
    undefined,
    undefined,
    undefined,
    everything,
    MCP_CONTEXT,
  );
}

function create(
  creator: ExternalContextCreator,
  instance: Instance,
  method: string,
  contextId?: ReturnType<typeof ContextIdFactory.create>,
): Handler {
  const callback = instance[method];
  if (callback === undefined) throw new TypeError(`There is no method ${method}.`);
  const everything = { guards: true, interceptors: true, filters: true };
  return creator.create(
    instance,
    callback,
    method,
    PARAMETERS,
    NO_HTTP_PARAMETERS,
    contextId,
    undefined,
    everything,
    MCP_CONTEXT,
  );
}
