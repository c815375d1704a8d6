import { Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { ListCall, McpCall, ServerIdentity } from '../call/mcp-call.js';
import type { Operation, Origin } from '../call/operation.js';
import type { ValidatedArguments } from '../call/validate-arguments.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Entry } from '../catalog/entry.js';
import type { Principal } from '../principal.js';
import { stackOf } from '../stack-of.js';
import { uuidV7 } from '../uuid.js';
import type { AuditEvent } from './audit-event.js';
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
} from './ports.js';
import {
  approvalRequired,
  authenticationRequired,
  insufficientScope,
  internalError,
  invalidArguments,
  invalidToken,
  methodNotFound,
  tooManyRequests,
  unavailable,
  unknownEntry,
  type Refusal,
} from './refusal.js';
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
}

export type Identified =
  | { readonly kind: 'identified'; readonly principal: Principal | undefined }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What the gate says of one operation. */
export type Admission =
  | { readonly kind: 'connected' }
  | { readonly kind: 'listed'; readonly entries: readonly Entry[] }
  | { readonly kind: 'cleared'; readonly call: McpCall; readonly clearance: Clearance }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

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

interface Cleared {
  readonly call: McpCall;
  readonly attempt: string;
}

/** The one gate for every way in: both protocol eras, HTTP and stdio, calls and lists. */
export class Gate implements BeforeApplicationShutdown {
  readonly #logger = new Logger('Sallyport');
  readonly #minted = new WeakMap<Clearance, Cleared>();
  readonly #failures: FailedAuthentications;

