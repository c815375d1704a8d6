import type { Check, Explanation, InProcessOutcome, RefusalAnswer, RefusalReason } from 'sallyport';

/** What became of one call. */
export interface CallOutcome {
  readonly effect: Explanation['effect'];
  /** Why it was not run, as the audit records it; the caller may be told less. `undefined` when it ran. */
  readonly reason: RefusalReason | undefined;
  /** Every check with its sentence, as the audit records them. */
  readonly checks: readonly Check[];
  /** The same with what the caller is told and what would help. */
  readonly explanation: Explanation;
  /** What the caller was refused with: HTTP status and headers, and the JSON-RPC error. */
  readonly refusal: RefusalAnswer | undefined;
  /** The MCP result, such as `{ content, structuredContent, isError }`; `undefined` when there is none. */
  readonly result: Readonly<Record<string, unknown>> | undefined;
  /** The JSON-RPC error with which a resource or prompt failed, once it was permitted. */
  readonly error: { readonly code: number; readonly message: string } | undefined;
}

/** A list was refused as a whole: its caller has to sign in first, for one. */
export class ListRefused extends Error {
  override readonly name = 'ListRefused';

  constructor(readonly refusal: RefusalAnswer) {
    super(`The list was refused with HTTP ${refusal.status}: ${refusal.error.message}`);
  }
}

export function outcomeOf({ explanation, refusal, ran }: InProcessOutcome): CallOutcome {
  const { effect, reason, checks } = explanation;
  return {
    effect,
    reason,
    checks,
    explanation,
    refusal,
    result: ran?.kind === 'result' ? ran.result : undefined,
    error: ran?.kind === 'error' ? { code: ran.code, message: ran.message } : undefined,
  };
}
