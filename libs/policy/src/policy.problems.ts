import { isRisk, type Entry, type Problem } from '@sallyport/mcp';
import { cyclicName, knownNames } from './hierarchy.js';
import type { PolicyOptions } from './policy.js';

/** What is wrong with a policy, before it may decide anything. */
export function policyProblems(options: PolicyOptions, entries: readonly Entry[]): Problem[] {
  return [
    ...entries.flatMap((entry) => unknownRoles(options, entry)),
    ...cycleProblems('roles', options.roles),
    ...cycleProblems('scopes', options.scopes),
    ...shapeProblems(options),
  ];
}

function unknownRoles({ roles }: PolicyOptions, entry: Entry): Problem[] {
  const known = knownNames(roles);
  return entry.policy.roles
    .filter((role) => !known.has(role))
    .map((role) => ({
      code: 'unknown_role',
      message: `The ${entry.kind} "${entry.name}" (${entry.source}) asks for the role "${role}", which is not configured: add it to roles: { '${role}': [] }, or correct its name.`,
    }));
}

function cycleProblems(what: 'roles' | 'scopes', inclusions: PolicyOptions['roles']): Problem[] {
  const name = cyclicName(inclusions);
  if (name === undefined) return [];
  return [
    {
      code: `cyclic_${what}`,
      message: `In ${what}, "${name}" includes itself by way of others: leave out one of the inclusions.`,
    },
  ];
}

function shapeProblems({ listing, holds }: PolicyOptions): Problem[] {
  const problems: Problem[] = [];
  if (!['consentable', 'granted'].some((known) => known === listing)) {
    problems.push({ code: 'listing', message: "listing is unknown: write 'consentable' or 'granted'." });
  }
  if (!holds.every(isRisk)) {
    problems.push({
      code: 'holds',
      message: "approvals names an unknown risk: write 'external' or 'destructive'.",
    });
  }
  return problems;
}