  constructor(
    private readonly catalog: Catalog,
    private readonly authenticator: Authenticator,
    private readonly authorizer: Authorizer,
    private readonly trail: AuditTrail,
    private readonly revocations: Revocations,
    private readonly options: GateOptions,
  ) {
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
      return await this.#judge(request, from, isRecognized);
    } finally {
      turn.end();
    }
  }

  /** Records what has been counted and not yet recorded. Nest closes the audit after this hook. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#failures.close();
  }

  async #judge(request: CredentialRequest, from: Origin, isRecognized: boolean): Promise<Identified> {
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
    if (view === undefined) return refused(unavailable('revocations'));
    const principal = principalOf(operation);
    if (principal !== undefined && view.isRevoked(principal))
      return this.#refuseRevoked(operation, principal);
    if (operation.kind === 'connect') return this.#admitConnection(operation);
    if (operation.kind === 'unserved') return this.#refuseMethod(operation);
    if (operation.kind === 'list') return this.#admitList(operation.call, operation.from, view);
    return this.#admitCall(operation.call, operation.validate, view);
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

  /** A revoked caller gets what an invalid credential gets; the record says who it was. */
  async #refuseRevoked(operation: Operation, principal: Principal): Promise<Admission> {
    const from: Origin = operation.kind === 'call' ? operation.call : operation.from;
    const noted = await this.#failures.note(from, () =>
      operation.kind === 'call'
        ? this.#recordRefusal(operation.call, REVOKED, 'revoked')
        : this.#recordNobody(from, 'revoked', principal.issuer),
    );
    if (noted === 'unrecorded') return refused(unavailable('audit'));
    return refused(noted === 'too_many' ? this.#tooMany(from) : invalidToken(this.options.signInScopes));
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

  async #admitList(call: ListCall, from: Origin, view: RevocationView): Promise<Admission> {
    const connection = await this.#admitConnection({ principal: call.principal, from });
    if (connection.kind === 'refused') return connection;
    const entries = this.catalog
      .of(call.method)
      .filter(
        (entry) => !view.isEntryRevoked(entry, call.principal) && this.#isVisible(entry, call.principal),
      );
    const at = new Date();
    const recorded = await this.#record({ kind: 'list', id: uuidV7(), at, call, shown: entries.length });
    return recorded ? { kind: 'listed', entries } : refused(unavailable('audit'));
  }

  /** A check that throws hides the entry, as it would refuse the call. */
  #isVisible(entry: Entry, principal: Principal | undefined): boolean {
    try {
      return this.authorizer.isVisible(entry, principal) === true;
    } catch (error) {
      this.#logger.error(
        `The visibility of ${entry.kind} "${entry.name}" could not be decided.`,
        stackOf(error),
      );
      return false;
    }
  }

  /**
   * Decides twice. First without arguments: for a caller who may not know of the entry nothing of it runs, its schema
   * included. Then on the validated and frozen arguments, which are the ones that run.
   */
  async #admitCall(
    asked: McpCall,
    validate: () => Promise<ValidatedArguments>,
    view: RevocationView,
  ): Promise<Admission> {
    if (asked.principal === undefined && !this.#anonymousMayConnect())
      return this.#refuseDecided(asked, SIGN_IN);
    if (asked.entry !== undefined && view.isEntryRevoked(asked.entry, asked.principal))
      return this.#refuseRevokedEntry(asked);
    const first = await this.#decide(asked);
    if (first.effect === 'refuse') return this.#refuseDecided(asked, first);
    if (asked.entry === undefined) return this.#refuse(asked, first, 'unknown_entry', unknownEntry());
    const validated = await validate();
    if (!validated.valid) {
      return this.#refuse(asked, first, 'invalid_arguments', invalidArguments(validated.issues));
    }
    const call: McpCall = Object.freeze({ ...asked, arguments: validated.value });
    const decision = await this.#decide(call);
    if (decision.effect === 'refuse') return this.#refuseDecided(call, decision);
    if (decision.effect === 'hold')
      return this.#refuse(call, decision, 'approval_required', approvalRequired());
    return this.#clear(call, decision);
  }

  /** A revoked entry is decided on as if it had never been: nobody can tell it from a name that does not exist. */
  async #refuseRevokedEntry(asked: McpCall): Promise<Admission> {
    const decision = await this.#decide(Object.freeze({ ...asked, entry: undefined }));
    const refusal =
      decision.effect === 'refuse' ? this.#refusalOf(decision.reason, decision.scopes) : unknownEntry();
    return this.#refuse(asked, decision, 'revoked', refusal);
  }

  /** Anything but a decision in so many words is a refusal: a check that threw, or a port that answered oddly. */
  async #decide(call: McpCall): Promise<Decision> {
    try {
      const decision: unknown = await this.authorizer.authorize(call);
      if (isDecision(decision)) return decision;
      this.#logger.error(`Call ${call.id} was refused: the authorizer gave no decision.`);
    } catch (error) {
      this.#logger.error(`Call ${call.id} could not be decided and was refused.`, stackOf(error));
    }
    return FAILED;
  }

  #refuseDecided(call: McpCall, decision: Refuse): Promise<Admission> {
    return this.#refuse(call, decision, decision.reason, this.#refusalOf(decision.reason, decision.scopes));
  }

  async #clear(call: McpCall, decision: Permit): Promise<Admission> {
    const attempt = uuidV7();
    const recorded = await this.#record({ kind: 'attempt', id: attempt, at: new Date(), call, decision });
    if (!recorded) return refused(unavailable('audit'));
    const clearance = new Clearance();
    this.#minted.set(clearance, { call, attempt });
    return { kind: 'cleared', call, clearance };
  }

  async #refuse(
    call: McpCall,
    decision: Decision,
    reason: RefusalReason,
    refusal: Refusal,
  ): Promise<Admission> {
    const recorded = await this.#recordRefusal(call, decision, reason);
    return refused(recorded ? refusal : unavailable('audit'));
  }

  #recordRefusal(call: McpCall, decision: Decision, reason: RefusalReason): Promise<boolean> {
    return this.#record({ kind: 'refusal', id: uuidV7(), at: new Date(), call, decision, reason });
  }

  #refusalOf(reason: RefusalReason, scopes: readonly string[]): Refusal {
    switch (reason) {
      case 'authentication_required':
        return authenticationRequired(this.options.signInScopes);
      case 'insufficient_scope':
        return insufficientScope(scopes);
      case 'approval_required':
        return approvalRequired();
      case 'decision_failed':
        return internalError();
      default:
        return unknownEntry();
    }
  }

  /** A caller who became nobody: what came, or did not come, is no principal. */
  #recordNobody(from: Origin, reason: string, source: string | undefined): Promise<boolean> {
    const { server } = this.options;
    return this.#record({
      kind: 'authentication',
      id: uuidV7(),
      at: new Date(),
      server,
      ...from,
      reason,
      source,
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

/** Stands in the record when the authorizer gave no decision at all. */
const FAILED: Refuse = Object.freeze({
  effect: 'refuse',
  reason: 'decision_failed',
  checks: [],
  scopes: [],
  policyVersion: '',
});

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

function principalOf(operation: Operation): Principal | undefined {
  return 'call' in operation ? operation.call.principal : operation.principal;
}

function isDecision(value: unknown): value is Decision {
  if (typeof value !== 'object' || value === null || !('effect' in value)) return false;
  const { effect } = value;
  if (effect === 'refuse') return 'reason' in value && typeof value.reason === 'string';
  return effect === 'permit' || effect === 'hold';
}

function refused(refusal: Refusal): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal };
}
