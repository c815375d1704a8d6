import type { Freshness } from '../catalog/freshness.js';

/** The checks a decision is made of, in the order they are made. `rule` stands once for each rule of the entry. */
export const CHECKS = [
  'entry',
  'authentication',
  'tenant',
  'role',
  'rule',
  'freshness',
  'scopes',
  'risk',
] as const;
export type CheckName = (typeof CHECKS)[number];

/** One question that was asked, and its answer in a sentence. Holds no secret and no argument value. */
export interface Check {
  readonly name: CheckName;
  readonly passed: boolean;
  readonly detail: string;
}

/** Why a call was refused, as the audit records it. What the caller is told may say less. */
export type RefusalReason =
  | 'unknown_entry'
  | 'authentication_required'
  | 'tenant'
  | 'role'
  | 'rule'
  | 'insufficient_user_authentication'
  | 'insufficient_scope'
  | 'revoked'
  | 'approval_required'
  | 'invalid_arguments'
  /** The directory of roles did not answer, or answered oddly. */
  | 'roles_unavailable'
  /** Nobody could say what is revoked. */
  | 'revocations_unavailable'
  | 'decision_failed';

/**
 * What became of a call that did not run for this reason, whatever its checks by themselves would have led to: wrong
 * arguments and revocations refuse what was permitted or held until then.
 */
export function effectOfRefusal(reason: RefusalReason): 'hold' | 'refuse' {
  return reason === 'approval_required' ? 'hold' : 'refuse';
}

interface Decided {
  readonly checks: readonly Check[];
  /** Digest of the policy that decided. */
  readonly policyVersion: string;
}

export interface Permit extends Decided {
  readonly effect: 'permit';
}

export interface Refuse extends Decided {
  readonly effect: 'refuse';
  readonly reason: RefusalReason;
  /** Every scope this operation needs (RFC 6750 §3.1), for the challenge. */
  readonly scopes: readonly string[];
  /** How the user must sign in (RFC 9470 §3), when that is the reason. */
  readonly freshness?: Freshness;
}

export interface Hold extends Decided {
  readonly effect: 'hold';
}

/** The answer to: may this principal make exactly this call? */
export type Decision = Permit | Refuse | Hold;
