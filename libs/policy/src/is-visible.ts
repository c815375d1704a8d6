import type { Decision } from '@sallyport/mcp';
import type { Policy } from './policy.js';

/**
 * Whether an entry may be listed, from the very decision a call would get: what a call runs, holds, or challenges for
 * consent is known; what a call hides is hidden.
 */
export function isVisible(decision: Decision, listing: Policy['listing']): boolean {
  if (decision.effect === 'permit' || decision.effect === 'hold') return true;
  return decision.reason === 'insufficient_scope' && listing === 'consentable';
}
