import { isRecord } from './is-record.js';

const MAX_DEPTH = 32;

/**
 * A deeply frozen copy of a JSON value, so that nobody who still holds the original can change it. Members that are
 * `undefined` are left out.
 *
 * @throws TypeError for what JSON cannot say: functions, dates, class instances, cycles, numbers that are not finite
 */
export function frozenJson(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new TypeError('is nested too deeply');
  if (Array.isArray(value)) return Object.freeze(value.map((item: unknown) => frozenJson(item, depth + 1)));
  if (isRecord(value) && isPlain(value)) return frozenObject(value, depth);
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value))
    return value;
  throw new TypeError('is not JSON');
}

function frozenObject(value: Record<string, unknown>, depth: number): Record<string, unknown> {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.freeze(
    Object.fromEntries(members.map(([name, member]) => [name, frozenJson(member, depth + 1)])),
  );
}

function isPlain(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]' && !hasClass(value);
}

/** By what the prototype looks like, not by its identity: JSON made in another realm is JSON too. */
function hasClass(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && typeof prototype === 'object' && Object.getPrototypeOf(prototype) !== null;
}
