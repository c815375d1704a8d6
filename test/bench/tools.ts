import { z } from 'zod';

/** What every tool of every server takes. Made once, as an application would. */
export const toolInput = z.object({
  recordId: z.string().min(1).max(64),
  limit: z.int().min(1).max(100).default(10),
});

export type ToolInput = z.infer<typeof toolInput>;

/** `tool_000`, `tool_001`, … */
export function toolNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `tool_${String(index).padStart(3, '0')}`);
}

/** All that a tool does: the handler must cost nothing, since only the way to it is measured. */
export function runTool(name: string, { recordId, limit }: ToolInput): string {
  return `${name} found ${limit} entries of ${recordId}`;
}
