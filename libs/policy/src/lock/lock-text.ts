import type { LockedEntry, PolicyLock } from './policy-lock.js';

/**
 * A lock as its file: the settings first, then one block for each entry, one line for each thing that can change, so that
 * a pull request shows what changed and nothing else.
 */
export function lockText(lock: PolicyLock): string {
  const { format, anonymous, holds, instructions, listing, rolesFrom, roles, scopes, entries } = lock;
  const members = [
    ...lines({ format, anonymous, holds, instructions, listing, rolesFrom }, 1),
    `${indent(1)}"roles": ${block(roles, 1)}`,
    `${indent(1)}"scopes": ${block(scopes, 1)}`,
    `${indent(1)}"entries": ${list(entries.map((entry) => `${indent(2)}${entryBlock(entry)}`))}`,
  ];
  return `{\n${members.join(',\n')}\n}\n`;
}

function entryBlock({ policy, ...entry }: LockedEntry): string {
  const { kind, name, uri, mimeType, completions, auditFields, description, schema, digest } = entry;
  const members = [
    ...lines({ kind, name, uri, mimeType }, 3),
    `${indent(3)}"policy": ${block(policy, 3)}`,
    ...lines({ completions, auditFields, description, schema, digest }, 3),
  ];
  return `{\n${members.join(',\n')}\n${indent(2)}}`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? '[]' : `[\n${items.join(',\n')}\n${indent(1)}]`;
}

function block(value: object, depth: number): string {
  const members = lines(value, depth + 1);
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent(depth)}}`;
}

function lines(members: object, depth: number): string[] {
  return Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${indent(depth)}${JSON.stringify(name)}: ${onOneLine(value)}`);
}

/** As Prettier writes what fits on a line, so that formatting a repository leaves the file as it is. */
function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}: ${onOneLine(member)}`,
  );
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

function indent(depth: number): string {
  return '  '.repeat(depth);
}
