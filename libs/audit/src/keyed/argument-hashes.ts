import { toJsonSchema, type CallArguments, type Entry } from '@sallyport/mcp';

import { boundedText } from '../safe-text.js';
import type { PersonKey } from './person-key.js';

const MOST_ARGUMENTS = 32;
const LONGEST_NAME = 128;
/** Hexadecimal digits: 96 bits tell the values of one person apart. */
const HASH_DIGITS = 24;
const NAME_DIGITS = 16;

/**
 * Of each argument whose value may not be stored: its name, and the beginning of the keyed hash of its value, so that two
 * calls of one person with one value can be seen to have it in common. A name that the schema does not know was chosen
 * by the caller, and is hashed as well. `null`: there are none.
 */
export function argumentHashes(entry: Entry, values: CallArguments, key: PersonKey): string | null {
  const hidden = Object.entries(values).filter(
    ([name, value]) => value !== undefined && !entry.auditFields.includes(name),
  );
  if (hidden.length === 0) return null;
  const declared = declaredNames(entry);
  const hashes = hidden.slice(0, MOST_ARGUMENTS).map(([name, value]) => {
    const shown = declared.has(name) ? boundedText(name, LONGEST_NAME) : hiddenName(name, key);
    return [shown, key.hash('sallyport-argument/v1', value).slice(0, HASH_DIGITS)];
  });
  const more = hidden.length - hashes.length;
  // `fromEntries` defines, so that a name such as `__proto__` is one like any other.
  return JSON.stringify(Object.fromEntries(more === 0 ? hashes : [...hashes, ['…', `${more} more`]]));
}

function hiddenName(name: string, key: PersonKey): string {
  return `~${key.hash('sallyport-argument-name/v1', name).slice(0, NAME_DIGITS)}`;
}

const declaredByEntry = new WeakMap<Entry, ReadonlySet<string>>();

/** The names that the developer wrote: properties of the schema, and variables of the URI template. */
function declaredNames(entry: Entry): ReadonlySet<string> {
  const known = declaredByEntry.get(entry);
  if (known !== undefined) return known;
  const variables = [...(entry.uri ?? '').matchAll(/\{[+#./;?&]?([A-Za-z0-9_.,]+)\}/g)];
  const names = new Set([...schemaNames(entry), ...variables.flatMap(([, list = '']) => list.split(','))]);
  declaredByEntry.set(entry, names);
  return names;
}

function schemaNames({ input }: Entry): string[] {
  if (input === undefined) return [];
  const { properties } = toJsonSchema(input, 'input');
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}
