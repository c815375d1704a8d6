import { Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { ListCall, ListMethod, McpCall, ServerIdentity } from '../call/mcp-call.js';
import {
  MOST_RESOURCES,
  type Asked,
  type ListenFilter,
  type Operation,
  type Origin,
} from '../call/operation.js';
import { withinCall } from '../call/call-scope.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Entry, EntryKind } from '../catalog/entry.js';
import type { Principal } from '../principal.js';
import { stackOf } from '../stack-of.js';
import { uuidV7 } from '../uuid.js';
import type { AuditEvent } from './audit-event.js';
import { askedBy, CurrentRoles, RolesUnavailable, type Decided } from './current-roles.js';
import type { Decision, Permit, RefusalReason, Refuse } from './decision.js';
import {
  DEFAULT_FAILED_AUTHENTICATIONS,
  FailedAuthentications,
  type CountedFailures,
} from './failed-authentications.js';
import type {
  AuditTrail,
  Authenticator,
  Authorizer,
  CredentialRequest,
  Revocations,
  RevocationView,
  RoleDirectory,
} from './ports.js';
import {
  approvalRequired,
  authenticationRequired,
  insufficientScope,
  insufficientUserAuthentication,
  internalError,
  invalidArguments,
  invalidToken,
  methodNotFound,
  tooManyRequests,
  unavailable,
  unknownEntry,
  type Refusal,
} from './refusal.js';
import { RevokedCallers } from './revoked-callers.js';
import type { Rate } from './token-buckets.js';

/** What the gate must know of the server. */
export interface GateOptions {
  readonly server: ServerIdentity;
  /** Whether a caller without a credential may connect when there are public entries. */
  readonly anonymous: 'public-entries' | 'refuse';
  /** The scopes named in a 401: a first sign-in should ask for these. The same for every entry, existing or not. */
  readonly signInScopes: readonly string[];
  /** How often the callers of one address may fail to authenticate. Default: 30 a minute, and 30 at once. */
  readonly failedAuthentications?: Rate;
  /** How long the directory of roles may take, in milliseconds. Default: 2000. */
  readonly decisionTimeoutMs?: number;
}

export type Identified =
  | { readonly kind: 'identified'; readonly principal: Principal | undefined }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What the gate says of one operation. */
export type Admission =
  | { readonly kind: 'connected' }
  | { readonly kind: 'listed'; readonly entries: readonly Entry[] }
  | ({ readonly kind: 'cleared' } & ClearedCall)
  /** What a client may be told of: each resource is cleared by itself, and those it may not know of are left out. */
  | {
      readonly kind: 'listening';
      readonly principal: Principal | undefined;
      readonly lists: readonly EntryKind[];
      readonly resources: readonly ClearedCall[];
    }
  /** `verdict`: what was decided, when it was a call; for tests and never for its caller. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly verdict?: RefusedCall };

/** A call whose attempt is committed. */
export interface ClearedCall {
  readonly call: McpCall;
  readonly decision: Permit;
  readonly clearance: Clearance;
}

/** A call that may not run: why, and what its caller is told of that. */
export interface RefusedCall {
  readonly kind: 'refused';
  readonly call: McpCall;
  readonly decision: Decision;
  readonly reason: RefusalReason;
  readonly refusal: Refusal;
}

/** What is decided of one call, before anything is recorded. Opens nothing: it is no clearance. */
export type Verdict =
  { readonly kind: 'permitted'; readonly call: McpCall; readonly decision: Permit } | RefusedCall;

/** What was decided of one call; a refusal is recorded by then, a permit is not. */
type Judged =
  | Extract<Verdict, { kind: 'permitted' }>
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly verdict?: RefusedCall };

/**
 * The proof that one call was permitted and its attempt is committed. Only a gate makes one that is worth anything: it
 * keeps the register of those it made, so an object of any other origin opens nothing. Good for one run of one call.
 */
export class Clearance {
  declare private readonly onlyTheGateMintsOne: never;
}

