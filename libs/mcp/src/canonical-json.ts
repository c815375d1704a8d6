import { createHash } from 'node:crypto';
import { isPlainObject } from './frozen-json.js';

/**
 * Canonical JSON by RFC 8785 (JCS): object keys sorted by UTF-16 code units, ECMAScript number and string forms.
 * Takes what `JSON.parse` can give; throws a `TypeError` on anything else, so that two different values never share a
 * form.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') return canonicalNumber(value);
  // `Array.from` also visits the holes of a sparse array: skipped, `[ , ]` would have the form of `[]`.
  if (Array.isArray(value)) return `[${Array.from(value, (item) => canonicalJson(item)).join(',')}]`;
  if (isPlainObject(value)) return canonicalObject(value);
  throw new TypeError(`Canonical JSON has no form for a ${typeof value}.`);
}

/** Lower-case hexadecimal SHA-256 of `domain`, a line feed, and the canonical form of `value`. */
export function canonicalDigest(domain: string, value: unknown): string {
  return createHash('sha256').update(`${domain}\n`).update(canonicalJson(value)).digest('hex');
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value))
    throw new TypeError('Canonical JSON has no form for a number that is not finite.');
  return JSON.stringify(value);
}

function canonicalString(value: string): string {
  if (!value.isWellFormed())
    throw new TypeError('Canonical JSON has no form for a string with a lone surrogate.');
  return JSON.stringify(value);
}

function canonicalObject(value: Record<string, unknown>): string {
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, member]) => `${canonicalString(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
