import type { EntryKind } from '@sallyport/mcp';

import type { PersonKey } from './person-key.js';

const LONGEST_NAME = 64;
/** The characters of names in MCP, beginning with a letter. */
const NAME = /^[A-Za-z][A-Za-z0-9_./:-]*$/;
/** Words of a name have one length or the other; what has more letters, or many letters and digits, was drawn by lot. */
const LONGEST_WORD = 32;
const LONGEST_MIXED_WORD = 15;
const HASH_DIGITS = 24;

/**
 * An entry that does not exist, as it is recorded. What looks like a name stands as it is: it shows who probes for what.
 * Anything else may be a secret that was put in the wrong place, and stands as a hash that only the calls of this person
 * have in common.
 */
export function unknownName(kind: EntryKind, target: string, key: PersonKey): string {
  // Another spelling of a known URI is an unknown one, and holds the same values: its scheme says enough.
  if (kind === 'resource') return `${schemeOf(target)}(no such resource)`;
  return looksLikeName(target) ? target : `~${hashOf(target, key)}`;
}

function schemeOf(uri: string): string {
  return /^[a-z][a-z0-9+.-]{0,31}:/i.exec(uri)?.[0] ?? '';
}

function looksLikeName(text: string): boolean {
  return text.length <= LONGEST_NAME && NAME.test(text) && text.split(/[_./:-]/).every(looksLikeWord);
}

function looksLikeWord(word: string): boolean {
  const digits = word.replace(/\D/g, '').length;
  return word.length <= (digits < 2 ? LONGEST_WORD : LONGEST_MIXED_WORD);
}

/** A lone surrogate has no canonical form; what stands for it is as good to be told apart. */
function hashOf(text: string, key: PersonKey): string {
  return key.hash('sallyport-unknown-name/v1', text.toWellFormed()).slice(0, HASH_DIGITS);
}
