import type { Principal } from '@sallyport/mcp';

/** What reaches how far: a scope may include others, a role may inherit others. */
export interface Grants {
  /** The asked scopes that the held ones do not cover. */
  missingScopes(asked: readonly string[], held: readonly string[]): readonly string[];
  /** The asked roles that the held ones do not cover. */
  missingRoles(asked: readonly string[], held: readonly string[]): readonly string[];
}

/** Nothing includes anything. */
export const LITERAL_GRANTS: Grants = { missingScopes: without, missingRoles: without };

/** What a key may do. */
export interface KeyReach {
  readonly tenant: string | null;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
}

/** In which ways a key would reach further than a principal does by itself; empty: in none. */
export function widerThan({ tenant, scopes, roles }: Principal, reach: KeyReach, grants: Grants): string[] {
  const missingScopes = grants.missingScopes(reach.scopes, scopes);
  const missingRoles = grants.missingRoles(reach.roles, roles);
  return [
    // Nor may it be of none: whoever belongs to a tenant manages the keys of that tenant alone.
    ...(reach.tenant === (tenant ?? null) ? [] : ['another tenant']),
    ...missingScopes.map((scope) => `scope ${scope}`),
    ...missingRoles.map((role) => `role ${role}`),
  ];
}

function without(asked: readonly string[], held: readonly string[]): string[] {
  return asked.filter((name) => !held.includes(name));
}
