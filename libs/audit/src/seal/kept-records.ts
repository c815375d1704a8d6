import { isPlainObject } from '@sallyport/mcp';

/**
 * Records that are exported with all others and stay in the database all the same: those that say what was sealed, and
 * the starts of servers, which the next start is compared with. They are few.
 */
export const KEPT_ACTIONS = ['audit.sealed', 'server.started'] as const;

/** Whether a leaf, as a sealed file holds it, is of such a record. */
export function isKept(leaf: Uint8Array): boolean {
  const bytes = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength);
  // Of the lines of a file few name one of them at all.
  if (!KEPT_ACTIONS.some((action) => bytes.includes(action))) return false;
  const record: unknown = JSON.parse(bytes.toString('utf8'));
  return isPlainObject(record) && KEPT_ACTIONS.some((action) => record['action'] === action);
}
