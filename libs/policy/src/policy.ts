import { canonicalDigest, RISKS, type Entry, type Risk } from '@sallyport/mcp';
import { compileEntry, type CompiledEntry } from './compile-entry.js';
import { hierarchyOf, type Hierarchy, type Inclusions } from './hierarchy.js';

/** What an application configures. */
export interface PolicyOptions {
  /** Role → the roles it inherits. Every role an entry asks for must stand here. */
  readonly roles: Inclusions;
  /** Scope → the scopes it includes. A scope that includes no other need not stand here. */
  readonly scopes: Inclusions;
  /**
   * `consentable` (default): an entry that only lacks scopes, or a fresh sign-in, stays listed, since a client can only ask
   * for what it knows. `granted`: it is hidden.
   */
  readonly listing: 'consentable' | 'granted';
  /** Risks that wait for a person. What is riskier than one of them waits as well. */
  readonly holds: readonly Risk[];
  /**
   * Whether a caller without a credential reaches public entries. The gate asks for a credential where it says `refuse`,
   * before anything is decided here.
   */
  readonly anonymous: 'public-entries' | 'refuse';
  /** Name of the class that says who holds which role; absent: the credential says it. A part of the version. */
  readonly roleDirectory?: string;
}

/** The configuration, ready to decide with. */
export interface Policy {
  readonly roles: Hierarchy;
  readonly scopes: Hierarchy;
  readonly listing: PolicyOptions['listing'];
  readonly holds: ReadonlySet<Risk>;
  /** Digest over the configuration and every entry: changes whenever a decision could. */
  readonly version: string;
  /** What an entry asks, resolved once. */
  compiled(entry: Entry): CompiledEntry;
}

export const DEFAULT_POLICY: PolicyOptions = {
  roles: {},
  scopes: {},
  listing: 'consentable',
  holds: ['external', 'destructive'],
  anonymous: 'public-entries',
};

export function compilePolicy(options: PolicyOptions, entries: readonly Entry[]): Policy {
  const { roles, scopes, listing, holds, anonymous, roleDirectory } = options;
  const digests = entries.map(({ kind, name, digest }) => [kind, name, digest]);
  const resolved = { roles: hierarchyOf(roles), scopes: hierarchyOf(scopes), holds: heldRisks(holds) };
  const compiled = new WeakMap<Entry, CompiledEntry>();
  return Object.freeze({
    ...resolved,
    listing,
    version: canonicalDigest('sallyport-policy/v3', {
      roles,
      scopes,
      listing,
      holds,
      anonymous,
      roleDirectory,
      entries: digests,
    }),
    compiled: (entry: Entry) => {
      const known = compiled.get(entry);
      if (known !== undefined) return known;
      const made = compileEntry(entry, resolved);
      compiled.set(entry, made);
      return made;
    },
  });
}

/** What does more harm than what is held is held too: then raising a risk never lets a call run. */
function heldRisks(holds: readonly Risk[]): ReadonlySet<Risk> {
  const least = RISKS.findIndex((risk) => holds.includes(risk));
  return new Set(least < 0 ? [] : RISKS.slice(least));
}
