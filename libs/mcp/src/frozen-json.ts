/** The value cannot be carried as JSON, so it could not be digested, recorded and run as one and the same thing. */
export class NotJsonError extends Error {
  constructor(what: string) {
    super(`The value holds ${what}, which JSON cannot carry.`);
    this.name = 'NotJsonError';
  }
}

/**
 * A deeply frozen copy of a JSON value; members that are `undefined` are left out.
 *
 * @throws {@link NotJsonError} for dates, maps, class instances, functions, bigints, numbers that are not finite and
 *   strings with a lone surrogate
 */
export function frozenJson(value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value === 'number') return finite(value);
  // `Array.from` also visits the holes of a sparse array, which JSON would carry as `null`.
  if (Array.isArray(value)) return Object.freeze(Array.from(value, (item) => frozenJson(item)));
  if (isPlainObject(value)) return frozenObject(value);
  throw new NotJsonError(typeof value === 'object' ? 'an object of a class' : `a ${typeof value}`);
}

/** {@link frozenJson} of an object. */
export function frozenObject(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (key === '__proto__') throw new NotJsonError('the key "__proto__"');
    if (member !== undefined) copy[wellFormed(key)] = frozenJson(member);
  }
  return Object.freeze(copy);
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw new NotJsonError('a string with a lone surrogate');
  return text;
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new NotJsonError('a number that is not finite');
  return value;
}
