import type { Type } from '@nestjs/common';
import {
  Authorizer,
  type CallArguments,
  type Decision,
  type Entry,
  type McpCall,
  type PolicyRule,
  type Principal,
  type RuleAnswer,
  type RuleQuestion,
} from '@sallyport/mcp';
import { askRule } from './ask-rule.js';
import { decide, type Question, type RuleOutcome } from './decide.js';
import { CHALLENGED, isVisible } from './is-visible.js';
import type { Policy } from './policy.js';
import type { RuleFinder } from './policy-rules.js';

/** How rules are found and how long they may take, and what time it is. */
export interface AuthorizerParts {
  /** Default: there are none, so that an entry with rules is refused. */
  readonly rules?: RuleFinder;
  /** Milliseconds. Default: {@link DEFAULT_DECISION_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly clock?: () => number;
}

/** How long a rule may take, in milliseconds. */
export const DEFAULT_DECISION_TIMEOUT_MS = 2_000;

const NO_RULES: RuleFinder = { find: () => undefined };

type Outcomes = ReadonlyMap<string, RuleOutcome | undefined>;

/** What one rule is asked; `undefined`: it cannot be asked this. */
type Ask = (rule: PolicyRule) => (() => RuleAnswer | Promise<RuleAnswer>) | undefined;

/**
 * Answers the gate with {@link decide}: the same function for a call and for a list. Beside it, it only asks the rules of
 * an entry, and those only when nothing else refuses.
 */
export class PolicyAuthorizer extends Authorizer {
  #policy: Policy;
  readonly #rules: RuleFinder;
  readonly #timeoutMs: number;
  readonly #clock: () => number;

  constructor(policy: Policy, { rules, timeoutMs, clock }: AuthorizerParts = {}) {
    super();
    this.#policy = policy;
    this.#rules = rules ?? NO_RULES;
    this.#timeoutMs = timeoutMs ?? DEFAULT_DECISION_TIMEOUT_MS;
    this.#clock = clock ?? Date.now;
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** Decides by another policy from now on: entries came or went while the server runs. */
  usePolicy(policy: Policy): void {
    this.#policy = policy;
  }

  authorize(call: McpCall): Decision | Promise<Decision> {
    const { entry, principal, arguments: values, completing } = call;
    const question = { entry, now: this.#clock(), arguments: values, completing: completing?.argument };
    if (entry === undefined || principal === undefined || entry.policy.when.length === 0)
      return decide(this.#policy, principal, question);
    return values === undefined
      ? this.#decideUnknowing(principal, entry, question)
      : this.#decideOnArguments(principal, entry, { ...question, arguments: values });
  }

  isVisible(entry: Entry, principal: Principal | undefined): boolean | Promise<boolean> {
    const { listing } = this.#policy;
    const question = { entry, now: this.#clock() };
    if (principal === undefined || entry.policy.when.length === 0)
      return isVisible(decide(this.#policy, principal, question), listing);
    return this.#decideUnknowing(principal, entry, question).then((decision) => isVisible(decision, listing));
  }

  /** Before arguments are known: what hides the entry from this principal, whatever the arguments. */
  async #decideUnknowing(principal: Principal, entry: Entry, question: Question): Promise<Decision> {
    const policy = this.#policy;
    const decision = decide(policy, principal, question);
    if (decision.effect === 'refuse' && !CHALLENGED.includes(decision.reason)) return decision;
    const rules = await this.#ask(entry, (rule) => listingQuestion(rule, principal, entry));
    return decide(policy, principal, { ...question, rules });
  }

  /** A rule runs for nobody who lacks anything else, consent included. */
  async #decideOnArguments(
    principal: Principal,
    entry: Entry,
    question: Question & { readonly arguments: CallArguments },
  ): Promise<Decision> {
    const policy = this.#policy;
    const decision = decide(policy, principal, question);
    if (decision.effect !== 'refuse' || decision.reason !== 'rule') return decision;
    const asked = Object.freeze({ principal, arguments: question.arguments, entry });
    const rules = await this.#ask(entry, (rule) =>
      question.completing === undefined
        ? () => permitsBoth(rule, asked)
        : // What is known of the arguments so far is not what the rule is about.
          listingQuestion(rule, principal, entry),
    );
    return decide(policy, principal, { ...question, rules });
  }

  /** All at once, so that their order never matters. */
  async #ask({ policy, rules = [] }: Entry, ask: Ask): Promise<Outcomes> {
    const outcomes = await Promise.all(
      policy.when.map(
        async (name) => [name, await this.#askOne(name, classNamed(rules, name), ask)] as const,
      ),
    );
    return new Map(outcomes);
  }

  async #askOne(name: string, type: Type<unknown> | undefined, ask: Ask): Promise<RuleOutcome | undefined> {
    const rule = type === undefined ? undefined : this.#rules.find(type);
    if (rule === undefined) return { permits: false, detail: 'is not provided' };
    const question = ask(rule);
    return question === undefined ? undefined : askRule(name, question, this.#timeoutMs);
  }
}

/** What a rule says of lists holds for every call, too, so that the two cannot disagree. */
async function permitsBoth(rule: PolicyRule, question: RuleQuestion): Promise<RuleAnswer> {
  if (!speaksOfLists(rule)) return rule.permits(question);
  const listing = await rule.permitsListing(question.principal, question.entry);
  return listing === true ? rule.permits(question) : listing;
}

/** What a rule can say of an entry without arguments: what it says for lists, or all when there are no arguments. */
function listingQuestion(rule: PolicyRule, principal: Principal, entry: Entry): ReturnType<Ask> {
  if (speaksOfLists(rule)) return () => rule.permitsListing(principal, entry);
  if (takesArguments(entry)) return undefined;
  return () => rule.permits(Object.freeze({ principal, arguments: NOTHING, entry }));
}

function speaksOfLists(rule: PolicyRule): rule is Required<PolicyRule> {
  return rule.permitsListing !== undefined;
}

const NOTHING: CallArguments = Object.freeze({});

function takesArguments({ input, uri }: Entry): boolean {
  return input !== undefined || (uri?.includes('{') ?? false);
}

function classNamed(rules: readonly Type<unknown>[], name: string): Type<unknown> | undefined {
  return rules.find((rule) => rule.name === name);
}