/** Who asks for something that is no call, and where they come from. */
interface Connecting {
  readonly principal: Principal | undefined;
  readonly from: Origin;
}

/** What a revoked caller asked for, when it was a call, and which scopes they are told to sign in with. */
interface RevokedDetails {
  readonly call?: McpCall | undefined;
  readonly scopes?: readonly string[];
}

interface Cleared {
  readonly call: McpCall;
  readonly attempt: string;
}

/** The one gate for every way in: both protocol eras, HTTP and stdio, calls and lists. */
export class Gate implements BeforeApplicationShutdown {
  readonly #logger = new Logger('Sallyport');
  readonly #minted = new WeakMap<Clearance, Cleared>();
  readonly #failures: FailedAuthentications;
  readonly #roles: CurrentRoles;
  readonly #revoked = new RevokedCallers();

  constructor(
    private readonly catalog: Catalog,
    private readonly authenticator: Authenticator,
    private readonly authorizer: Authorizer,
    private readonly trail: AuditTrail,
    private readonly revocations: Revocations,
    private readonly options: GateOptions,
    directory?: RoleDirectory,
  ) {
    this.#roles = new CurrentRoles(directory, options.decisionTimeoutMs);
    this.#failures = new FailedAuthentications(
      options.failedAuthentications ?? DEFAULT_FAILED_AUTHENTICATIONS,
      (failures) => this.#recordCounted(failures),
    );
  }

  /**
   * First gate: who is calling? A credential that is not good is recorded and refused, before anything is read. Where too
   * many were not good, others of that address wait their turn, and are refused unseen when there is none.
   */
  async identify(request: CredentialRequest): Promise<Identified> {
    const from: Origin = { via: request.via, address: request.address };
    let isRecognized = false;
    const turn = this.#failures.turnFor(from, () => (isRecognized = this.authenticator.recognizes(request)));
    if (turn === undefined) return refused(await this.#refuseUnseen(from));
    try {
      return await this.#judgeCredential(request, from, isRecognized);
    } finally {
      turn.end();
    }
  }

  /** Records what has been counted and not yet recorded. Nest closes the audit after this hook. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#failures.close();
  }

  async #judgeCredential(
    request: CredentialRequest,
    from: Origin,
    isRecognized: boolean,
  ): Promise<Identified> {
    const authentication = await this.authenticator.authenticate(request);
    if (authentication.kind === 'anonymous') return { kind: 'identified', principal: undefined };
    if (authentication.kind === 'principal')
      return { kind: 'identified', principal: authentication.principal };
    const reason = authentication.kind === 'failed' ? authentication.reason : 'source_unavailable';
    const noted = await this.#failures.note(from, () =>
      this.#recordNobody(from, reason, authentication.source),
    );
    if (noted === 'unrecorded') return refused(unavailable('audit'));
    if (authentication.kind === 'unavailable') return refused(unavailable('identity'));
    // Who was here before has to learn that it is time to sign in again, whatever the neighbours do.
    if (noted === 'too_many' && !isRecognized) return refused(this.#tooMany(from));
    return refused(invalidToken(this.options.signInScopes));
  }

  async #refuseUnseen(from: Origin): Promise<Refusal> {
    const noted = await this.#failures.noteUnseen(from);
    return noted === 'unrecorded' ? unavailable('audit') : this.#tooMany(from);
  }

  #tooMany(from: Origin): Refusal {
    return tooManyRequests(this.#failures.retryAfterSeconds(from));
  }

  /** Second gate: may they do exactly this? */
  async admit(operation: Operation): Promise<Admission> {
    const view = await this.#currentRevocations();
    const principal = principalOf(operation);
    if (view === undefined) return this.#refuseUndecided(operation, NO_REVOCATIONS, 'revocations');
    if (principal !== undefined && view.isRevoked(principal)) {
      const call = operation.kind === 'call' ? operation.call : undefined;
      return refused(await this.refuseRevoked(principal, originOf(operation), { call }));
    }
    if (operation.kind === 'connect') return this.#admitConnection(operation);
    if (operation.kind === 'unserved') return this.#refuseMethod(operation);
    const current = await this.#withCurrentRoles(operation);
    return current === undefined
      ? this.#refuseUndecided(operation, NO_ROLES, 'roles')
      : this.#admitDecided(current, view);
  }

  #admitDecided(operation: Decided, view: RevocationView): Promise<Admission> {
    if (operation.kind === 'list') return this.#admitList(operation.call, operation.from, view);
    if (operation.kind === 'listen') return this.#admitListening(operation, view);
    return this.#admitCall(operation, view);
  }

  /**
   * What {@link admit} would decide on this call, and why, by the very same steps. Nothing is recorded, nothing can run.
   */
  async explain(asked: Asked): Promise<Verdict> {
    const view = await this.#currentRevocations();
    const { call } = asked;
    if (view === undefined)
      return refusedCall(call, NO_REVOCATIONS, NO_REVOCATIONS.reason, unavailable('revocations'));
    if (call.principal !== undefined && view.isRevoked(call.principal))
      return refusedCall(call, REVOKED, 'revoked', invalidToken(this.options.signInScopes));
    const current = await withinCall(call, () => this.currentPrincipal(call.principal));
    if (current === 'unavailable') return refusedCall(call, NO_ROLES, NO_ROLES.reason, unavailable('roles'));
    return this.#weigh({ ...asked, call: Object.freeze({ ...call, principal: current }) }, view);
  }

  /**
   * Whether what was once cleared may go on: decided again on the same arguments, for whom the credential speaks of now.
   * A refusal is recorded.
   */
  async stillPermits(call: McpCall): Promise<boolean> {
    const view = await this.#currentRevocations();
    if (view === undefined) return false;
    if (call.principal !== undefined && view.isRevoked(call.principal)) {
      await this.#recordRefusal(call, REVOKED, 'revoked');
      return false;
    }
    const found = this.catalog.find('resources/read', call.target);
    if (found?.entry !== call.entry || found === undefined) return false;
    const principal = await withinCall(call, () => this.currentPrincipal(call.principal));
    if (principal === 'unavailable') return false;
    const validate = async () => ({ valid: true, value: call.arguments ?? {} }) as const;
    const asked: Asked = { call: Object.freeze({ ...call, principal }), validate };
    return (await this.#judge(asked, view)).kind === 'permitted';
  }

  /**
   * Whether this principal may know of this entry, now. Asked within a call of that principal, whoever changed the entries:
   * what rules and the directory of roles load is theirs.
   */
  async isKnownTo(entry: Entry, principal: Principal | undefined, from: Origin): Promise<boolean> {
    const view = await this.#currentRevocations();
    if (view === undefined || (principal !== undefined && view.isRevoked(principal))) return false;
    if (view.isEntryRevoked(entry, principal)) return false;
    return withinCall(this.#tellingCall(principal, from), async () => {
      const current = await this.currentPrincipal(principal);
      return current !== 'unavailable' && this.#isVisible(entry, current);
    });
  }

  /** What is told on a stream belongs to no request, and all the same to somebody. */
  #tellingCall(principal: Principal | undefined, { via, address }: Origin): ListCall {
    const { server } = this.options;
    const when = { id: uuidV7(), receivedAt: new Date(), traceparent: undefined };
    const how = { via, address, protocol: 'unknown', method: 'subscriptions/listen' } as const;
    return Object.freeze({ ...when, ...how, server, principal });
  }

  /** This principal with the roles it holds now, where a directory says so rather than the credential. */
  async currentPrincipal<P extends Principal | undefined>(
    principal: P,
  ): Promise<P | Principal | 'unavailable'> {
    if (principal === undefined) return principal;
    try {
      return await this.#roles.of(principal);
    } catch (error) {
      if (error instanceof RolesUnavailable) return 'unavailable';
      throw error;
    }
  }

  /**
   * Uses up a clearance and gives the id of the attempt it stands for.
   *
   * @throws Error when this gate did not mint it for exactly this call, or it was used before
   */
  spend(clearance: Clearance, call: McpCall): string {
    const cleared = this.#minted.get(clearance);
    if (cleared === undefined || cleared.call !== call) {
      throw new Error('No clearance, no run: the gate did not clear this call.');
    }
    this.#minted.delete(clearance);
    return cleared.attempt;
  }

  /**
   * Uses up the clearance of a call that turned out not to be run: its attempt is closed, as far as that can be recorded.
   *
   * @throws Error as {@link spend} does
   */
  async discard(call: McpCall, clearance: Clearance): Promise<void> {
    await this.#close(call, this.spend(clearance, call));
  }

  /** Whether a clearance of this gate has not been used yet. */
  isUnspent(clearance: Clearance): boolean {
    return this.#minted.has(clearance);
  }

  async #currentRevocations(): Promise<RevocationView | undefined> {
    try {
      return await this.revocations.current();
    } catch (error) {
      this.#logger.error('It could not be found out what is revoked; the call is refused.', stackOf(error));
      return undefined;
    }
  }

  /**
   * A revoked caller gets what an invalid credential gets; the record says who it was. Beyond a limit it is counted with what
   * else fails at its address, but the first one of a minute never is: garbage from there does not hide a revoked caller.
   */
  async refuseRevoked(
    principal: Principal,
    from: Origin,
    { call, scopes = this.options.signInScopes }: RevokedDetails = {},
  ): Promise<Refusal> {
    const record = () =>
      call === undefined
        ? this.recordTurnedAway(from, 'revoked', principal)
        : this.#recordRefusal(call, REVOKED, 'revoked');
    const noted = await this.#revoked.named(principal, record, (byName) => this.#failures.note(from, byName));
    if (noted === 'unrecorded') return unavailable('audit');
    return noted === 'too_many' ? this.#tooMany(from) : invalidToken(scopes);
  }

  /** Asked once for each operation; `undefined`: it cannot be found out. */
  async #withCurrentRoles(operation: Decided): Promise<Decided | undefined> {
    const { call } = operation;
    const principal = await withinCall(call, () => this.currentPrincipal(call.principal));
    return principal === 'unavailable' ? undefined : askedBy(operation, principal);
  }

  /** Nothing could be decided, because of a store; that somebody was refused for it is recorded where that works. */
  async #refuseUndecided(
    operation: Operation,
    decision: Refuse,
    store: 'revocations' | 'roles',
  ): Promise<Admission> {
    const recorded =
      operation.kind === 'call'
        ? await this.#recordRefusal(operation.call, decision, decision.reason)
        : await this.recordTurnedAway(originOf(operation), decision.reason, principalOf(operation));
    return refused(unavailable(recorded ? store : 'audit'));
  }

  async #admitConnection({ principal, from }: Connecting): Promise<Admission> {
    if (principal !== undefined || this.#anonymousMayConnect()) return { kind: 'connected' };
    const recorded = await this.#recordNobody(from, 'no_credential', undefined);
    return refused(recorded ? authenticationRequired(this.options.signInScopes) : unavailable('audit'));
  }

  async #refuseMethod(connecting: Connecting): Promise<Admission> {
    const connection = await this.#admitConnection(connecting);
    return connection.kind === 'refused' ? connection : refused(methodNotFound());
  }

  #anonymousMayConnect(): boolean {
    return this.options.anonymous === 'public-entries' && this.catalog.hasPublicEntries;
  }

  async #admitList(call: ListCall<ListMethod>, from: Origin, view: RevocationView): Promise<Admission> {
    const connection = await this.#admitConnection({ principal: call.principal, from });
    if (connection.kind === 'refused') return connection;
    const entries = await this.#visible(call, view);
    const at = new Date();
    const recorded = await this.#record({ kind: 'list', id: uuidV7(), at, call, shown: entries.length });
    return recorded ? { kind: 'listed', entries } : refused(unavailable('audit'));
  }

  /** Rules that a list asks run as a part of it, as those that a call asks run as a part of that. */
  async #visible(call: ListCall<ListMethod>, view: RevocationView): Promise<readonly Entry[]> {
    const entries = this.catalog
      .of(call.method)
      .filter((entry) => !view.isEntryRevoked(entry, call.principal));
    const visible = await withinCall(call, () =>
      Promise.all(entries.map((entry) => this.#isVisible(entry, call.principal))),
    );
    return entries.filter((_, index) => visible[index] === true);
  }

  /** A check that throws hides the entry, as it would refuse the call. */
  async #isVisible(entry: Entry, principal: Principal | undefined): Promise<boolean> {
    try {
      return (await this.authorizer.isVisible(entry, principal)) === true;
    } catch (error) {
      this.#logger.error(
        `The visibility of ${entry.kind} "${entry.name}" could not be decided.`,
        stackOf(error),
      );
      return false;
    }
  }

  async #admitCall(asked: Asked, view: RevocationView): Promise<Admission> {
    const judged = await this.#judge(asked, view);
    return judged.kind === 'permitted' ? this.#clear(judged.call, judged.decision) : judged;
  }

  /**
   * Every resource is decided on like a call. What has an answer of its own (sign in, consent, come again) answers for
   * all of them; what the caller may not know of is left out, as what does not exist is.
   */
  async #admitListening(
    { call, from, filter }: { readonly call: ListCall; readonly from: Origin; readonly filter: ListenFilter },
    view: RevocationView,
  ): Promise<Admission> {
    const connection = await this.#admitConnection({ principal: call.principal, from });
    if (connection.kind === 'refused') return connection;
    if (filter.resources.length > MOST_RESOURCES)
      return refused(invalidArguments([`resourceSubscriptions: at most ${MOST_RESOURCES}`]));
    const judged: Judged[] = [];
    for (const asked of filter.resources) judged.push(await this.#judge(asked, view));
    const answer = answerForAll(judged);
    if (answer !== undefined) return refused(answer);
    const permitted = judged.filter((one) => one.kind === 'permitted');
    const shown = permitted.length;
    if (!(await this.#record({ kind: 'list', id: uuidV7(), at: new Date(), call, shown })))
      return refused(unavailable('audit'));
    const cleared = await Promise.all(permitted.map((one) => this.#clear(one.call, one.decision)));
    const resources = cleared.filter((one) => one.kind === 'cleared');
    const failed = cleared.find((one) => one.kind === 'refused' && one.refusal.status !== 200);
    if (failed !== undefined) {
      // What was cleared beside it is not followed: its attempt is closed, so that nobody takes it for something that ran.
      for (const { call, clearance } of resources) await this.discard(call, clearance);
      return failed;
    }
    return { kind: 'listening', principal: call.principal, lists: filter.lists, resources };
  }

  /** A refusal is in force, and told, once it is recorded. */
  async #judge(asked: Asked, view: RevocationView): Promise<Judged> {
    const verdict = await this.#weigh(asked, view);
    if (verdict.kind === 'permitted') return verdict;
    const recorded = await this.#recordRefusal(verdict.call, verdict.decision, verdict.reason);
    if (!recorded) return refused(unavailable('audit'));
    return { kind: 'refused', refusal: verdict.refusal, verdict };
  }

  /**
   * Decides twice. First without arguments: for a caller who may not know of the entry nothing of it runs, its schema
   * included. Then on the validated and frozen arguments, which are the ones that run.
   */
  async #weigh({ call: asked, validate }: Asked, view: RevocationView): Promise<Verdict> {
    if (asked.principal === undefined && !this.#anonymousMayConnect()) return this.#refusedBy(asked, SIGN_IN);
    if (asked.entry !== undefined && view.isEntryRevoked(asked.entry, asked.principal))
      return this.#refusedAsRevoked(asked);
    const first = await this.#decide(asked);
    if (first.effect === 'refuse') return this.#refusedBy(asked, first);
    if (asked.entry === undefined) return refusedCall(asked, first, 'unknown_entry', unknownEntry());
    const validated = await validate();
    if (!validated.valid) {
      return refusedCall(asked, first, 'invalid_arguments', invalidArguments(validated.issues));
    }
    const call: McpCall = Object.freeze({ ...asked, arguments: validated.value });
    const decision = await this.#decide(call);
    if (decision.effect === 'refuse') return this.#refusedBy(call, decision);
    if (decision.effect === 'hold')
      return refusedCall(call, decision, 'approval_required', approvalRequired());
    return { kind: 'permitted', call, decision };
  }

  /** A revoked entry is decided on as if it had never been: nobody can tell it from a name that does not exist. */
  async #refusedAsRevoked(asked: McpCall): Promise<RefusedCall> {
    const decision = await this.#decide(Object.freeze({ ...asked, entry: undefined }));
    const refusal = decision.effect === 'refuse' ? this.#refusalOf(decision) : unknownEntry();
    return refusedCall(asked, decision, 'revoked', refusal);
  }

  /** Anything but a decision in so many words is a refusal: a check that threw, or a port that answered oddly. */
  async #decide(call: McpCall): Promise<Decision> {
    try {
      const decision: unknown = await withinCall(call, () => this.authorizer.authorize(call));
      if (isDecision(decision)) return decision;
      this.#logger.error(`Call ${call.id} was refused: the authorizer gave no decision.`);
    } catch (error) {
      this.#logger.error(`Call ${call.id} could not be decided and was refused.`, stackOf(error));
    }
    return FAILED;
  }

  #refusedBy(call: McpCall, decision: Refuse): RefusedCall {
    return refusedCall(call, decision, decision.reason, this.#refusalOf(decision));
  }

  async #clear(
    call: McpCall,
    decision: Permit,
  ): Promise<Extract<Admission, { kind: 'cleared' | 'refused' }>> {
    const attempt = uuidV7();
    const recorded = await this.#record({ kind: 'attempt', id: attempt, at: new Date(), call, decision });
    if (!recorded) return refused(unavailable('audit'));
    // It may have been removed while it was decided on: what is gone does not run.
    if (!this.catalog.holds(call.entry)) {
      const closed = await this.#close(call, attempt);
      return refused(closed ? unknownEntry() : unavailable('audit'));
    }
    const clearance = new Clearance();
    this.#minted.set(clearance, { call, attempt });
    return { kind: 'cleared', call, clearance, decision };
  }

  /** The outcome of an attempt that will not run. */
  #close(call: McpCall, attempt: string): Promise<boolean> {
    const nothing = { status: 'not_run', durationMs: 0, resultBytes: 0 } as const;
    return this.#record({ kind: 'outcome', id: uuidV7(), at: new Date(), attempt, call, ...nothing });
  }

  #recordRefusal(call: McpCall, decision: Decision, reason: RefusalReason): Promise<boolean> {
    return this.#record({ kind: 'refusal', id: uuidV7(), at: new Date(), call, decision, reason });
  }

  #refusalOf({ reason, scopes, freshness }: Refuse): Refusal {
    switch (reason) {
      case 'authentication_required':
        return authenticationRequired(this.options.signInScopes);
      case 'insufficient_scope':
        return insufficientScope(scopes);
      case 'insufficient_user_authentication':
        return insufficientUserAuthentication(scopes, freshness ?? {});
      case 'approval_required':
        return approvalRequired();
      case 'decision_failed':
        return internalError();
      default:
        return unknownEntry();
    }
  }

  /** Records that somebody named a session that is not theirs, or that there is none of; tells whether that is durable. */
  recordStray(
    from: Origin,
    reason: 'unknown_session' | 'session_of_another',
    who: Principal | undefined,
  ): Promise<boolean> {
    return this.#recordNobody(from, reason, who?.issuer);
  }

  /** Records who was turned away before anything was decided of what they asked for; tells whether that is durable. */
  recordTurnedAway(from: Origin, reason: string, principal: Principal | undefined): Promise<boolean> {
    return this.#recordNobody(from, reason, principal?.issuer, principal);
  }

  /** A caller who became nobody: what came, or did not come, is no principal, or none that may go on. */
  #recordNobody(
    from: Origin,
    reason: string,
    source: string | undefined,
    principal?: Principal,
  ): Promise<boolean> {
    const { server } = this.options;
    return this.#record({
      kind: 'authentication',
      id: uuidV7(),
      at: new Date(),
      server,
      via: from.via,
      address: from.address,
      reason,
      source,
      ...(principal === undefined ? {} : { principal }),
    });
  }

  #recordCounted({ network, count, since }: CountedFailures): Promise<boolean> {
    return this.#record({
      kind: 'authentication',
      id: uuidV7(),
      at: new Date(),
      server: this.options.server,
      via: 'http',
      address: network,
      reason: 'too_many',
      source: undefined,
      counted: { count, since },
    });
  }

  async #record(event: AuditEvent): Promise<boolean> {
    try {
      await this.trail.record(event);
      return true;
    } catch (error) {
      this.#logger.error(
        `A record (${event.kind}) could not be committed; the call is refused.`,
        stackOf(error),
      );
      return false;
    }
  }
}

