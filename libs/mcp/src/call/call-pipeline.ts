import { HttpException, Logger } from '@nestjs/common';
import type { Entry } from '../catalog/entry.js';
import type { EndCause, OutcomeStatus } from '../gate/audit-event.js';
import type { Clearance, Gate } from '../gate/gate.js';
import type { AuditTrail, Revocations, RevocationView } from '../gate/ports.js';
import { stackOf } from '../stack-of.js';
import { uuidV7 } from '../uuid.js';
import type { Handler } from './bind-handler.js';
import { completionResult, NOTHING_TO_COMPLETE } from './completion-result.js';
import { ResultMismatchError, sizeOf, toolFailure, toResult, type McpResult } from './handler-result.js';
import { withinCall } from './call-scope.js';
import { FOLLOW_METHODS, type McpCall } from './mcp-call.js';
import type { RunningCall } from './running-call.js';

/** How a run ended, as the transports send it on. */
export type Ran =
  | { readonly kind: 'result'; readonly result: McpResult }
  | {
      readonly kind: 'error';
      readonly code: number;
      readonly message: string;
      readonly data: Record<string, unknown>;
    }
  /** The client went away: there is nobody to answer. */
  | { readonly kind: 'withheld' }
  /** The caller or the entry was revoked meanwhile: the result does not leave. */
  | { readonly kind: 'revoked' };

interface Ended {
  readonly status: OutcomeStatus;
  readonly ran: Ran;
}

/** A resource that a client is told of for as long as this is open. To be ended in any case. */
export interface Followed {
  readonly call: McpCall;
  /** Aborted when the caller or the entry is revoked. */
  readonly revoked: AbortSignal;
  /** Commits the outcome of the attempt: `aborted` when the right to it has ended. Does nothing the second time. */
  end(status: Extract<OutcomeStatus, 'completed' | 'aborted' | 'not_run'>): Promise<void>;
}

const INTERNAL_ERROR = -32603;
const INVALID_PARAMS = -32602;

/** What a running call is given by its transport. */
export type Running = Pick<RunningCall, 'signal' | 'reportProgress'>;

/**
 * The only way to a handler. Handlers live in a private map of this object, and `run` wants a clearance of its gate.
 */
export class CallPipeline {
  readonly #logger = new Logger('Sallyport');
  // An entry that is removed takes its handler along, once its last call has ended.
  readonly #handlers = new WeakMap<Entry, Handler>();
  readonly #completers = new WeakMap<Entry, Map<string, Handler>>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #revocable = new Map<McpCall, AbortController>();
  #latest: RevocationView | undefined;
  #isOver = false;

