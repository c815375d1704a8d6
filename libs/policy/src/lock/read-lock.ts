import {
  isPlainObject,
  isRisk,
  parseStrictJson,
  StrictJsonError,
  type EntryKind,
  type EntryPolicy,
} from '@sallyport/mcp';
import type { Inclusions } from '../hierarchy.js';
import {
  blockDigest,
  keyOf,
  LOCK_FORMAT,
  normalPolicy,
  type LockedEntry,
  type PolicyLock,
} from './policy-lock.js';

/** The file is no lock that can be compared with. The message says why and which command to run. */
export class PolicyLockError extends Error {
  override readonly name = 'PolicyLockError';
  readonly code = 'policy_lock';
}

const LIMITS = { maxDepth: 16, maxElements: 1_000_000 };

/** What is wrong with it, in the middle of a sentence. */
class LockFault extends Error {}

/**
 * Reads a lock file. Strict: whatever it does not understand it refuses, since what is skipped is compared with nothing.
 *
 * @param file where the text is from, for messages
 * @throws PolicyLockError
 */
export function readLock(text: string, file?: string): PolicyLock {
  try {
    return lockIn(text);
  } catch (error) {
    if (!(error instanceof LockFault)) throw error;
    const [name, option] =
      file === undefined ? ['The lock file', ''] : [`The lock file ${file}`, ` --file ${file}`];
    throw new PolicyLockError(
      `${name} ${error.message}. Write it anew, and review what then differs from the one before: sallyport policy lock${option}`,
    );
  }
}

function lockIn(text: string): PolicyLock {
  const file = record(parsed(text), 'the file');
  refuseOtherFormat(file['format']);
  onlyMembers(file, MEMBERS, 'the file');
  const entries = array(file['entries'], 'entries').map(readEntry);
  if (new Set(entries.map(keyOf)).size !== entries.length) refuse('it has an entry twice');
  return {
    format: LOCK_FORMAT,
    anonymous: oneOf(file['anonymous'], ['public-entries', 'refuse'], 'anonymous'),
    holds: array(file['holds'], 'holds').map((risk) => (isRisk(risk) ? risk : refuse('holds names no risk'))),
    instructions: textOf(file['instructions'], 'instructions'),
    listing: oneOf(file['listing'], ['consentable', 'granted'], 'listing'),
    rolesFrom: textOf(file['rolesFrom'], 'rolesFrom'),
    roles: inclusions(file['roles'], 'roles'),
    scopes: inclusions(file['scopes'], 'scopes'),
    entries,
  };
}

const MEMBERS = [
  'format',
  'anonymous',
  'holds',
  'instructions',
  'listing',
  'rolesFrom',
  'roles',
  'scopes',
  'entries',
];
const BLOCK = [
  'kind',
  'name',
  'uri',
  'mimeType',
  'policy',
  'completions',
  'auditFields',
  'description',
  'schema',
  'digest',
];
const POLICY = ['public', 'scopes', 'roles', 'risk', 'tenancy', 'when', 'freshness'];
const KINDS: readonly EntryKind[] = ['tool', 'resource', 'prompt'];

/** A lock of another version does not say all that this one compares, or says it otherwise. */
function refuseOtherFormat(format: unknown): void {
  if (format === LOCK_FORMAT) return;
  if (typeof format !== 'string' || !/^sallyport-lock\/v\d{1,4}$/.test(format))
    return refuse(`its format is not ${LOCK_FORMAT}`);
  throw new LockFault(
    `cannot be compared: its format is ${format}, and this version of Sallyport reads ${LOCK_FORMAT}`,
  );
}

function readEntry(value: unknown): LockedEntry {
  const given = record(value, 'an entry');
  const name = textOf(given['name'], 'the name of an entry');
  onlyMembers(given, BLOCK, name);
  const uri = optionalText(given['uri'], `the uri of ${name}`);
  const mimeType = optionalText(given['mimeType'], `the mimeType of ${name}`);
  const block = {
    kind: oneOf(given['kind'], KINDS, `the kind of ${name}`),
    name,
    ...(uri === undefined ? {} : { uri }),
    ...(mimeType === undefined ? {} : { mimeType }),
    policy: readPolicy(given['policy'], name),
    completions: texts(given['completions'], `completions of ${name}`),
    auditFields: texts(given['auditFields'], `auditFields of ${name}`),
    description: textOf(given['description'], `the description of ${name}`),
    schema: textOf(given['schema'], `the schema of ${name}`),
  };
  const digest = blockDigest(block);
  if (digest !== given['digest']) refuse(`the block of ${name} was edited by hand, or badly merged`);
  return { ...block, digest };
}

