import type { EntryDifference, LockDifference, MemberDifference } from './compare-locks.js';

/** A difference for people: who gains first, then what was written differently. One finding a line. */
export function differenceText({ settings, entries }: LockDifference): string {
  return [...entries.map(entryText), ...settings.map((setting) => memberLine(setting))].join('\n');
}

function entryText(difference: EntryDifference): string {
  const { kind, name, gains, loses, members } = difference;
  return [
    `${kind} ${name}: ${headline(difference)}`,
    ...gains.map((who) => `  gains  ${who}`),
    ...loses.map((who) => `  loses  ${who}`),
    ...members.map((member) => `  ${memberLine(member)}`),
  ].join('\n');
}

function headline({ change, access, members }: EntryDifference): string {
  if (change !== 'changed') return change;
  const moved = { loosened: 'loosened', tightened: 'tightened', moved: 'loosened and tightened', same: '' }[
    access
  ];
  const said = members.map(({ member }) => SAID[member] ?? '');
  const parts = [...new Set([moved, ...said])].filter((part) => part !== '');
  return parts.length === 0 ? 'written differently; the same callers may call it' : parts.join('; ');
}

/** What is said of an entry of which this member changed, whoever may call it. */
const SAID: Readonly<Record<string, string>> = {
  uri: 'reaches other URIs',
  completions: 'proposes other values',
  description: 'says something else to models',
  schema: 'says something else to models',
};

/** What a model reads: a tool is poisoned by changing it once it has been reviewed. */
const TOLD: Readonly<Record<string, string>> = {
  description: 'title or description changed: read it again, since a model obeys it',
  schema: 'schema changed: names and descriptions of arguments are read by a model as well',
};

function memberLine({ member, before, after }: MemberDifference): string {
  const told = TOLD[member];
  if (told !== undefined) return told;
  if (member === 'instructions')
    return 'instructions of the server changed: read them again, since a model obeys them';
  return `${member}: ${written(before)} -> ${written(after)}`;
}

function written(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
