import { isSpecType } from '@modelcontextprotocol/server';
import type { Entry, EntryKind } from '../catalog/entry.js';
import { validateWith } from '../catalog/standard-schema.js';
import { isPlainObject } from '../frozen-json.js';
import type { McpCall } from './mcp-call.js';

/** A result as MCP carries it. */
export type McpResult = Record<string, unknown>;

/** The handler returned something that its declared `output` does not allow, or that JSON cannot carry. */
export class ResultMismatchError extends Error {
  constructor(entry: Entry, detail: string) {
    super(`The result of ${entry.kind} "${entry.name}" (${entry.source}) was not sent: ${detail}.`);
    this.name = 'ResultMismatchError';
  }
}

/**
 * Turns what a handler returned into a result.
 *
 * | entry | a string | an object | MCP content |
 * | --- | --- | --- | --- |
 * | tool | one text block | structured content, checked against `output` | `{ content: [...] }` as it is |
 * | resource | its text | its JSON | `{ contents: [...] }`, or bytes as a blob |
 * | prompt | one user message | – | a list of messages, or `{ messages: [...] }` |
 *
 * @throws {@link ResultMismatchError}
 */
export async function toResult(call: McpCall, entry: Entry, returned: unknown): Promise<McpResult> {
  const result = await shaped(call, entry, returned);
  // Before the outcome is recorded: what the protocol would refuse to send has not been completed.
  if (!SHAPE_OF[entry.kind](result)) throw new ResultMismatchError(entry, 'it is not shaped as MCP has it');
  return result;
}

const SHAPE_OF: Record<EntryKind, (result: McpResult) => boolean> = {
  tool: isSpecType.CallToolResult,
  resource: isSpecType.ReadResourceResult,
  prompt: isSpecType.GetPromptResult,
};

async function shaped(call: McpCall, entry: Entry, returned: unknown): Promise<McpResult> {
  if (entry.kind === 'resource') return resourceResult(call, entry, returned);
  const value = wireForm(entry, returned);
  return entry.kind === 'tool' ? toolResult(entry, value) : promptResult(entry, value);
}

/** The result of a tool that failed in a way the caller may read. */
export function toolFailure(message: string): McpResult {
  return { content: [{ type: 'text', text: message }], isError: true };
}

/** What the value is once it has been JSON: dates are strings, `undefined` members are gone. */
function wireForm(entry: Entry, returned: unknown): unknown {
  try {
    return returned === undefined ? undefined : JSON.parse(JSON.stringify(returned) ?? 'null');
  } catch {
    throw new ResultMismatchError(entry, 'JSON cannot carry it');
  }
}

async function toolResult(entry: Entry, value: unknown): Promise<McpResult> {
  if (isPlainObject(value) && Array.isArray(value['content'])) return contentResult(entry, value);
  if (entry.output !== undefined) return structured(await checked(entry, value));
  if (value === undefined || value === null) return { content: [] };
  if (typeof value === 'string') return { content: [text(value)] };
  return isPlainObject(value) ? structured(value) : { content: [text(JSON.stringify(value))] };
}

async function contentResult(entry: Entry, value: Record<string, unknown>): Promise<McpResult> {
  const { content, structuredContent, isError, _meta } = value;
  if (entry.output !== undefined && isError !== true) await checked(entry, structuredContent);
  return {
    content,
    ...(structuredContent === undefined ? {} : { structuredContent }),
    ...(isError === true ? { isError } : {}),
    ...(_meta === undefined ? {} : { _meta }),
  };
}

async function checked(entry: Entry, value: unknown): Promise<unknown> {
  if (entry.output === undefined) return value;
  const result = await validateWith(entry.output, value);
  if (result.issues === undefined) return result.value;
  const paths = result.issues.map((issue) => (issue.path ?? []).map(String).join('.') || 'the whole');
  throw new ResultMismatchError(
    entry,
    `it does not match the declared output at ${paths.slice(0, 5).join(', ')}`,
  );
}

/** Structured content, and the same as text for clients of revisions before 2025-06-18. */
function structured(value: unknown): McpResult {
  return { content: [text(JSON.stringify(value))], structuredContent: value };
}

function text(value: string): McpResult {
  return { type: 'text', text: value };
}

function resourceResult(call: McpCall, entry: Entry, returned: unknown): McpResult {
  const uri = call.target;
  if (returned instanceof Uint8Array) {
    const mimeType = entry.mimeType ?? 'application/octet-stream';
    return { contents: [{ uri, mimeType, blob: Buffer.from(returned).toString('base64') }] };
  }
  const value = wireForm(entry, returned);
  if (isPlainObject(value) && Array.isArray(value['contents'])) return { contents: value['contents'] };
  if (typeof value === 'string')
    return { contents: [{ uri, mimeType: entry.mimeType ?? 'text/plain', text: value }] };
  if (value === undefined) throw new ResultMismatchError(entry, 'the handler returned nothing');
  const mimeType = entry.mimeType ?? 'application/json';
  return { contents: [{ uri, mimeType, text: JSON.stringify(value) }] };
}

function promptResult(entry: Entry, value: unknown): McpResult {
  const described = entry.description === undefined ? {} : { description: entry.description };
  if (typeof value === 'string') return { ...described, messages: [{ role: 'user', content: text(value) }] };
  if (Array.isArray(value)) return { ...described, messages: value };
  if (isPlainObject(value) && Array.isArray(value['messages'])) return { ...described, ...value };
  throw new ResultMismatchError(entry, 'a prompt returns a string, or a list of messages');
}

/** Bytes of the JSON of a result, for the record. */
export function sizeOf(result: McpResult): number {
  return Buffer.byteLength(JSON.stringify(result));
}
