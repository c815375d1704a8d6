import type { Freshness } from '../catalog/freshness.js';
import type { Challenge, ChallengeError } from './ports.js';

/** What a refused caller is told. Fewer words than the audit knows: a hidden entry and a missing one are both `unknown`. */
export type PublicReason =
  | 'authentication_required'
  | 'invalid_token'
  | 'insufficient_user_authentication'
  | 'insufficient_scope'
  | 'unknown'
  | 'approval_required'
  | 'invalid_arguments'
  | 'method_not_found'
  | 'too_many_requests'
  | 'unavailable'
  | 'internal_error';

/** A refusal by value. One place turns it into HTTP, one into JSON-RPC: {@link refusalAnswer}. */
export interface Refusal {
  readonly reason: PublicReason;
  /** HTTP status, for transports that have one. */
  readonly status: number;
  /** JSON-RPC error code. */
  readonly code: number;
  readonly message: string;
  readonly challenge?: {
    readonly scopes: readonly string[];
    readonly error?: ChallengeError;
    readonly freshness?: Freshness;
  };
  readonly retryAfterSeconds?: number;
  /** For `invalid_arguments`: what to correct. */
  readonly issues?: readonly string[];
}

/**
 * JSON-RPC codes of ours, from the range that MCP leaves to implementations (-32000 … -32019); `-32602` is the
 * specification's own for an unknown entry.
 */
const CODES = {
  authentication: -32010,
  scope: -32011,
  approval: -32012,
  unavailable: -32013,
  tooMany: -32014,
  unknown: -32602,
  internal: -32603,
} as const;

/** No credential came. The same for every entry that is not public, whether it exists or not. */
export function authenticationRequired(scopes: readonly string[]): Refusal {
  return {
    reason: 'authentication_required',
    status: 401,
    code: CODES.authentication,
    message: 'Authentication required: sign in and send an access token for this resource.',
    challenge: { scopes },
  };
}

/** A credential came and is not good. Does not say why: the audit does. */
export function invalidToken(scopes: readonly string[]): Refusal {
  return {
    reason: 'invalid_token',
    status: 401,
    code: CODES.authentication,
    message: 'The access token is invalid, expired, or not meant for this resource.',
    challenge: { scopes, error: 'invalid_token' },
  };
}

/** The user has not consented to this. Names every scope of the operation, not the missing ones alone. */
export function insufficientScope(scopes: readonly string[]): Refusal {
  return {
    reason: 'insufficient_scope',
    status: 403,
    code: CODES.scope,
    message: `More consent is needed for this call. Scopes: ${scopes.join(' ')}.`,
    challenge: { scopes, error: 'insufficient_scope' },
  };
}

/**
 * The user has to sign in again, or in another way (RFC 9470 §3). Names the scopes of the operation as well, so that one new
 * token is enough.
 */
export function insufficientUserAuthentication(scopes: readonly string[], freshness: Freshness): Refusal {
  return {
    reason: 'insufficient_user_authentication',
    status: 401,
    code: CODES.authentication,
    message: 'This call needs a more recent or a stronger sign-in of its user. Sign in again for it.',
    challenge: { scopes, error: 'insufficient_user_authentication', freshness },
  };
}

/** There is no such entry, or none this caller may know of: one answer for both. */
export function unknownEntry(): Refusal {
  return {
    reason: 'unknown',
    status: 200,
    code: CODES.unknown,
    message: 'There is no such tool, resource or prompt.',
  };
}

/** The call is risky and a human has not approved it. */
export function approvalRequired(): Refusal {
  return {
    reason: 'approval_required',
    status: 403,
    code: CODES.approval,
    message: 'This call needs the approval of a person before it runs. Nothing was done.',
  };
}

/** The server does not have this method. */
export function methodNotFound(): Refusal {
  return {
    reason: 'method_not_found',
    status: 404,
    code: -32601,
    message: 'This method is not served here.',
  };
}

export function invalidArguments(issues: readonly string[]): Refusal {
  return {
    reason: 'invalid_arguments',
    status: 200,
    code: CODES.unknown,
    message: `Invalid arguments. ${issues.join('; ')}.`,
    issues,
  };
}

const UNREACHABLE = {
  audit: 'audit store',
  identity: 'identity provider',
  revocations: 'revocation store',
  roles: 'directory of roles',
} as const;

/** A store or an identity provider cannot be reached. Nothing ran. */
export function unavailable(what: keyof typeof UNREACHABLE): Refusal {
  const name = UNREACHABLE[what];
  return {
    reason: 'unavailable',
    status: 503,
    code: CODES.unavailable,
    message: `The ${name} cannot be reached, so this call was not run. Try again later.`,
    retryAfterSeconds: 5,
  };
}

/** Too many credentials from this address were not good. Whether this one is, has not been looked at. */
export function tooManyRequests(retryAfterSeconds: number): Refusal {
  return {
    reason: 'too_many_requests',
    status: 429,
    code: CODES.tooMany,
    message: 'Too many failed attempts from this address. Try again later.',
    retryAfterSeconds,
  };
}

/** Something threw where nothing may. Says nothing of it. */
export function internalError(): Refusal {
  return {
    reason: 'internal_error',
    status: 500,
    code: CODES.internal,
    message: 'The call could not be decided, so it was not run.',
  };
}

/** A refusal as both kinds of transport need it. */
export interface RefusalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON-RPC error. `data` repeats the header, since many clients drop headers and stdio has none. */
  readonly error: {
    readonly code: number;
    readonly message: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
}

/** Writes a challenge: {@link Challenger.challenge} of the port. */
export type ChallengeWriter = (
  scopes: readonly string[],
  error?: ChallengeError,
  freshness?: Freshness,
) => Challenge;

/** Turns a refusal into its answer. `challengeOf` writes the challenge (RFC 6750, RFC 9728). */
export function refusalAnswer(refusal: Refusal, challengeOf: ChallengeWriter): RefusalAnswer {
  const headers: Record<string, string> = {};
  const data: Record<string, unknown> = { reason: refusal.reason };
  if (refusal.challenge !== undefined) {
    const { scopes, error, freshness } = refusal.challenge;
    const challenge = challengeOf(scopes, error, freshness);
    headers['WWW-Authenticate'] = challenge.header;
    data['scopes'] = scopes;
    data['resource_metadata'] = challenge.resourceMetadata;
    if (freshness?.acr !== undefined) data['acr_values'] = freshness.acr;
    if (freshness?.maxAge !== undefined) data['max_age'] = freshness.maxAge;
  }
  if (refusal.retryAfterSeconds !== undefined) headers['Retry-After'] = String(refusal.retryAfterSeconds);
  if (refusal.issues !== undefined) data['issues'] = refusal.issues;
  return { status: refusal.status, headers, error: { code: refusal.code, message: refusal.message, data } };
}

/** Carries a refusal out of a Nest guard or interceptor, where throwing is the only way to leave. */
export class RefusalException extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.message);
    this.name = 'RefusalException';
  }
}
