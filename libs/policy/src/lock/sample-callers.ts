import {
  alternativesOf,
  type EntryPolicy,
  type Freshness,
  type Principal,
  type Requirement,
} from '@sallyport/mcp';
import { hierarchyOf, knownNames, type Hierarchy } from '../hierarchy.js';
import { CLOCK_TOLERANCE_SECONDS } from '../sign-in-fault.js';
import type { LockedEntry, PolicyLock } from './policy-lock.js';

/** A made-up caller, and a call of theirs, to try two policies on. */
export interface SampleCaller {
  /** What sets this caller apart from one who has everything: `who holds agent:read-only`. */
  readonly who: string;
  readonly principal: Principal | undefined;
  /** Paths of arguments that name another tenant than theirs. */
  readonly foreign: readonly string[];
  /** Rules that refuse this call. */
  readonly refusedBy: readonly string[];
  /** Whoever lets this one in lets in everybody: nobody else has to be named. */
  readonly standsForAll?: true;
}

/** Whom everything lets in that lets in anybody. */
type Generous = SampleCaller & { readonly principal: Principal };

/** An entry, and the lock it stands in. */
export interface Side {
  readonly lock: PolicyLock;
  readonly entry: LockedEntry;
}

/** When all samples call, in milliseconds since the epoch. */
export const SAMPLED_AT = 1_800_000_000_000;

/** Somebody has too many ways to satisfy this: they are not tried. */
export class TooManySamplesError extends Error {
  override readonly name = 'TooManySamplesError';
}

/**
 * Callers that `from` just lets in, each lacking all that can be lacked in one respect: roles, scopes, tenant, rules or
 * sign-in; and whoever comes at all. When `to` lets each of them in, it lets in everybody whom `from` does: a policy asks for all of its parts, and
 * no part asks for less of somebody who has more.
 *
 * @throws TooManySamplesError
 */
export function justLetIn(from: Side, to: Side): SampleCaller[] {
  const generous = generousCaller(from, to);
  const asked = from.entry.policy;
  const roles = fewestNames(asked.roles, hierarchyOf(from.lock.roles));
  const scopes = fewestNames(asked.scopes, hierarchyOf(from.lock.scopes));
  return [
    { ...NOTHING_ELSE, who: 'anyone, without signing in', principal: undefined, standsForAll: true },
    withNothing(generous, to.entry.policy),
    ...roles.map((held) => withFacts(generous, holding(held), { roles: held })),
    ...scopes.map((granted) => withFacts(generous, consenting(granted), { scopes: granted })),
    withoutTenant(generous),
    ...pathsOf(to.entry.policy).map((path) => ({
      ...generous,
      who: `who name another tenant in ${path}`,
      foreign: [path],
    })),
    ...to.entry.policy.when.map((rule) => ({
      ...generous,
      who: `whom the rule ${rule} refuses`,
      refusedBy: [rule],
    })),
    ...signIns(generous, asked.freshness ?? {}),
  ];
}

/** Somebody with all names that are mentioned anywhere, a tenant, and a sign-in just now. */
export function generousCaller(from: Side, to: Side): Generous {
  const acr = sharedAcr(from.entry.policy.freshness, to.entry.policy.freshness);
  const sides = [from, to];
  const principal: Principal = {
    kind: 'user',
    issuer: 'https://issuer.example',
    subject: 'somebody',
    actors: [],
    tenant: 'own',
    roles: [...new Set(sides.flatMap(({ lock, entry }) => named(lock.roles, entry.policy.roles)))],
    scopes: [...new Set(sides.flatMap(({ lock, entry }) => named(lock.scopes, entry.policy.scopes)))],
    credential: {
      kind: 'jwt',
      authenticatedAt: SAMPLED_AT / 1000,
      ...(acr === undefined ? {} : { acr }),
    },
    claims: {},
  };
  return { ...NOTHING_ELSE, who: 'who may call it', principal };
}

const NOTHING_ELSE = { foreign: [], refusedBy: [] } as const;

