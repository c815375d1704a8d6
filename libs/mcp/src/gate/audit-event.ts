import type { ListCall, McpCall, ServerIdentity, Way } from '../call/mcp-call.js';
import type { Principal } from '../principal.js';
import type { Decision, Permit, RefusalReason } from './decision.js';

interface EventBase {
  /** UUID v7, made by the gate, so that an outcome can name its attempt. */
  readonly id: string;
  readonly at: Date;
}

/** Committed before a handler starts. */
export interface AttemptEvent extends EventBase {
  readonly kind: 'attempt';
  readonly call: McpCall;
  readonly decision: Permit;
}

/** How a permitted call ended. `not_run`: the attempt was recorded, but no handler was started. */
export type OutcomeStatus = 'completed' | 'failed' | 'aborted' | 'not_run';

/** What ended a call that did not end by itself, or kept its result in. */
export type EndCause =
  /** The client closed its side, or cancelled. */
  | 'client'
  /** The caller or the entry was revoked meanwhile. */
  | 'revoked'
  /** What was followed may be followed no longer: the credential expired, the entry is gone, or it was decided anew. */
  | 'lapsed'
  /** The server was told to stop, and had no more time to wait. */
  | 'shutdown';

/** Committed before an answer leaves. An attempt without one is ambiguous. */
export interface OutcomeEvent extends EventBase {
  readonly kind: 'outcome';
  readonly attempt: string;
  readonly call: McpCall;
  readonly status: OutcomeStatus;
  /** Absent: it ended by itself. */
  readonly cause?: EndCause;
  readonly durationMs: number;
  /** Bytes of the JSON of the result; 0 when there was none. */
  readonly resultBytes: number;
}

/** A call that was refused or held: nothing ran. */
export interface RefusalEvent extends EventBase {
  readonly kind: 'refusal';
  readonly call: McpCall;
  readonly decision: Decision;
  readonly reason: RefusalReason;
}

/** A list that was shown. */
export interface ListEvent extends EventBase {
  readonly kind: 'list';
  readonly call: ListCall;
  /** How many entries the caller was shown. */
  readonly shown: number;
}

/** Somebody was turned away before anything was decided: a credential that did not become a principal, or none, or one too many. */
export interface FailedAuthenticationEvent extends EventBase {
  readonly kind: 'authentication';
  readonly server: ServerIdentity;
  readonly via: Way;
  readonly address: string | undefined;
  /** A stable code such as `expired`; never any part of the credential. */
  readonly reason: string;
  /** The identity source that judged it, when one did. */
  readonly source: string | undefined;
  /** Whom the credential speaks of, when it was good and yet could not be gone on with, such as of a revoked user. */
  readonly principal?: Principal;
  /**
   * Present when this stands for all that failed since then, beyond a limit: `reason` is `too_many`, and `address` the
   * network they came from; `undefined`: several.
   */
  readonly counted?: { readonly count: number; readonly since: Date };
}

/** What administration can change, and how; and look at, when that is refused. */
export type AdministrationAction =
  | 'key.listed'
  | 'key.issued'
  | 'key.rotated'
  | 'key.revoked'
  | 'key.reported'
  | 'revocation.added'
  | 'revocation.lifted'
  /** This process serves from now on, or no longer; `target` is the server. */
  | 'server.started'
  | 'server.stopped'
  /** Another than at the last start: `target` is its version. An entry came or went since: `target` is that entry. */
  | 'policy.changed'
  /** Somebody looked at the audit, or took records out of it. */
  | 'audit.read'
  | 'audit.exported'
  /** A range of records left the database, or a person's keyed fields can be read by nobody any more. */
  | 'audit.sealed'
  | 'audit.erased'
  /** The key that signs checkpoints was replaced. */
  | 'audit.key_rotated'
  /** What was signed is remembered again where it was lost; `target` is its size. */
  | 'audit.remembered'
  /** Work of the application reached rows of every tenant, with a reason. */
  | 'tenancy.crossed';

/**
 * A change to who may call. Committed before the change is made, so that there is none without a record; a change that
 * then fails is followed by one with a `reason`.
 */
export interface AdministrationEvent extends EventBase {
  readonly kind: 'administration';
  readonly server: ServerIdentity;
  readonly via: Way | 'cli';
  readonly address: string | undefined;
  /** Who changes it; the command line acts as a `process`. `undefined`: nobody has to sign in for this. */
  readonly actor: Principal | undefined;
  readonly action: AdministrationAction;
  /** What is changed, by its id, such as that of a key. */
  readonly target: string;
  /** Present when `target` names a person: whom. The name is then kept in a way that can be erased with them. */
  readonly about?: Partial<Pick<Principal, 'tenant' | 'issuer' | 'subject'>>;
  /** Why nothing was changed, as a stable code; absent: it is changed. */
  readonly reason?: string;
  /** What else a reader should know. Never any part of a secret. */
  readonly details: Readonly<Record<string, string>>;
}

export type AuditEvent =
  AttemptEvent | OutcomeEvent | RefusalEvent | ListEvent | FailedAuthenticationEvent | AdministrationEvent;
