import {
  requirementsText,
  type Check,
  type CheckName,
  type Entry,
  type EntryPolicy,
  type Risk,
} from '@sallyport/mcp';
import type { Hierarchy } from './hierarchy.js';
import { compileRequirements, type CompiledRequirement } from './unmet-requirements.js';

/** What an entry asks, resolved once: a decision looks names up and hands out sentences that are there already. */
export interface CompiledEntry {
  readonly policy: EntryPolicy;
  readonly roles: readonly CompiledRequirement[];
  readonly scopes: readonly CompiledRequirement[];
  /** The checks whose answer is the same for every principal, or for every one that passes. */
  readonly passed: Readonly<Record<'entry' | 'role' | 'scopes' | 'freshness' | 'tenant', Check>>;
  readonly risk: Check;
}

interface Resolved {
  readonly roles: Hierarchy;
  readonly scopes: Hierarchy;
  readonly holds: ReadonlySet<Risk>;
}

export function compileEntry(
  { kind, name, policy }: Entry,
  { roles, scopes, holds }: Resolved,
): CompiledEntry {
  const held = holds.has(policy.risk);
  return Object.freeze({
    policy,
    roles: compileRequirements(policy.roles, roles),
    scopes: compileRequirements(policy.scopes, scopes),
    passed: Object.freeze({
      entry: check('entry', true, `${kind} "${name}"`),
      tenant: check('tenant', true, 'none is asked for'),
      role: check(
        'role',
        true,
        policy.roles.length === 0 ? 'none is asked for' : `asks for ${requirementsText(policy.roles)}; held`,
      ),
      freshness: check(
        'freshness',
        true,
        policy.freshness === undefined ? 'none is asked for' : 'the sign-in is as asked for',
      ),
      scopes: check(
        'scopes',
        true,
        policy.scopes.length === 0
          ? 'none are asked for'
          : `asks for ${requirementsText(policy.scopes)}; all granted`,
      ),
    }),
    risk: check('risk', !held, held ? `${policy.risk}: waits for the approval of a person` : policy.risk),
  });
}

export function check(name: CheckName, passed: boolean, detail: string): Check {
  return { name, passed, detail };
}
