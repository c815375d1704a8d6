import { alternativesOf, type Decision, type EntryKind, type Requirement } from '@sallyport/mcp';
import { knownNames, type Inclusions } from '../hierarchy.js';
import { LockedSurface } from '../lock/locked-surface.js';
import { keyOf, type LockedEntry, type PolicyLock } from '../lock/policy-lock.js';
import { generousCaller, type SampleCaller } from '../lock/sample-callers.js';

/** Who reaches what: each column is a made-up caller, each row an entry. */
export interface MatrixTable {
  readonly columns: readonly string[];
  readonly rows: readonly MatrixRow[];
}

export interface MatrixRow {
  readonly kind: EntryKind;
  readonly name: string;
  /** What each column may do, in their order. */
  readonly cells: readonly Decision['effect'][];
  /** Rules of the application may refuse what stands here as permitted. */
  readonly ruled: boolean;
}

/** Roles × entries and scopes × entries. */
export interface PolicyMatrix {
  /** A caller without a credential, one without a role, and one for each role alone, who all have everything else. */
  readonly roles: MatrixTable;
  /** One without a scope, and one for each scope alone, who all have everything else. */
  readonly scopes: MatrixTable;
}

export const SIGNED_OUT = '(signed out)';
export const NONE = '(none)';

/** What each role, and each scope, reaches by itself: asked of the decision, with a tenant and a fresh sign-in. */
export function policyMatrix(lock: PolicyLock): PolicyMatrix {
  const surface = new LockedSurface(lock);
  const roles = namesOf(lock.roles, lock.entries, 'roles');
  const scopes = namesOf(lock.scopes, lock.entries, 'scopes');
  const cells = (entry: LockedEntry, callers: readonly SampleCaller[]) => ({
    kind: entry.kind,
    name: entry.name,
    cells: callers.map((caller) => surface.effect(keyOf(entry), caller)),
    ruled: entry.policy.when.length > 0,
  });
  return {
    roles: {
      columns: [SIGNED_OUT, NONE, ...roles],
      rows: lock.entries.map((entry) =>
        cells(entry, [signedOut(lock, entry), ...having(lock, entry, 'roles', roles)]),
      ),
    },
    scopes: {
      columns: [NONE, ...scopes],
      rows: lock.entries.map((entry) => cells(entry, having(lock, entry, 'scopes', scopes))),
    },
  };
}

function namesOf(
  inclusions: Inclusions,
  entries: readonly LockedEntry[],
  what: 'roles' | 'scopes',
): string[] {
  const asked: readonly Requirement[] = entries.flatMap(({ policy }) => policy[what]);
  return [...new Set([...knownNames(inclusions), ...asked.flatMap(alternativesOf)])].toSorted();
}

function signedOut(lock: PolicyLock, entry: LockedEntry): SampleCaller {
  return { ...everything(lock, entry), principal: undefined };
}

function having(
  lock: PolicyLock,
  entry: LockedEntry,
  what: 'roles' | 'scopes',
  names: readonly string[],
): SampleCaller[] {
  const caller = everything(lock, entry);
  return [[], ...names.map((name) => [name])].map((held) => ({
    ...caller,
    principal: { ...caller.principal, [what]: held },
  }));
}

function everything(lock: PolicyLock, entry: LockedEntry) {
  return generousCaller({ lock, entry }, { lock, entry });
}
