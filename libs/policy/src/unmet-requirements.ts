import { alternativesOf, requirementsText, type Requirement } from '@sallyport/mcp';
import type { Hierarchy } from './hierarchy.js';

/** A requirement, and every name that satisfies it, hierarchy included. */
export interface CompiledRequirement<R extends Requirement = Requirement> {
  readonly asked: R;
  readonly grantedBy: ReadonlySet<string>;
  /** Each name that was asked for, with the names that grant it. */
  readonly alternatives: readonly { readonly name: string; readonly grantedBy: ReadonlySet<string> }[];
  /** For a sentence. */
  readonly text: string;
}

/** Resolves requirements against a hierarchy once, so that a decision only looks names up. */
export function compileRequirements<R extends Requirement>(
  asked: readonly R[],
  hierarchy: Hierarchy,
): readonly CompiledRequirement<R>[] {
  return asked.map((each) => {
    const alternatives = alternativesOf(each).map((name) => ({
      name,
      grantedBy: new Set(hierarchy.grantersOf(name)),
    }));
    const grantedBy = new Set(alternatives.flatMap((alternative) => [...alternative.grantedBy]));
    return { asked: each, grantedBy, alternatives, text: requirementsText([each]) };
  });
}

/** Whether any of the held names satisfies it. The one place that compares scopes, and roles. */
export function isMet(
  { grantedBy }: Pick<CompiledRequirement, 'grantedBy'>,
  held: readonly string[],
): boolean {
  // A loop, and no closure: this is the innermost step of every decision.
  for (const name of held) if (grantedBy.has(name)) return true;
  return false;
}

/** The requirements that the held names do not satisfy, in the order they are asked for. */
export function unmetRequirements<R extends Requirement>(
  asked: readonly R[],
  held: readonly string[],
  hierarchy: Hierarchy,
): R[] {
  return compileRequirements(asked, hierarchy)
    .filter((requirement) => !isMet(requirement, held))
    .map((requirement) => requirement.asked);
}
