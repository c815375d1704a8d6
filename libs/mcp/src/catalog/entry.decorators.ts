import { SetMetadata } from '@nestjs/common';
import type { ClassPolicy } from './access.js';
import type {
  EntryDeclaration,
  McpPromptOptions,
  McpResourceOptions,
  McpToolOptions,
} from './entry-options.js';

/** Explicit and stable, so that two copies of this package read the same metadata. */
export const ENTRY_DECLARATION = 'sallyport:entry';

/** As {@link ENTRY_DECLARATION}, for what `@McpPolicy` wrote on a class. */
export const CLASS_POLICY = 'sallyport:class-policy';

/**
 * Where Nest looks for providers that host handlers as controllers do (`@nestjs/common/constants`,
 * ENTRY_PROVIDER_WATERMARK). Without it, guards and interceptors of request or transient scope are left out in silence.
 */
const HANDLER_HOST = '__entryProvider__';

/**
 * Makes a method of a provider a tool.
 *
 * @example
 * ```ts
 * @McpTool({
 *   name: 'crm_open_record', description: 'Open one customer record.',
 *   input: z.object({ recordId: z.uuid() }),
 *   scopes: ['crm:read'], role: 'agent:read-only', risk: 'read',
 * })
 * open(@Args() { recordId }: { recordId: string }, @Caller() caller: Principal) { … }
 * ```
 */
export function McpTool(options: McpToolOptions): MethodDecorator {
  return declare({ kind: 'tool', options });
}

/**
 * Makes a method of a provider a resource, or with a template a family of resources. `@Args()` holds the variables.
 *
 * @example
 * ```ts
 * @McpResource({ name: 'doc', uri: 'docs://{slug}', description: 'One page.', mimeType: 'text/markdown', public: true })
 * read(@Args() { slug }: { slug: string }) { return this.docs.text(slug); }
 * ```
 */
export function McpResource(options: McpResourceOptions): MethodDecorator {
  return declare({ kind: 'resource', options });
}

/**
 * Makes a method of a provider a prompt. It returns a string (one user message) or a list of MCP prompt messages.
 *
 * @example
 * ```ts
 * @McpPrompt({ name: 'triage', description: 'Triage one ticket.', scopes: ['tickets:read'],
 *              input: z.object({ ticketId: z.string() }) })
 * triage(@Args() { ticketId }: { ticketId: string }) { return `Triage ticket ${ticketId}.`; }
 * ```
 */
export function McpPrompt(options: McpPromptOptions): MethodDecorator {
  return declare({ kind: 'prompt', options });
}

/**
 * Asks something of the callers of every method of a class, and of the classes that extend it, beside what each method
 * asks: scopes, roles and rules are added, and of tenancy, freshness and risk the strictest counts. Nothing is loosened, and
 * each method still says its own policy. A public method cannot stand in such a class.
 *
 * @example
 * ```ts
 * @McpPolicy({ role: 'agent:admin', freshness: { maxAge: 900 } })
 * @Injectable()
 * class PayrollTools { … }
 * ```
 */
export function McpPolicy(options: ClassPolicy): ClassDecorator {
  return (target) => {
    if (Reflect.hasOwnMetadata(CLASS_POLICY, target))
      throw new TypeError(`${target.name} has two @McpPolicy: write one.`);
    Reflect.defineMetadata(CLASS_POLICY, options, target);
  };
}

function declare(declaration: EntryDeclaration): MethodDecorator {
  return (target, property, descriptor) => {
    const method: unknown = descriptor.value;
    if (typeof target === 'function')
      throw new TypeError(`${String(property)} is static: an entry is a method of an instance.`);
    if (typeof method !== 'function')
      throw new TypeError(`@Mcp… belongs on a method; ${String(property)} is none.`);
    if (Reflect.hasMetadata(ENTRY_DECLARATION, method)) {
      throw new TypeError(
        `${String(property)} is declared twice: one method is one tool, resource or prompt.`,
      );
    }
    SetMetadata(ENTRY_DECLARATION, declaration)(target, property, descriptor);
    Reflect.defineMetadata(HANDLER_HOST, true, target.constructor);
  };
}
