import type { Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { Entry, PolicyRule, Problem } from '@sallyport/mcp';
import { providedInstance } from './provided-instance.js';

/** Finds the provider behind the class of a rule. */
export interface RuleFinder {
  /** `undefined`: there is none that could be asked. */
  find(rule: Type<unknown>): PolicyRule | undefined;
}

/** Rules as providers of the application, whichever module they stand in. */
export class PolicyRules implements RuleFinder {
  readonly #found = new Map<Type<unknown>, PolicyRule>();

  constructor(private readonly moduleRef: ModuleRef) {}

  find(rule: Type<unknown>): PolicyRule | undefined {
    const known = this.#found.get(rule);
    if (known !== undefined) return known;
    const instance = providedInstance(this.moduleRef, rule);
    if (!isRule(instance)) return undefined;
    this.#found.set(rule, instance);
    return instance;
  }

  /** Which rules nobody could ask. To be called once everything is constructed. */
  problems(entries: readonly Entry[]): Problem[] {
    const askers = new Map<Type<unknown>, Entry>();
    for (const entry of entries) for (const rule of entry.rules ?? []) askers.set(rule, entry);
    return [...askers].flatMap(([rule, entry]) => this.#problem(rule, entry) ?? []);
  }

  #problem(rule: Type<unknown>, entry: Entry): Problem | undefined {
    const where = `The ${entry.kind} "${entry.name}" (${entry.source}) is ruled by ${rule.name}`;
    const instance = providedInstance(this.moduleRef, rule);
    if (instance === undefined) {
      const message = `${where}, which is no provider: list ${rule.name} under providers of a module. A rule of request or transient scope cannot be asked: leave its scope out, and that of what is injected into it.`;
      return { code: 'rule_not_provided', message };
    }
    if (isRule(instance)) return undefined;
    const message = `${where}, which has no method permits: write class ${rule.name} implements PolicyRule.`;
    return { code: 'rule_without_permits', message };
  }
}

function isRule(value: unknown): value is PolicyRule {
  return (
    typeof value === 'object' && value !== null && 'permits' in value && typeof value.permits === 'function'
  );
}
