import type { Hierarchy } from './hierarchy.js';

/** Whether any of the held roles is, or inherits, one of those asked for. The one place that compares roles. */
export function sufficesRole(asked: readonly string[], held: readonly string[], roles: Hierarchy): boolean {
  if (asked.length === 0) return true;
  const effective = roles.expand(held);
  return asked.some((role) => effective.has(role));
}