/** What is said to a whole request of which a part was refused with an answer of its own; `undefined`: nothing was. */
function answerForAll(judged: readonly Judged[]): Refusal | undefined {
  const refusals = judged.flatMap((one) => (one.kind === 'refused' ? [one.refusal] : []));
  const own = refusals.filter(({ status }) => status !== 200);
  const [first] = own.toSorted((a, b) => WEIGHT.indexOf(b.reason) - WEIGHT.indexOf(a.reason));
  if (first?.reason !== 'insufficient_scope') return first;
  const scopes = own.flatMap(({ reason, challenge }) =>
    reason === 'insufficient_scope' ? (challenge?.scopes ?? []) : [],
  );
  return insufficientScope([...new Set(scopes)]);
}

/** Of several answers the later: nobody is asked for consent to what they must sign in for first. */
const WEIGHT: readonly Refusal['reason'][] = [
  'approval_required',
  'insufficient_scope',
  'insufficient_user_authentication',
  'internal_error',
  'unavailable',
  'authentication_required',
];

/** Stands in the record when the authorizer gave no decision at all. */
const FAILED: Refuse = Object.freeze({
  effect: 'refuse',
  reason: 'decision_failed',
  checks: [],
  scopes: [],
  policyVersion: '',
});

/** Stands in the record when nobody could say which roles the caller holds. */
const NO_ROLES: Refuse = Object.freeze({ ...FAILED, reason: 'roles_unavailable' });

