import { safeText } from '@sallyport/audit';

/** JSON to be read by people: what could change how a terminal shows it is escaped, and means the same. */
export function safeJson(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split('\n');
  return lines.map(safeText).join('\n');
}
