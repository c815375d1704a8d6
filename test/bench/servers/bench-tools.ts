import { Injectable, type Type } from '@nestjs/common';
import { Args, McpTool, type McpToolOptions } from 'sallyport';
import { runTool, toolInput, toolNames, type ToolInput } from '../tools.js';
import type { SallyportSettings } from './settings.js';

const ACCESS = {
  guarded: { scopes: ['bench:call'], role: 'bench:caller', risk: 'read' },
  public: { public: true, risk: 'read' },
} as const;

/** A provider with as many tools as asked for: what decorators on as many methods would have made. */
export function benchTools({ tools, access }: Pick<SallyportSettings, 'tools' | 'access'>): Type<unknown> {
  @Injectable()
  class BenchTools {}
  for (const name of toolNames(tools)) {
    const description = `Does what ${name} does.`;
    declareTool(BenchTools.prototype, { name, description, input: toolInput, ...ACCESS[access] });
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
