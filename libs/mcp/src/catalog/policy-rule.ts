import type { Type } from '@nestjs/common';
import type { CallArguments } from '../call/mcp-call.js';
import type { Principal } from '../principal.js';
import type { Entry } from './entry.js';

/** What a rule is asked about: one call that everything else would permit. */
export interface RuleQuestion {
  readonly principal: Principal;
  /** Validated, defaulted and frozen: the arguments that would run. */
  readonly arguments: CallArguments;
  readonly entry: Entry;
}

/** `true` permits. Anything else refuses; a string is the reason, kept in the audit and never told to the caller. */
export type RuleAnswer = boolean | string;

/**
 * A named rule: a Nest provider that may refuse what role, tenant and scopes would permit, and can never permit more. What
 * it refuses looks like what does not exist. Throwing, or not answering in time, refuses too.
 *
 * The class is found by `when`, and its name stands in the policy and in the record. It is asked only when everything
 * else permits the call; its code is part of that call, so `currentCall()` is known to whatever it loads.
 *
 * @example
 * ```ts
 * @Injectable()
 * class OnlyOwnRecords implements PolicyRule {
 *   constructor(private readonly records: RecordsService) {}
 *
 *   async permits({ principal, arguments: { recordId } }: RuleQuestion) {
 *     const owner = await this.records.ownerOf(String(recordId));
 *     return owner === principal.subject || 'the record belongs to somebody else';
 *   }
 * }
 *
 * @McpTool({ name: 'crm_open_record', scopes: ['crm:read'], risk: 'read', when: OnlyOwnRecords, … })
 * ```
 */
export interface PolicyRule {
  /** The reason must hold no argument value and no secret: it is recorded. */
  permits(question: RuleQuestion): RuleAnswer | Promise<RuleAnswer>;
  /**
   * For a rule that can tell without arguments whether this principal may know of the entry: asked by lists, and before a
   * call is decided any further. Without it an entry that takes arguments is listed, and one that takes none is judged by
   * {@link permits}.
   */
  permitsListing?(principal: Principal, entry: Entry): RuleAnswer | Promise<RuleAnswer>;
}

/** The class of a rule, listed under `providers` of some module. */
export type PolicyRuleClass = Type<PolicyRule>;
