import type { Hierarchy } from './hierarchy.js';

/** The required scopes that the granted ones do not cover, in the order they are required. The one place that compares scopes. */
export function missingScopes(
  required: readonly string[],
  granted: readonly string[],
  scopes: Hierarchy,
): string[] {
  const covered = scopes.expand(granted);
  return required.filter((scope) => !covered.has(scope));
}
