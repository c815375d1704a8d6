import type { Refusal } from '../gate/refusal.js';

/** This principal, or everybody together, follows as much as is allowed at a time. */
export function tooManySubscriptions(): Refusal {
  return {
    reason: 'too_many_requests',
    status: 429,
    code: -32014,
    message: 'Too many subscriptions are open. End one of them, or try again later.',
    retryAfterSeconds: 60,
  };
}
