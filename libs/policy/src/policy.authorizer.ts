import { Authorizer, type Decision, type Entry, type McpCall, type Principal } from '@sallyport/mcp';
import { decide } from './decide.js';
import { isVisible } from './is-visible.js';
import type { Policy } from './policy.js';

/** Answers the gate with {@link decide}: the same function for a call and for a list. */
export class PolicyAuthorizer extends Authorizer {
  constructor(readonly policy: Policy) {
    super();
  }

  authorize(call: McpCall): Decision {
    return decide(this.policy, call.principal, { entry: call.entry });
  }

  isVisible(entry: Entry, principal: Principal | undefined): boolean {
    return isVisible(decide(this.policy, principal, { entry }), this.policy.listing);
  }
}
