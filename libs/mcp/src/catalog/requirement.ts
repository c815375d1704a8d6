/** Several names of which one suffices. */
export interface AnyOf {
  readonly anyOf: readonly [string, ...string[]];
}

/** One thing that is asked for: a name, or any of several. A list of requirements asks for all of them. */
export type Requirement = string | AnyOf;

/** The names that satisfy a requirement, in the order they were written. */
export function alternativesOf(requirement: Requirement): readonly string[] {
  return typeof requirement === 'string' ? [requirement] : requirement.anyOf;
}

/** Every name that a list of requirements mentions. */
export function namesIn(requirements: readonly Requirement[]): readonly string[] {
  return requirements.flatMap(alternativesOf);
}

/**
 * A list of requirements on one line, for tables and records: a space between requirements, `|` between alternatives.
 *
 * @example
 * requirementsText(['crm:read', { anyOf: ['email:read', 'email:send'] }]); // 'crm:read email:read|email:send'
 */
export function requirementsText(requirements: readonly Requirement[]): string {
  return requirements.map((requirement) => alternativesOf(requirement).join('|')).join(' ');
}
