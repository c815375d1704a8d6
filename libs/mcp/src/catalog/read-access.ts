import type { Type } from '@nestjs/common';
import { isPlainObject } from '../frozen-json.js';
import { isRisk, RISKS, type Risk } from '../risk.js';
import { isScopeToken } from '../scope-token.js';
import type { Tenancy } from './entry.js';
import type { Freshness } from './freshness.js';
import { namesIn, type Requirement } from './requirement.js';

/** What a decorator wrote, seen without its types: JavaScript callers and `as` get past those. */
export type LooseOptions = Readonly<Record<string, unknown>>;

/** What one decorator asks of the caller; `undefined`: it says nothing of it. */
export interface Asked {
  readonly scopes: readonly Requirement[];
  readonly roles: readonly Requirement[];
  readonly tenancy: Tenancy | undefined;
  readonly rules: readonly Type<unknown>[];
  readonly freshness: Freshness | undefined;
  readonly risk: Risk | undefined;
}

/** Notes what is wrong. `sentence` goes on after the name of what is declared: `has an unknown tenancy: write …`. */
export type Complain = (code: string, sentence: string) => void;

/** Reads what is asked of the caller. What cannot be read is complained of, and read as nothing. */
export function readAccess(options: LooseOptions, complain: Complain): Asked {
  return {
    scopes: readScopes(options['scopes'], complain),
    roles: readRoles(options['role'], complain),
    tenancy: readTenancy(options['tenancy'], complain),
    rules: readRules(options['when'], complain),
    freshness: readFreshness(options['freshness'], complain),
    risk: readRisk(options['risk'], complain),
  };
}

/** One name or a list of names as a list without doubles; `undefined` for anything else. */
export function listOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return NONE;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const names = list.filter((item): item is string => typeof item === 'string' && item !== '');
  return names.length === list.length ? Object.freeze([...new Set(names)]) : undefined;
}

const NONE: readonly never[] = Object.freeze([]);

function readScopes(value: unknown, complain: Complain): readonly Requirement[] {
  if (value === undefined) return NONE;
  const items: unknown[] = Array.isArray(value) ? value : [value];
  const requirements = items.flatMap((item) => readRequirement(item) ?? []);
  const areRead = requirements.length > 0 && requirements.length === items.length;
  if (areRead && namesIn(requirements).every(isScopeToken))
    return Object.freeze(withoutDoubles(requirements));
  complain(
    'entry_scopes',
    "has scopes that are not a list of scope tokens: write scopes: ['crm:read'], or scopes: { anyOf: ['crm:read', 'crm:write'] }. An empty list would ask for nothing: leave scopes out.",
  );
  return NONE;
}

function readRequirement(item: unknown): Requirement | undefined {
  if (typeof item === 'string') return item === '' ? undefined : item;
  if (!isPlainObject(item) || !Array.isArray(item['anyOf']) || Object.keys(item).length !== 1)
    return undefined;
  return anyOf(listOf(item['anyOf']) ?? NONE);
}

/** One name asks for just that; no name at all could be satisfied by nobody, and is a mistake. */
function anyOf(names: readonly string[]): Requirement | undefined {
  const [first, ...rest] = names;
  if (first === undefined || rest.length === 0) return first;
  return Object.freeze({ anyOf: Object.freeze([first, ...rest] as const) });
}

/** The same requirement twice asks for nothing more. */
export function withoutDoubles(requirements: readonly Requirement[]): Requirement[] {
  const seen = new Map<string, Requirement>();
  for (const requirement of requirements) {
    const key = JSON.stringify(requirement);
    if (!seen.has(key)) seen.set(key, requirement);
  }
  return [...seen.values()];
}

function readRoles(value: unknown, complain: Complain): readonly Requirement[] {
  if (value === undefined) return NONE;
  const requirement = anyOf(listOf(value) ?? NONE);
  if (requirement !== undefined) return Object.freeze([requirement]);
  complain(
    'entry_role',
    "has a role that is not a name or a list of names: write role: 'agent:read-only'. An empty list would ask for nothing: leave role out.",
  );
  return NONE;
}

/** Names between dots: `tenant`, `customer.tenant`. A name that holds a dot itself cannot be bound. */
const ARGUMENT_PATH = /^[^.]+(\.[^.]+)*$/;

function readTenancy(value: unknown, complain: Complain): Tenancy | undefined {
  if (value === undefined || value === 'required' || value === 'none') return value;
  const named = isPlainObject(value) && Object.keys(value).length === 1 ? value['argument'] : undefined;
  const [first, ...rest] = (named === undefined ? undefined : listOf(named)) ?? [];
  if (first !== undefined && [first, ...rest].every((path) => ARGUMENT_PATH.test(path)))
    return Object.freeze({ argument: Object.freeze([first, ...rest] as const) });
  complain(
    'entry_tenancy',
    "has an unknown tenancy: write tenancy: 'required' or 'none', or { argument: 'customer.tenant' }.",
  );
  return undefined;
}

function readRules(value: unknown, complain: Complain): readonly Type<unknown>[] {
  if (value === undefined) return NONE;
  const items: unknown[] = Array.isArray(value) ? value : [value];
  const classes = items.filter(isNamedClass);
  if (items.length > 0 && classes.length === items.length) return Object.freeze([...new Set(classes)]);
  complain(
    'entry_when',
    'has a when that is no class of a rule: write when: OnlyOwnRecords, a provider that implements PolicyRule.',
  );
  return NONE;
}

/** An arrow function has no prototype, and a class without a name could not be told from another in a record. */
function isNamedClass(value: unknown): value is Type<unknown> {
  return (
    typeof value === 'function' && typeof value.prototype === 'object' && /^[\w$]{1,128}$/.test(value.name)
  );
}

const LONGEST_MAX_AGE = 366 * 86_400;

function readFreshness(value: unknown, complain: Complain): Freshness | undefined {
  if (value === undefined) return undefined;
  const given: LooseOptions = isPlainObject(value) ? value : { unreadable: value };
  const { maxAge, acr, ...unknown } = given;
  const classes = acr === undefined ? undefined : listOf(acr);
  const isGood =
    Object.keys(unknown).length === 0 &&
    (maxAge !== undefined || acr !== undefined) &&
    (maxAge === undefined || isMaxAge(maxAge)) &&
    (acr === undefined || isAcrList(classes));
  if (isGood) {
    return Object.freeze({
      ...(isMaxAge(maxAge) && { maxAge }),
      ...(isAcrList(classes) && { acr: classes }),
    });
  }
  complain(
    'entry_freshness',
    "has a freshness that cannot be read: write freshness: { maxAge: 900 } in whole seconds, { acr: ['phr'] }, or both.",
  );
  return undefined;
}

function isMaxAge(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= LONGEST_MAX_AGE;
}

/** `acr_values` is a list with spaces between, in a quoted string (RFC 9470 §3): the alphabet is that of a scope token. */
function isAcrList(value: readonly string[] | undefined): value is readonly string[] {
  return value !== undefined && value.length > 0 && value.every(isScopeToken);
}

function readRisk(value: unknown, complain: Complain): Risk | undefined {
  if (value === undefined || isRisk(value)) return value;
  complain('entry_without_risk', `says no risk: write risk: ${RISKS.map((r) => `'${r}'`).join(' | ')}.`);
  return undefined;
}
