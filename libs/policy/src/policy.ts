import { canonicalDigest, type Entry, type Risk } from '@sallyport/mcp';
import { hierarchyOf, type Hierarchy, type Inclusions } from './hierarchy.js';

/** What an application configures. */
export interface PolicyOptions {
  /** Role → the roles it inherits. Every role an entry asks for must stand here. */
  readonly roles: Inclusions;
  /** Scope → the scopes it includes. A scope that includes no other need not stand here. */
  readonly scopes: Inclusions;
  /**
   * `consentable` (default): an entry that only lacks scopes stays listed, since a client can only ask for consent to
   * what it knows. `granted`: it is hidden.
   */
  readonly listing: 'consentable' | 'granted';
  /** Risks that wait for a person. */
  readonly holds: readonly Risk[];
}

/** The configuration, ready to decide with. */
export interface Policy {
  readonly roles: Hierarchy;
  readonly scopes: Hierarchy;
  readonly listing: PolicyOptions['listing'];
  readonly holds: ReadonlySet<Risk>;
  /** Digest over the configuration and every entry: changes whenever a decision could. */
  readonly version: string;
}

export const DEFAULT_POLICY: PolicyOptions = {
  roles: {},
  scopes: {},
  listing: 'consentable',
  holds: ['external', 'destructive'],
};

export function compilePolicy(options: PolicyOptions, entries: readonly Entry[]): Policy {
  const { roles, scopes, listing, holds } = options;
  const digests = entries.map(({ kind, name, digest }) => [kind, name, digest]);
  return Object.freeze({
    roles: hierarchyOf(roles),
    scopes: hierarchyOf(scopes),
    listing,
    holds: new Set(holds),
    version: canonicalDigest('sallyport-policy/v1', { roles, scopes, listing, holds, entries: digests }),
  });
}
