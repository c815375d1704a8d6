import { isSpecType } from '@modelcontextprotocol/server';
import type { Entry } from '../catalog/entry.js';
import { isPlainObject } from '../frozen-json.js';
import { ResultMismatchError, type McpResult } from './handler-result.js';

/** As many as a completion may hold (MCP, completion, result). */
const MOST_VALUES = 100;

/** What is answered for an argument that nothing completes. */
export const NOTHING_TO_COMPLETE: McpResult = { completion: { values: [], total: 0, hasMore: false } };

/**
 * Turns what a completer returned into a result: a list of strings, or `{ values, total, hasMore }`. What is beyond 100
 * values is cut off, and said to be there.
 *
 * @throws {@link ResultMismatchError}
 */
export function completionResult(entry: Entry, returned: unknown): McpResult {
  const given = Array.isArray(returned) ? { values: returned } : returned;
  const values: unknown = isPlainObject(given) ? given['values'] : undefined;
  if (!isPlainObject(given) || !isStrings(values))
    throw new ResultMismatchError(entry, 'a completion is a list of strings, or { values, total, hasMore }');
  const total = given['total'] ?? values.length;
  const hasMore = given['hasMore'] ?? (values.length > MOST_VALUES || Number(total) > values.length);
  const result = { completion: { values: values.slice(0, MOST_VALUES), total, hasMore } };
  if (!isSpecType.CompleteResult(result))
    throw new ResultMismatchError(entry, 'it is not shaped as MCP has it');
  return result;
}

function isStrings(values: unknown): values is string[] {
  return Array.isArray(values) && values.every((value) => typeof value === 'string');
}
