import type { Grants } from '@sallyport/identity';
import { hierarchyOf, unmetRequirements, type PolicyOptions } from '@sallyport/policy';

/** What covers what, for API keys: by the same function that decides on calls. */
export function grantsOf(policy: Pick<PolicyOptions, 'roles' | 'scopes'>): Grants {
  const roles = hierarchyOf(policy.roles);
  const scopes = hierarchyOf(policy.scopes);
  return {
    missingScopes: (asked, held) => unmetRequirements(asked, held, scopes),
    missingRoles: (asked, held) => unmetRequirements(asked, held, roles),
  };
}
