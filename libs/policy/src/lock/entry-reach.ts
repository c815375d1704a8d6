import type { EntryPolicy } from '@sallyport/mcp';
import { inWords } from '../explain/in-words.js';
import type { LockedEntry } from './policy-lock.js';
import type { Side } from './sample-callers.js';

/** Who may call an entry, and what they get by it beside what its method answers. One line for each thing. */
export function reachInWords(side: Side): string[] {
  const who = whoMayCall(side);
  const reach = reachOf(side.entry).map((what) => `${who}: ${what}`);
  return side.entry.uri === undefined ? [who, ...reach] : reach;
}

/** What those who may call it get on one side, and not on the other. Whoever they are: that is compared elsewhere. */
export function differentReach(from: Side, to: Side): string[] {
  const other = reachOf(to.entry);
  const found = reachOf(from.entry).filter((what) => !other.includes(what));
  return found.map((what) => `${whoMayCall(from)}: ${what}`);
}

/** A URI says which data is read, and proposed values are data themselves: both are decided on as the entry is. */
function reachOf({ uri, completions }: LockedEntry): string[] {
  return [
    ...(uri === undefined ? [] : [`to read ${uri}`]),
    ...completions.map((argument) => `to be proposed values for "${argument}"`),
  ];
}

function whoMayCall({ lock, entry: { policy } }: Side): string {
  if (policy.public && lock.anonymous !== 'refuse') return 'anyone, without signing in';
  const conditions = policy.public ? [] : conditionsOf(policy);
  return conditions.length === 0 ? 'whoever signs in' : `who ${conditions.join(', ')}`;
}

function conditionsOf({ roles, scopes, tenancy, when, freshness }: EntryPolicy): string[] {
  return [
    roles.length > 0 ? `hold ${inWords(roles)}` : '',
    scopes.length > 0 ? `consented to ${inWords(scopes)}` : '',
    tenancy === 'none' ? '' : 'belong to a tenant',
    typeof tenancy === 'string' ? '' : `name it in ${tenancy.argument.join(' and ')}`,
    when.length > 0 ? `are permitted by ${when.join(' and ')}` : '',
    freshness === undefined ? '' : 'signed in as asked',
  ].filter((part) => part !== '');
}
