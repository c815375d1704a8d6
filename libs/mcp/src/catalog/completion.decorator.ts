import { SetMetadata } from '@nestjs/common';

/** Explicit and stable, as that of entries. */
export const COMPLETION_DECLARATION = 'sallyport:completion';

/** See `entry.decorators.ts`: without it, guards of request or transient scope are left out in silence. */
const HANDLER_HOST = '__entryProvider__';

/** Options of `@McpCompletion`. */
export type McpCompletionOptions =
  /** An argument of this prompt. */
  | { readonly prompt: string; readonly argument: string }
  /** A variable of the template of this resource, by the resource's name. */
  | { readonly resource: string; readonly argument: string };

/**
 * Makes a method of a provider the one that proposes values for an argument of a prompt or of a resource template. It
 * returns a list of strings, or `{ values, total, hasMore }`; more than 100 values are cut off.
 *
 * It is asked only for callers that the entry itself would serve: the same policy is decided on, first without arguments
 * and then on what the client knows of them so far, so a policy that looks at an argument refuses while it is not known.
 * `@Args()` holds the same: the arguments so far and, under its own name, the beginning of the one asked for. None of it
 * has been checked against the `input` of the entry. Guards of the entry's own method do not run: those of this one do.
 *
 * @example
 * ```ts
 * @McpCompletion({ prompt: 'triage', argument: 'ticketId' })
 * tickets(@Args('ticketId') beginning: string, @Caller() caller: Principal) {
 *   return this.support.idsBeginningWith(beginning, caller.tenant);
 * }
 * ```
 */
export function McpCompletion(options: McpCompletionOptions): MethodDecorator {
  return (target, property, descriptor) => {
    const method: unknown = descriptor.value;
    if (typeof target === 'function' || typeof method !== 'function')
      throw new TypeError(`@McpCompletion belongs on a method of an instance; ${String(property)} is none.`);
    if (Reflect.hasMetadata(COMPLETION_DECLARATION, method))
      throw new TypeError(`${String(property)} completes two arguments: write a method for each.`);
    SetMetadata(COMPLETION_DECLARATION, options)(target, property, descriptor);
    Reflect.defineMetadata(HANDLER_HOST, true, target.constructor);
  };
}