function readPolicy(value: unknown, name: string): EntryPolicy {
  const given = record(value, `the policy of ${name}`);
  onlyMembers(given, POLICY, `the policy of ${name}`);
  const { public: isPublic, risk, freshness } = given;
  if (typeof isPublic !== 'boolean' || !isRisk(risk)) return refuse(`the policy of ${name} is incomplete`);
  return normalPolicy({
    public: isPublic,
    scopes: array(given['scopes'], `scopes of ${name}`).map((one) => requirement(one, name)),
    roles: array(given['roles'], `roles of ${name}`).map((one) => requirement(one, name)),
    risk,
    tenancy: readTenancy(given['tenancy'], name),
    when: texts(given['when'], `when of ${name}`),
    ...(freshness === undefined ? {} : { freshness: readFreshness(freshness, name) }),
  });
}

function requirement(value: unknown, name: string): EntryPolicy['scopes'][number] {
  if (typeof value === 'string') return value;
  const given = record(value, `a requirement of ${name}`);
  onlyMembers(given, ['anyOf'], `a requirement of ${name}`);
  return { anyOf: nonEmpty(given['anyOf'], `a requirement of ${name}`) };
}

function readTenancy(value: unknown, name: string): EntryPolicy['tenancy'] {
  if (value === 'required' || value === 'none') return value;
  const given = record(value, `the tenancy of ${name}`);
  onlyMembers(given, ['argument'], `the tenancy of ${name}`);
  return { argument: nonEmpty(given['argument'], `the tenancy of ${name}`) };
}

function readFreshness(value: unknown, name: string): NonNullable<EntryPolicy['freshness']> {
  const given = record(value, `the freshness of ${name}`);
  onlyMembers(given, ['maxAge', 'acr'], `the freshness of ${name}`);
  const { maxAge, acr } = given;
  if (maxAge !== undefined && typeof maxAge !== 'number') return refuse(`maxAge of ${name} is no number`);
  return {
    ...(maxAge === undefined ? {} : { maxAge }),
    ...(acr === undefined ? {} : { acr: texts(acr, `acr of ${name}`) }),
  };
}

function inclusions(value: unknown, what: string): Inclusions {
  const given = record(value, what);
  return Object.fromEntries(Object.entries(given).map(([name, names]) => [name, texts(names, what)]));
}

function parsed(text: string): unknown {
  try {
    return parseStrictJson(text, LIMITS);
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    return refuse(`it is no JSON. ${error.message.replace(/\.$/, '')}`);
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  return isPlainObject(value) ? value : refuse(`${what} is no object`);
}

function array(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(`${what} is no list`);
}

function textOf(value: unknown, what: string): string {
  return typeof value === 'string' ? value : refuse(`${what} is no text`);
}

function texts(value: unknown, what: string): string[] {
  return array(value, what).map((one) => textOf(one, what));
}

function nonEmpty(value: unknown, what: string): [string, ...string[]] {
  const [first, ...rest] = texts(value, what);
  return first === undefined ? refuse(`${what} is empty`) : [first, ...rest];
}

function oneOf<T extends string>(value: unknown, known: readonly T[], what: string): T {
  return known.find((one) => one === value) ?? refuse(`${what} is none of ${known.join(', ')}`);
}

function optionalText(value: unknown, what: string): string | undefined {
  return value === undefined ? undefined : textOf(value, what);
}

function onlyMembers(given: Record<string, unknown>, known: readonly string[], what: string): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) refuse(`${what} has the unknown member "${unknown}"`);
}

function refuse(why: string): never {
  throw new LockFault(`cannot be read: ${why}`);
}
