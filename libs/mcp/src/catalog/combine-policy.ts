import type { Type } from '@nestjs/common';
import { RISKS, type Risk } from '../risk.js';
import type { EntryPolicy, Tenancy } from './entry.js';
import type { Freshness } from './freshness.js';
import { withoutDoubles, type Asked } from './read-access.js';

/** The policy of a guarded entry, and the classes of its rules. */
export interface CombinedPolicy {
  readonly policy: EntryPolicy;
  readonly rules: readonly Type<unknown>[];
}

/**
 * What a method asks and what its classes ask, in one. Each part only adds: scopes, roles and rules are all asked for, and
 * of tenancy, freshness and risk the strictest is. `undefined`: no sign-in could have both the `acr` of one and that of
 * another.
 */
export function combinePolicy(own: Asked, classes: readonly Asked[]): CombinedPolicy | undefined {
  const all = [own, ...classes];
  const freshness = strictestFreshness(all.flatMap((asked) => asked.freshness ?? []));
  if (freshness === 'impossible') return undefined;
  const rules = Object.freeze([...new Set(all.flatMap((asked) => asked.rules))]);
  const policy: EntryPolicy = Object.freeze({
    public: false,
    scopes: Object.freeze(withoutDoubles(all.flatMap(({ scopes }) => scopes))),
    roles: Object.freeze(withoutDoubles(all.flatMap(({ roles }) => roles))),
    risk: highestRisk(all.flatMap(({ risk }) => risk ?? [])),
    tenancy: strictestTenancy([own.tenancy ?? 'required', ...classes.map(({ tenancy }) => tenancy)]),
    when: Object.freeze(rules.map(({ name }) => name)),
    ...(freshness !== undefined && { freshness }),
  });
  return { policy, rules };
}

function highestRisk(risks: readonly Risk[]): Risk {
  return RISKS.findLast((risk) => risks.includes(risk)) ?? 'destructive';
}

function strictestTenancy(asked: readonly (Tenancy | undefined)[]): Tenancy {
  const bound = asked.flatMap((tenancy) => (typeof tenancy === 'object' ? tenancy.argument : []));
  const [first, ...rest] = new Set(bound);
  if (first !== undefined) return Object.freeze({ argument: Object.freeze([first, ...rest] as const) });
  return asked.includes('required') ? 'required' : 'none';
}

function strictestFreshness(asked: readonly Freshness[]): Freshness | undefined | 'impossible' {
  if (asked.length === 0) return undefined;
  const ages = asked.flatMap(({ maxAge }) => maxAge ?? []);
  const [first, ...others] = asked.flatMap(({ acr }) => (acr === undefined ? [] : [acr]));
  const acr = first?.filter((value) => others.every((other) => other.includes(value)));
  if (acr?.length === 0) return 'impossible';
  return Object.freeze({
    ...(ages.length > 0 && { maxAge: Math.min(...ages) }),
    ...(acr !== undefined && { acr: Object.freeze(acr) }),
  });
}