  constructor(
    private readonly gate: Gate,
    private readonly trail: AuditTrail,
    revocations: Revocations,
  ) {
    revocations.onChange((view) => this.#endRevoked(view));
  }

  /** Gives an entry its handler, once. */
  bind(entry: Entry, handler: Handler): void {
    if (this.#handlers.has(entry)) throw new Error(`${entry.kind} "${entry.name}" already has a handler.`);
    this.#handlers.set(entry, handler);
  }

  /** Gives an argument of an entry what completes it, once. */
  bindCompletion(entry: Entry, argument: string, handler: Handler): void {
    const completers = this.#completers.get(entry) ?? new Map<string, Handler>();
    if (completers.has(argument))
      throw new Error(`"${argument}" of ${entry.kind} "${entry.name}" is already completed.`);
    this.#completers.set(entry, completers.set(argument, handler));
  }

  /**
   * Runs one cleared call: the handler, then its outcome, then the answer. The answer does not leave before the outcome
   * is committed; when that fails, it is withheld and the attempt stays ambiguous.
   *
   * @throws Error without a valid clearance; nothing ran then
   */
  async run(call: McpCall, clearance: Clearance, running: Running): Promise<Ran> {
    const attempt = this.gate.spend(clearance, call);
    const revoked = new AbortController();
    this.#revocable.set(call, revoked);
    // A revocation may have come between the decision and here.
    if (this.#latest !== undefined && isRevoked(this.#latest, call)) revoked.abort();
    if (this.#isOver) revoked.abort(SHUTDOWN);
    const signal = AbortSignal.any([running.signal, revoked.signal]);
    const settled = new AbortController();
    const reportProgress = whileRunning(running.reportProgress, AbortSignal.any([signal, settled.signal]));
    const run = this.#runAndRecord(call, attempt, { signal, reportProgress }, revoked.signal).finally(() =>
      settled.abort(),
    );
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
      this.#revocable.delete(call);
    }
  }

  /**
   * Opens what was cleared to be followed: no handler runs, and the outcome is committed when it is ended.
   *
   * @throws Error without a valid clearance
   */
  follow(call: McpCall, clearance: Clearance): Followed {
    const attempt = this.gate.spend(clearance, call);
    const started = performance.now();
    const revoked = new AbortController();
    this.#revocable.set(call, revoked);
    if (this.#latest !== undefined && isRevoked(this.#latest, call)) revoked.abort();
    const end: Followed['end'] = async (status) => {
      if (!this.#revocable.delete(call)) return;
      const took = performance.now() - started;
      await this.#recordOutcome(
        call,
        attempt,
        status,
        took,
        0,
        causeOf(revoked.signal, false) ?? (status === 'aborted' ? 'lapsed' : undefined),
      );
    };
    return { call, revoked: revoked.signal, end };
  }

  /** Closes a clearance whose call turned out not to be run, for example because its envelope was malformed. */
  async discard(call: McpCall, clearance: Clearance): Promise<void> {
    await this.gate.discard(call, clearance);
  }

  /** Resolves when no call is running any more: their outcomes are committed. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  /** Tells every running call to stop; their outcomes are recorded as they end. What still comes does not start. */
  abortAll(): void {
    this.#isOver = true;
    for (const ending of this.#revocable.values()) ending.abort(SHUTDOWN);
  }

  #endRevoked(view: RevocationView): void {
    this.#latest = view;
    for (const [call, revoked] of this.#revocable) {
      if (isRevoked(view, call)) revoked.abort();
    }
  }

  async #runAndRecord(call: McpCall, attempt: string, running: Running, revoked: AbortSignal): Promise<Ran> {
    const started = performance.now();
    const { status, ran: ended } = await this.#runHandler(call, running);
    const ran = endedBy(revoked, call) ?? ended;
    const size = ran.kind === 'result' ? sizeOf(ran.result) : 0;
    const cause = causeOf(revoked, ended.kind === 'withheld');
    const took = performance.now() - started;
    const recorded = await this.#recordOutcome(call, attempt, status, took, size, cause);
    if (!recorded) return unrecorded(call);
    // Revoked while the outcome was committed: still in time to keep the result in. A shutdown keeps in nothing that is
    // recorded.
    return revoked.aborted && revoked.reason !== SHUTDOWN ? { kind: 'revoked' } : ran;
  }

  async #runHandler(call: McpCall, running: Running): Promise<Ended> {
    const { entry } = call;
    const handler = entry === undefined ? undefined : this.#handlerOf(call, entry);
    if (entry === undefined || handler === undefined) return { status: 'not_run', ran: internal(call) };
    if (running.signal.aborted) return { status: 'not_run', ran: { kind: 'withheld' } };
    try {
      const context = { ...running, call, principal: call.principal };
      const returned = await withinCall(call, () => handler(context));
      // A handler that finished although the client is gone did its work; only the answer has nowhere to go.
      if (running.signal.aborted) return { status: 'aborted', ran: { kind: 'withheld' } };
      const result = await resultOf(call, entry, returned);
      return { status: result['isError'] === true ? 'failed' : 'completed', ran: { kind: 'result', result } };
    } catch (error) {
      if (running.signal.aborted) return { status: 'aborted', ran: { kind: 'withheld' } };
      return { status: 'failed', ran: this.#failure(call, entry, error) };
    }
  }

  #handlerOf({ method, completing }: McpCall, entry: Entry): Handler | undefined {
    // A clearance to follow a resource is none to read it.
    if (FOLLOW_METHODS.some((followed) => followed === method)) return undefined;
    if (method !== 'completion/complete') return this.#handlers.get(entry);
    const completer = this.#completers.get(entry)?.get(completing?.argument ?? '');
    return completer ?? (async () => NOTHING_TO_COMPLETE['completion']);
  }

  /** What the caller learns of an error: a sentence the application wrote for callers, or a reference and no more. */
  #failure(call: McpCall, entry: Entry, error: unknown): Ran {
    const forCaller = error instanceof HttpException && error.getStatus() < 500 ? error : undefined;
    if (forCaller === undefined) {
      const stack = stackOf(error);
      const what =
        error instanceof ResultMismatchError ? error.message : `${entry.kind} "${entry.name}" failed.`;
      this.#logger.error(`${what} Call ${call.id}.`, stack);
    }
    const message = forCaller?.message ?? `The ${entry.kind} failed. Reference: ${call.id}.`;
    if (entry.kind === 'tool') return { kind: 'result', result: toolFailure(message) };
    const code = forCaller === undefined ? INTERNAL_ERROR : INVALID_PARAMS;
    return { kind: 'error', code, message, data: { reason: 'failed', reference: call.id } };
  }

