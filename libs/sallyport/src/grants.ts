import type { Grants } from '@sallyport/identity';
import { hierarchyOf, missingScopes, sufficesRole, type PolicyOptions } from '@sallyport/policy';

/** What covers what, for API keys: by the same two functions that decide on calls. */
export function grantsOf(policy: Pick<PolicyOptions, 'roles' | 'scopes'>): Grants {
  const roles = hierarchyOf(policy.roles);
  const scopes = hierarchyOf(policy.scopes);
  return {
    missingScopes: (asked, held) => missingScopes(asked, held, scopes),
    missingRoles: (asked, held) => asked.filter((role) => !sufficesRole([role], held, roles)),
  };
}
