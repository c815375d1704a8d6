import { TlogError } from './tlog.errors.js';

/** Levels of nesting beyond which a value is refused, rather than the stack exhausted. */
const MAX_DEPTH = 512;

/**
 * Canonical JSON by RFC 8785 (JCS): keys sorted by UTF-16 code units, ECMAScript's forms of numbers and strings. Members
 * that are `undefined` are left out, as `JSON.stringify` does.
 *
 * @throws {@link TlogError} `no_canonical_form` for what JSON cannot carry: numbers that are not finite, lone surrogates,
 *   class instances, bigints, functions, `undefined` elsewhere; and for more than 512 levels
 */
export function canonicalJson(value: unknown): string {
  return format(value, 0);
}

function format(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw noForm('a value that is nested so deeply');
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'string') return formatString(value);
  // `Array.from` also visits holes, which have no form; left out, `[ , ]` would be `[]`.
  if (Array.isArray(value)) return `[${Array.from(value, (item) => format(item, depth + 1)).join(',')}]`;
  if (isPlainObject(value)) return formatObject(value, depth);
  throw noForm(typeof value === 'object' ? 'an object of a class' : `a ${typeof value}`);
}

function formatNumber(value: number): string {
  if (!Number.isFinite(value)) throw noForm('a number that is not finite');
  return JSON.stringify(value);
}

function formatString(value: string): string {
  if (!value.isWellFormed()) throw noForm('a string with a lone surrogate');
  return JSON.stringify(value);
}

function formatObject(value: Readonly<Record<string, unknown>>, depth: number): string {
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    // Keys of an object differ, and `<` compares UTF-16 code units (RFC 8785 §3.2.3).
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${formatString(key)}:${format(member, depth + 1)}`);
  return `{${members.join(',')}}`;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function noForm(what: string): TlogError {
  return new TlogError('no_canonical_form', `Canonical JSON has no form for ${what}.`);
}
