import type { EntryKind } from '@sallyport/mcp';
import { differentReach, reachInWords } from './entry-reach.js';
import { isSame, LockedSurface } from './locked-surface.js';
import { keyOf, type LockedEntry, type PolicyLock } from './policy-lock.js';
import {
  generousCaller,
  justLetIn,
  TooManySamplesError,
  type SampleCaller,
  type Side,
} from './sample-callers.js';

/** What changed from a lock to a surface, and who gains or loses what. */
export interface LockDifference {
  readonly settings: readonly MemberDifference[];
  readonly entries: readonly EntryDifference[];
}

/** One member that differs; both sides as they stand in a lock, `undefined` where there is none. */
export interface MemberDifference {
  readonly member: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface EntryDifference {
  readonly kind: EntryKind;
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** `loosened`: somebody gains; `tightened`: somebody loses; `moved`: both; `same`: neither. */
  readonly access: 'loosened' | 'tightened' | 'moved' | 'same';
  /** Who may call it now and could not before; and who gets more by calling it: other URIs, completions. */
  readonly gains: readonly string[];
  /** Who could call it before and may not now, or gets less. */
  readonly loses: readonly string[];
  /** Members of its block that differ; those of the policy as `policy.scopes`. */
  readonly members: readonly MemberDifference[];
}

/**
 * Says who gains and who loses by the step from one lock to another. Asked of the decision itself with sample callers, not
 * by comparing texts: a role that inherits less in `roles` shows at every entry that asks for it.
 */
export function compareLocks(before: PolicyLock, after: PolicyLock): LockDifference {
  const surfaces: Surfaces = {
    before: { lock: before, surface: new LockedSurface(before) },
    after: { lock: after, surface: new LockedSurface(after) },
  };
  const olds = new Map(before.entries.map((entry) => [keyOf(entry), entry]));
  const news = new Map(after.entries.map((entry) => [keyOf(entry), entry]));
  const keys = [...new Set([...olds.keys(), ...news.keys()])].toSorted();
  const settings = differingMembers(settingsOf(before), settingsOf(after), '');
  return {
    settings,
    entries: keys.flatMap((key) => compareEntry(olds.get(key), news.get(key), surfaces) ?? []),
  };
}

/** Whether the surface is what was locked. */
export function isUnchanged({ settings, entries }: LockDifference): boolean {
  return settings.length === 0 && entries.length === 0;
}

interface Surfaces {
  readonly before: { readonly lock: PolicyLock; readonly surface: LockedSurface };
  readonly after: { readonly lock: PolicyLock; readonly surface: LockedSurface };
}

function compareEntry(
  old: LockedEntry | undefined,
  now: LockedEntry | undefined,
  surfaces: Surfaces,
): EntryDifference | undefined {
  if (old === undefined) return now && cameOrWent('added', { lock: surfaces.after.lock, entry: now });
  if (now === undefined) return cameOrWent('removed', { lock: surfaces.before.lock, entry: old });
  const key = keyOf(old);
  const before: Side = { lock: surfaces.before.lock, entry: old };
  const after: Side = { lock: surfaces.after.lock, entry: now };
  const reaches = (side: keyof Surfaces) => (caller: SampleCaller) =>
    surfaces[side].surface.effect(key, caller);
  const waited = surfaces.before.surface.effect(key, generousCaller(before, after)) === 'hold';
  const waits = surfaces.after.surface.effect(key, generousCaller(after, before)) === 'hold';
  const gains = [
    ...letInByOne(after, before, reaches('after'), reaches('before')),
    ...(waited && !waits ? ['every caller: no person approves it first any more'] : []),
    ...differentReach(after, before),
  ];
  const loses = [
    ...letInByOne(before, after, reaches('before'), reaches('after')),
    ...(waits && !waited ? ['every caller: a person has to approve it first'] : []),
    ...differentReach(before, after),
  ];
  const members = memberDifferences(old, now);
  if (gains.length + loses.length + members.length === 0) return undefined;
  return {
    kind: now.kind,
    name: now.name,
    change: 'changed',
    access: accessOf(gains, loses),
    gains,
    loses,
    members,
  };
}

function cameOrWent(change: 'added' | 'removed', side: Side): EntryDifference {
  const { kind, name } = side.entry;
  const who = reachInWords(side);
  return change === 'added'
    ? { kind, name, change, access: 'loosened', gains: who, loses: [], members: [] }
    : { kind, name, change, access: 'tightened', gains: [], loses: who, members: [] };
}

type Effect = (caller: SampleCaller) => 'permit' | 'refuse' | 'hold';

/** Whom one side lets in, be it after an approval, and the other refuses. */
function letInByOne(from: Side, to: Side, effectOfFrom: Effect, effectOfTo: Effect): string[] {
  try {
    const found = justLetIn(from, to).filter(
      (caller) => effectOfFrom(caller) !== 'refuse' && effectOfTo(caller) === 'refuse',
    );
    const all = found.find(({ standsForAll }) => standsForAll === true);
    return [...new Set((all === undefined ? found : [all]).map(({ who }) => who))];
  } catch (error) {
    if (!(error instanceof TooManySamplesError)) throw error;
    return isSame(asked(from), asked(to))
      ? []
      : ['perhaps somebody: it asks for too many combinations to try them all'];
  }
}

function asked({ lock: { roles, scopes }, entry: { policy } }: Side): object {
  return { roles, scopes, policy };
}

function accessOf(gains: readonly string[], loses: readonly string[]): EntryDifference['access'] {
  if (gains.length > 0) return loses.length > 0 ? 'moved' : 'loosened';
  return loses.length > 0 ? 'tightened' : 'same';
}

function memberDifferences(old: LockedEntry, now: LockedEntry): MemberDifference[] {
  return [
    ...differingMembers(old.policy, now.policy, 'policy.'),
    ...differingMembers(besidesPolicy(old), besidesPolicy(now), ''),
  ];
}

/** The digest differs with anything else, and says nothing more. */
function besidesPolicy(entry: LockedEntry): object {
  const { uri, mimeType, completions, auditFields, description, schema } = entry;
  return { uri, mimeType, completions, auditFields, description, schema };
}

/** The settings, with each role and each scope by itself. */
function settingsOf({ roles, scopes, ...lock }: PolicyLock): object {
  const { anonymous, holds, instructions, listing, rolesFrom } = lock;
  const settings = { anonymous, holds, instructions, listing, rolesFrom };
  return { ...settings, ...prefixed('roles', roles), ...prefixed('scopes', scopes) };
}

function prefixed(prefix: string, members: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [`${prefix}["${name}"]`, value]));
}

function differingMembers(old: object, now: object, prefix: string): MemberDifference[] {
  const before = new Map<string, unknown>(Object.entries(old));
  const after = new Map<string, unknown>(Object.entries(now));
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((member) => !isSame(before.get(member), after.get(member)))
    .map((member) => ({
      member: `${prefix}${member}`,
      before: before.get(member),
      after: after.get(member),
    }));
}
