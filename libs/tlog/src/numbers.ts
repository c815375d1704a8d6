import { TlogError } from './tlog.errors.js';

/**
 * Sizes and indexes go to 2^53 − 1, beyond which a JavaScript number is no longer exact. Every calculation with them is
 * plain arithmetic: the bit operators of JavaScript cut off at 32 bits.
 */
export function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

export function checkSize(size: number): void {
  if (!isSize(size)) throw new TlogError('invalid_number', 'A tree size is an integer from 0 to 2^53 − 1.');
}

/** Largest power of two that is not above `n`, and its exponent. `n` ≥ 1. */
export function powerUpTo(n: number): { width: number; level: number } {
  let [width, level] = [1, 0];
  for (; width * 2 <= n; width *= 2) level += 1;
  return { width, level };
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

/** ASCII decimal without leading zeros, up to 2^53 − 1; `undefined` otherwise. */
export function parseDecimal(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