/** Stands in the record when nobody could say what is revoked. */
const NO_REVOCATIONS: Refuse = Object.freeze({ ...FAILED, reason: 'revocations_unavailable' });

/** Stands in the record when a revocation alone decided. */
const REVOKED: Refuse = { effect: 'refuse', reason: 'revoked', checks: [], scopes: [], policyVersion: '' };

/** Where everybody is asked to sign in, what is public asks for it, too. */
const SIGN_IN: Refuse = {
  effect: 'refuse',
  reason: 'authentication_required',
  checks: [
    { name: 'authentication', passed: false, detail: 'no credential came, and everybody must sign in' },
  ],
  scopes: [],
  policyVersion: '',
};

function originOf(operation: Operation): Origin {
  return operation.kind === 'call' ? operation.call : operation.from;
}

function principalOf(operation: Operation): Principal | undefined {
  return 'call' in operation ? operation.call.principal : operation.principal;
}

function isDecision(value: unknown): value is Decision {
  if (typeof value !== 'object' || value === null || !('effect' in value)) return false;
  const { effect } = value;
  if (effect === 'refuse') return 'reason' in value && typeof value.reason === 'string';
  return effect === 'permit' || effect === 'hold';
}

function refusedCall(
  call: McpCall,
  decision: Decision,
  reason: RefusalReason,
  refusal: Refusal,
): RefusedCall {
  return { kind: 'refused', call, decision, reason, refusal };
}

function refused(refusal: Refusal): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal };
}
