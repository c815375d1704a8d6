import type { EntryKind } from '@sallyport/mcp';

import type { PersonKey } from './person-key.js';

const LONGEST_NAME = 64;
/**
 * Words of lower-case letters, each with one digit at its end at most (`files/read.v2`), and no longer than words are.
 * Secrets have capitals, digits inside, or long runs: ids of cloud keys, tokens, UUIDs, passwords with a number in them.
 */
const NAME = /^[a-z]{1,16}[0-9]?(?:[_./:-][a-z]{1,16}[0-9]?)*$/;
/** As RFC 3986 §3.1 has it; what is no such word, as above, is a hash. */
const SCHEME = /^[a-z][a-z0-9+.-]{0,63}(?=:)/i;
const HASH_DIGITS = 24;

/**
 * An entry that does not exist, as it is recorded. What looks like a name stands as it is: it shows who probes for what.
 * Anything else may be a secret that was put in the wrong place, and stands as a hash that only the calls of this person
 * have in common.
 */
export function unknownName(kind: EntryKind, target: string, key: PersonKey): string {
  if (kind !== 'resource') return nameOrHash(target, key);
  // Another spelling of a known URI is an unknown one, and holds the same values: its scheme says enough.
  const scheme = SCHEME.exec(target)?.[0];
  return scheme === undefined ? NO_RESOURCE : `${nameOrHash(scheme, key)}:${NO_RESOURCE}`;
}

const NO_RESOURCE = '(no such resource)';

function nameOrHash(text: string, key: PersonKey): string {
  return text.length <= LONGEST_NAME && NAME.test(text) ? text : hashedName(text, key);
}

/** What only the records of this person have in common. A lone surrogate has no canonical form; what stands for it is as good. */
export function hashedName(text: string, key: PersonKey): string {
  return `~${key.hash('sallyport-unknown-name/v1', text.toWellFormed()).slice(0, HASH_DIGITS)}`;
}
