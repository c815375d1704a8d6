import type { Risk } from '../risk.js';
import type { Freshness } from './freshness.js';
import type { PolicyRuleClass } from './policy-rule.js';
import type { AnyOf, Requirement } from './requirement.js';

/** Scope tokens (RFC 6749 §3.3) that are all required, or `{ anyOf: […] }` of which one suffices. A list may hold both. */
export type Scopes = readonly [Requirement, ...Requirement[]] | AnyOf;

/** One role, or several of which any suffices. */
export type Roles = string | readonly [string, ...string[]];

/**
 * `required` (default): the principal must belong to a tenant. `none`: for entries that belong to no tenant's data.
 * `{ argument: 'customer.tenant' }`: it must belong to the very tenant that this argument names, by its path into the
 * validated arguments; the variables of a resource template are arguments as well.
 */
export type TenancyOption =
  'required' | 'none' | { readonly argument: string | readonly [string, ...string[]] };

/** Rules of the application that may refuse further: all of them must permit. */
export type When = PolicyRuleClass | readonly [PolicyRuleClass, ...PolicyRuleClass[]];

/** Callable by anyone, without a credential. Only for what merely reads. */
export interface PublicAccess {
  readonly public: true;
  readonly risk: 'read';
  readonly scopes?: never;
  readonly role?: never;
  readonly tenancy?: never;
  readonly when?: never;
  readonly freshness?: never;
}

interface GuardedAccessBase {
  readonly public?: false;
  readonly risk: Risk;
  /** Default: `required`. */
  readonly tenancy?: TenancyOption;
  readonly when?: When;
  readonly freshness?: Freshness;
}

/** Scopes (what the user consented to), a role (what the organization allows), or both. */
export type GuardedAccess = GuardedAccessBase &
  ({ readonly scopes: Scopes; readonly role?: Roles } | { readonly scopes?: Scopes; readonly role: Roles });

/** Who may call an entry: `public`, or `scopes` and/or `role`. Leaving it out does not compile, and does not boot. */
export type Access = PublicAccess | GuardedAccess;

/**
 * What a class asks of every caller of its methods, beside what each method asks: it adds and never loosens. `risk` is the
 * least risk of its methods.
 */
export interface ClassPolicy {
  readonly scopes?: Scopes;
  readonly role?: Roles;
  readonly tenancy?: TenancyOption;
  readonly when?: When;
  readonly freshness?: Freshness;
  readonly risk?: Risk;
}
