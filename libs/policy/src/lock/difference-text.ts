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
  const told = members.some(({ member }) => Object.hasOwn(TOLD, member));
  const parts = [moved, told ? 'says something else to models' : ''].filter((part) => part !== '');
  return parts.length === 0 ? 'written differently; the same callers may call it' : parts.join('; ');
}

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
