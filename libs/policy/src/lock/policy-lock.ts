import {
  canonicalDigest,
  canonicalJson,
  toJsonSchema,
  type Entry,
  type EntryKind,
  type EntryPolicy,
} from '@sallyport/mcp';
import type { Inclusions } from '../hierarchy.js';
import type { PolicyOptions } from '../policy.js';

/** First member of every lock file. */
export const LOCK_FORMAT = 'sallyport-lock/v2';

/** Everything that decides who may call what, and what a model is told of it. */
export interface Surface {
  readonly entries: readonly Entry[];
  readonly policy: PolicyOptions;
  /** Which arguments of which entries have values proposed. Default: none. */
  readonly completions?: readonly Completed[];
  /** What the server tells models at the handshake. */
  readonly instructions?: string | undefined;
}

/** An argument for which callers of its entry are proposed values. */
export interface Completed {
  readonly entry: Entry;
  readonly argument: string;
}

/** One entry as it was reviewed. Digests are lower-case hexadecimal SHA-256. */
export interface LockedEntry {
  readonly kind: EntryKind;
  readonly name: string;
  readonly uri?: string;
  readonly mimeType?: string;
  readonly policy: EntryPolicy;
  /** Arguments for which values are proposed, to whoever may call the entry. */
  readonly completions: readonly string[];
  /** Arguments whose values the audit stores in the clear. */
  readonly auditFields: readonly string[];
  /** Of title and description: what a model reads. */
  readonly description: string;
  /** Of the JSON Schemas of what it takes and gives; names and descriptions of arguments are in there. */
  readonly schema: string;
  /** Of all of the above: a block that was edited by hand, or merged from two, does not match it. */
  readonly digest: string;
}

/** A whole surface as it was reviewed. Lists that mean sets are sorted: the order they were written in says nothing. */
export interface PolicyLock {
  readonly format: typeof LOCK_FORMAT;
  /** Whether a caller without a credential reaches public entries. */
  readonly anonymous: PolicyOptions['anonymous'];
  /** Risks that wait for a person. */
  readonly holds: PolicyOptions['holds'];
  /** Digest of the instructions for models; `none` without any. */
  readonly instructions: string;
  readonly listing: PolicyOptions['listing'];
  /** `credential`, or the name of the directory that roles come from instead. */
  readonly rolesFrom: string;
  readonly roles: Inclusions;
  readonly scopes: Inclusions;
  readonly entries: readonly LockedEntry[];
}

/** The lock of a surface. The same surface gives the same lock, in whatever order it was declared. */
export function lockOf({ entries, policy, completions = [], instructions }: Surface): PolicyLock {
  return {
    format: LOCK_FORMAT,
    anonymous: policy.anonymous,
    holds: sorted(policy.holds),
    instructions: instructions === undefined ? 'none' : digestOf('instructions', instructions),
    listing: policy.listing,
    rolesFrom: policy.roleDirectory ?? 'credential',
    roles: sortedInclusions(policy.roles),
    scopes: sortedInclusions(policy.scopes),
    entries: entries
      .map((entry) => lockedEntry(entry, argumentsOf(entry, completions)))
      .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
  };
}

/** By what an entry is found again: `tool crm_open_record`. */
export function keyOf({ kind, name }: Pick<LockedEntry, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/** The digest of a block, over everything else in it. */
export function blockDigest(block: Omit<LockedEntry, 'digest'>): string {
  return digestOf('entry', block);
}

function argumentsOf(entry: Entry, completions: readonly Completed[]): string[] {
  return completions.filter((completed) => completed.entry === entry).map(({ argument }) => argument);
}

function lockedEntry(entry: Entry, completions: readonly string[]): LockedEntry {
  const { kind, name, uri, mimeType, title, description, input, output } = entry;
  const schemas = {
    input: input === undefined ? undefined : toJsonSchema(input, 'input'),
    output: output === undefined ? undefined : toJsonSchema(output, 'output'),
  };
  const block = {
    kind,
    name,
    ...(uri === undefined ? {} : { uri }),
    ...(mimeType === undefined ? {} : { mimeType }),
    policy: normalPolicy(entry.policy),
    completions: sorted(completions),
    auditFields: sorted(entry.auditFields),
    description: digestOf('description', { title, description }),
    schema: digestOf('schema', schemas),
  };
  return { ...block, digest: blockDigest(block) };
}

/** A policy in the one form it has in a lock, whatever order its lists were written in. */
export function normalPolicy(policy: EntryPolicy): EntryPolicy {
  const { public: isPublic, scopes, roles, risk, tenancy, when, freshness } = policy;
  return {
    public: isPublic,
    scopes: sorted(scopes.map(normalRequirement)),
    roles: sorted(roles.map(normalRequirement)),
    risk,
    tenancy: typeof tenancy === 'string' ? tenancy : { argument: sortedNonEmpty(tenancy.argument) },
    when: sorted(when),
    ...(freshness === undefined ? {} : { freshness: normalFreshness(freshness) }),
  };
}

function normalRequirement(requirement: EntryPolicy['scopes'][number]): EntryPolicy['scopes'][number] {
  if (typeof requirement === 'string') return requirement;
  const anyOf = sortedNonEmpty(requirement.anyOf);
  return anyOf.length === 1 ? anyOf[0] : { anyOf };
}

function normalFreshness({ maxAge, acr }: NonNullable<EntryPolicy['freshness']>): EntryPolicy['freshness'] {
  return {
    ...(maxAge === undefined ? {} : { maxAge }),
    ...(acr === undefined ? {} : { acr: sorted(acr) }),
  };
}

function sortedInclusions(inclusions: Inclusions): Inclusions {
  const names = Object.keys(inclusions).toSorted();
  return Object.fromEntries(names.map((name) => [name, sorted(inclusions[name] ?? [])]));
}

function sortedNonEmpty(values: readonly [string, ...string[]]): [string, ...string[]] {
  const [first = values[0], ...rest] = sorted(values);
  return [first, ...rest];
}

function sorted<T>(values: readonly T[]): T[] {
  const byForm = new Map(values.map((value) => [canonicalJson(value), value]));
  return [...byForm].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function digestOf(what: string, value: unknown): string {
  return canonicalDigest(`sallyport-lock-${what}/v1`, value);
}
