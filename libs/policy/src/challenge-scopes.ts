import { isMet, type CompiledRequirement } from './unmet-requirements.js';

/**
 * Scopes that would satisfy all of it, for one challenge (RFC 6750 §3.1): the granted ones as well, since a new token may
 * hold no others. Of alternatives, one: what is granted already, or else the first.
 */
export function challengeScopes(
  asked: readonly CompiledRequirement[],
  granted: readonly string[],
): readonly string[] {
  const scopes = asked.flatMap(({ alternatives }) => {
    const met = alternatives.filter((each) => isMet(each, granted));
    return [...met, ...alternatives].slice(0, 1).map(({ name }) => name);
  });
  return [...new Set(scopes)];
}
