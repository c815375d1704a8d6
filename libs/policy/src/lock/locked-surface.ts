import { canonicalJson, type CallArguments, type Decision, type Entry } from '@sallyport/mcp';
import { decide, type RuleOutcome } from '../decide.js';
import { compilePolicy, type Policy } from '../policy.js';
import { keyOf, type LockedEntry, type PolicyLock } from './policy-lock.js';
import { SAMPLED_AT, type SampleCaller } from './sample-callers.js';

/** A lock, ready to be asked: by the very function that decides on calls. */
export class LockedSurface {
  readonly #policy: Policy;
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(private readonly lock: PolicyLock) {
    const { roles, scopes, listing, holds, anonymous } = lock;
    const entries = lock.entries.map(entryOf);
    this.#policy = compilePolicy({ roles, scopes, listing, holds, anonymous }, entries);
    this.#entries = new Map(entries.map((entry) => [keyOf(entry), entry]));
  }

  /** What would become of this caller's call of the entry with this key. */
  effect(key: string, { principal, foreign, refusedBy }: SampleCaller): Decision['effect'] {
    const entry = this.#entries.get(key);
    if (principal === undefined && this.lock.anonymous === 'refuse') return 'refuse';
    const question = {
      entry,
      now: SAMPLED_AT,
      arguments: entry === undefined ? {} : argumentsOf(entry, foreign),
      rules: outcomesOf(entry?.policy.when ?? [], refusedBy),
    };
    return decide(this.#policy, principal, question).effect;
  }
}

function entryOf(locked: LockedEntry): Entry {
  return { ...locked, source: 'the lock', description: '' };
}

function outcomesOf(rules: readonly string[], refusing: readonly string[]): ReadonlyMap<string, RuleOutcome> {
  return new Map(rules.map((rule) => [rule, { permits: !refusing.includes(rule), detail: 'sampled' }]));
}

/** Arguments that name the caller's own tenant wherever one is named, except at the foreign paths. */
function argumentsOf({ policy: { tenancy } }: Entry, foreign: readonly string[]): CallArguments {
  if (typeof tenancy === 'string') return {};
  const values: Nested = {};
  for (const path of tenancy.argument)
    place(values, path.split('.'), foreign.includes(path) ? 'another' : 'own');
  return values;
}

interface Nested {
  [name: string]: Nested | string;
}

function place(into: Nested, [name, ...rest]: readonly string[], value: string): void {
  if (name === undefined) return;
  const there = into[name];
  if (rest.length === 0) {
    into[name] ??= value;
  } else if (typeof there !== 'string') {
    place((into[name] = there ?? {}), rest, value);
  }
}

/** Whether two parts of locks say the same; both are in normal form. */
export function isSame(one: unknown, other: unknown): boolean {
  return canonicalJson(one ?? null) === canonicalJson(other ?? null);
}
