import { isRisk, namesIn, type Entry, type Problem } from '@sallyport/mcp';
import { cyclicName, knownNames } from './hierarchy.js';
import type { PolicyOptions } from './policy.js';

/** What is wrong with a policy, before it may decide anything. */
export function policyProblems(options: PolicyOptions, entries: readonly Entry[]): Problem[] {
  return [
    ...entries.flatMap((entry) => unknownRoles(options, entry)),
    ...ambiguousRules(entries),
    ...cycleProblems('roles', options.roles),
    ...cycleProblems('scopes', options.scopes),
    ...shapeProblems(options),
  ];
}

function unknownRoles({ roles }: PolicyOptions, entry: Entry): Problem[] {
  const known = knownNames(roles);
  return namesIn(entry.policy.roles)
    .filter((role) => !known.has(role))
    .map((role) => ({
      code: 'unknown_role',
      message: `The ${entry.kind} "${entry.name}" (${entry.source}) asks for the role "${role}", which is not configured: add it to roles: { '${role}': [] }, or correct its name.`,
    }));
}

/** The name of a rule is all that a policy, a record and a lock say of it: it has to mean one class. */
function ambiguousRules(entries: readonly Entry[]): Problem[] {
  const classes = new Map<string, Set<unknown>>();
  for (const rule of entries.flatMap(({ rules = [] }) => rules))
    classes.set(rule.name, (classes.get(rule.name) ?? new Set()).add(rule));
  return [...classes]
    .filter(([, same]) => same.size > 1)
    .map(([name, same]) => ({
      code: 'ambiguous_rule',
      message: `${same.size} different rules are named ${name}: give each class a name of its own.`,
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