/** The smallest sets of names that satisfy all requirements. */
export function fewestNames(asked: readonly Requirement[], hierarchy: Hierarchy): string[][] {
  let sets: ReadonlySet<string>[] = [new Set()];
  for (const requirement of asked) {
    const granters = new Set(alternativesOf(requirement).flatMap((name) => hierarchy.grantersOf(name)));
    sets = distinct(sets.flatMap((set) => satisfying(set, granters)));
    if (sets.length > MOST_SETS) throw new TooManySamplesError('Too many combinations of names.');
  }
  return sets
    .filter((set) => !sets.some((other) => other.size < set.size && isWithin(other, set)))
    .map((set) => [...set].toSorted());
}

const MOST_SETS = 512;

function satisfying(set: ReadonlySet<string>, granters: ReadonlySet<string>): ReadonlySet<string>[] {
  if ([...set].some((name) => granters.has(name))) return [set];
  return [...granters].map((name) => new Set([...set, name]));
}

function isWithin(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return [...one].every((name) => other.has(name));
}

function distinct(sets: readonly ReadonlySet<string>[]): ReadonlySet<string>[] {
  return [...new Map(sets.map((set) => [JSON.stringify([...set].toSorted()), set])).values()];
}

function named(inclusions: PolicyLock['roles'], asked: readonly Requirement[]): string[] {
  return [...knownNames(inclusions), ...asked.flatMap(alternativesOf)];
}

function withFacts(generous: Generous, who: string, facts: Partial<Principal>): SampleCaller {
  return { ...generous, who, principal: { ...generous.principal, ...facts } };
}

function withoutTenant(generous: Generous): SampleCaller {
  const { tenant: _, ...principal } = generous.principal;
  return { ...generous, who: 'who belong to no tenant', principal };
}

/** Signed in, and lacking all that can be lacked at once. */
function withNothing(generous: Generous, asked: EntryPolicy): SampleCaller {
  const { tenant: _, ...principal } = generous.principal;
  const credential = { kind: principal.credential.kind };
  return {
    who: 'whoever signs in',
    principal: { ...principal, roles: [], scopes: [], credential },
    foreign: pathsOf(asked),
    refusedBy: asked.when,
    standsForAll: true,
  };
}

function pathsOf({ tenancy }: EntryPolicy): readonly string[] {
  return typeof tenancy === 'string' ? [] : tenancy.argument;
}

/** The oldest sign-in that is good enough, and each way of signing in that is. */
function signIns(generous: Generous, { maxAge, acr }: Freshness): SampleCaller[] {
  const { authenticatedAt, acr: met, ...credential } = generous.principal.credential;
  const shared = met === undefined ? {} : { acr: met };
  const oldest =
    maxAge === undefined
      ? withFacts(generous, 'whose credential does not say when they signed in', {
          credential: { ...credential, ...shared },
        })
      : withFacts(generous, `who signed in ${maxAge} seconds ago`, {
          credential: {
            ...credential,
            ...shared,
            authenticatedAt: SAMPLED_AT / 1000 - maxAge - CLOCK_TOLERANCE_SECONDS,
          },
        });
  const now = authenticatedAt === undefined ? {} : { authenticatedAt };
  const ways =
    acr === undefined
      ? [
          withFacts(generous, 'whose credential does not say how they signed in', {
            credential: { ...credential, ...now },
          }),
        ]
      : acr.map((value) =>
          withFacts(generous, `who signed in with acr ${value}`, {
            credential: { ...credential, ...now, acr: value },
          }),
        );
  return [oldest, ...ways];
}

function sharedAcr(from: Freshness | undefined, to: Freshness | undefined): string | undefined {
  const [one, other] = [from?.acr, to?.acr];
  return one?.find((value) => other === undefined || other.includes(value)) ?? one?.[0] ?? other?.[0];
}

function holding(roles: readonly string[]): string {
  return roles.length === 0 ? 'who hold no role' : `who hold ${roles.join(' and ')}`;
}

function consenting(scopes: readonly string[]): string {
  return scopes.length === 0 ? 'who consented to no scope' : `who consented to ${scopes.join(' and ')}`;
}
