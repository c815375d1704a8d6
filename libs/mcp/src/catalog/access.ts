import type { Risk } from '../risk.js';

/** One scope token (RFC 6749 §3.3), or several that are all required. */
export type Scopes = readonly [string, ...string[]];

/** One role, or several of which any suffices. */
export type Roles = string | readonly [string, ...string[]];

/** Callable by anyone, without a credential. Only for what merely reads. */
export interface PublicAccess {
  readonly public: true;
  readonly risk: 'read';
  readonly scopes?: never;
  readonly role?: never;
  readonly tenancy?: never;
}

interface GuardedAccessBase {
  readonly public?: false;
  readonly risk: Risk;
  /**
   * `required` (default): the principal must belong to a tenant. `none`: for entries that belong to no tenant's data.
   */
  readonly tenancy?: 'required' | 'none';
}

/** Scopes (what the user consented to), a role (what the organization allows), or both. */
export type GuardedAccess = GuardedAccessBase &
  ({ readonly scopes: Scopes; readonly role?: Roles } | { readonly scopes?: Scopes; readonly role: Roles });

/** Who may call an entry: `public`, or `scopes` and/or `role`. Leaving it out does not compile, and does not boot. */
export type Access = PublicAccess | GuardedAccess;
