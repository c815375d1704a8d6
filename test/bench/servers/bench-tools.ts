import { Injectable, type Type } from '@nestjs/common';
import { Args, McpTool, type McpToolOptions } from 'sallyport';
import { runTool, toolInput, toolNames, type ToolInput } from '../tools.js';
import type { SallyportSettings } from './settings.js';

const GUARDED = { scopes: ['bench:call'], role: 'bench:caller', risk: 'read' } as const;
const ACCESS = {
  guarded: [GUARDED],
  public: [{ public: true, risk: 'read' }],
  // Every other one: the argument has to name the tenant of its caller.
  bound: [GUARDED, { ...GUARDED, tenancy: { argument: 'recordId' } }],
} as const;

type McpToolAccess = (typeof ACCESS)[keyof typeof ACCESS][number];

/** A provider with as many tools as asked for: what decorators on as many methods would have made. */
export function benchTools({ tools, access }: Pick<SallyportSettings, 'tools' | 'access'>): Type<unknown> {
  @Injectable()
  class BenchTools {}
  const options: readonly McpToolAccess[] = ACCESS[access];
  for (const [index, name] of toolNames(tools).entries()) {
    const description = `Does what ${name} does.`;
    const own = options[index % options.length];
    if (own === undefined) throw new Error('There is nothing that says who may call.');
    declareTool(BenchTools.prototype, { name, description, input: toolInput, ...own });
  }
  return BenchTools;
}

function declareTool(prototype: object, options: McpToolOptions): void {
  const { name } = options;
  const descriptor = {
    value: (input: ToolInput) => runTool(name, input),
    configurable: true,
    writable: true,
  };
  Object.defineProperty(prototype, name, descriptor);
  McpTool(options)(prototype, name, descriptor);
  Args()(prototype, name, 0);
}
