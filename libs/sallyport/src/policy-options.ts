import { DEFAULT_POLICY, type PolicyOptions } from '@sallyport/policy';
import type { SallyportOptions } from './sallyport.options.js';

/** What the policy library is told of the options, with their defaults. */
export function policyOptions({
  roles,
  scopes,
  listing,
  anonymous,
  roleDirectory,
}: SallyportOptions): PolicyOptions {
  return {
    roles: roles ?? DEFAULT_POLICY.roles,
    scopes: scopes ?? DEFAULT_POLICY.scopes,
    listing: listing ?? DEFAULT_POLICY.listing,
    holds: DEFAULT_POLICY.holds,
    anonymous: anonymous ?? DEFAULT_POLICY.anonymous,
    ...(roleDirectory !== undefined && { roleDirectory: roleDirectory.name }),
  };
}
