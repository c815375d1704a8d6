import type { Decision, RefusalReason } from '@sallyport/mcp';
import type { Policy } from './policy.js';

/** What a client can do something about: ask for consent, or for a new sign-in. */
export const CHALLENGED: readonly RefusalReason[] = [
  'insufficient_scope',
  'insufficient_user_authentication',
];

/**
 * Whether an entry may be listed, from the very decision a call would get: what a call runs, holds, or challenges is known;
 * what a call hides is hidden.
 */
export function isVisible(decision: Decision, listing: Policy['listing']): boolean {
  if (decision.effect === 'permit' || decision.effect === 'hold') return true;
  return CHALLENGED.includes(decision.reason) && listing === 'consentable';
}