  async #recordOutcome(
    call: McpCall,
    attempt: string,
    status: OutcomeStatus,
    durationMs: number,
    resultBytes: number,
    cause?: EndCause,
  ): Promise<boolean> {
    try {
      const event = {
        kind: 'outcome',
        id: uuidV7(),
        at: new Date(),
        attempt,
        call,
        status,
        ...(cause === undefined ? {} : { cause }),
        durationMs,
        resultBytes,
      } as const;
      await this.trail.record(event);
      return true;
    } catch (error) {
      const stack = stackOf(error);
      this.#logger.error(
        `The outcome of call ${call.id} could not be committed; its answer is withheld.`,
        stack,
      );
      return false;
    }
  }
}

function resultOf(call: McpCall, entry: Entry, returned: unknown): Promise<McpResult> | McpResult {
  return call.method === 'completion/complete'
    ? completionResult(entry, returned)
    : toResult(call, entry, returned);
}

/** Why a call was ended from outside, when it was not for a revocation. */
const SHUTDOWN = 'shutdown';

/** `isClientGone`: nobody is there to take a result. */
function causeOf(ending: AbortSignal, isClientGone: boolean): EndCause | undefined {
  if (ending.aborted) return ending.reason === SHUTDOWN ? 'shutdown' : 'revoked';
  return isClientGone ? 'client' : undefined;
}

function endedBy(ending: AbortSignal, call: McpCall): Ran | undefined {
  if (!ending.aborted) return undefined;
  return ending.reason === SHUTDOWN ? shutDown(call) : { kind: 'revoked' };
}

/** It may have done a part of its work: the caller must not take this for "nothing happened". */
function shutDown(call: McpCall): Ran {
  return {
    kind: 'error',
    code: INTERNAL_ERROR,
    message: `The server is shutting down and told the call to stop. Reference: ${call.id}.`,
    data: { reason: 'shutdown', reference: call.id },
  };
}

/** What a handler says after its call has ended, or was ended, does not leave. */
function whileRunning(report: Running['reportProgress'], over: AbortSignal): Running['reportProgress'] {
  return async (progress) => {
    if (!over.aborted) await report(progress);
  };
}

function isRevoked(view: RevocationView, { principal, entry }: McpCall): boolean {
  return (
    (principal !== undefined && view.isRevoked(principal)) ||
    (entry !== undefined && view.isEntryRevoked(entry, principal))
  );
}

/** It ran, and nobody can say so: the caller must not take this for "nothing happened". */
function unrecorded(call: McpCall): Ran {
  return {
    kind: 'error',
    code: INTERNAL_ERROR,
    message: `The call ran, but its outcome could not be recorded, so its result is withheld. Reference: ${call.id}.`,
    data: { reason: 'outcome_unrecorded', reference: call.id },
  };
}

function internal(call: McpCall): Ran {
  const message = `The call could not be run. Reference: ${call.id}.`;
  return {
    kind: 'error',
    code: INTERNAL_ERROR,
    message,
    data: { reason: 'internal_error', reference: call.id },
  };
}
