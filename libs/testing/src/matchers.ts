import { explanationText, type Explanation, type RefusalReason } from 'sallyport';
import type { CallOutcome } from './call-outcome.js';

/** Why a call was refused, in the words of tests. It is the reason of the record: the caller may be told less. */
export type RefusedFor =
  | 'scope'
  | 'role'
  | 'tenant'
  | 'rule'
  | 'freshness'
  | 'authentication'
  | 'unknown'
  | 'arguments'
  | 'revoked'
  | 'unavailable';

const CAUSES: Readonly<Record<RefusedFor, (explanation: Explanation) => boolean>> = {
  scope: because('insufficient_scope'),
  role: because('role'),
  tenant: because('tenant'),
  rule: because('rule'),
  freshness: because('insufficient_user_authentication'),
  authentication: because('authentication_required'),
  unknown: because('unknown_entry'),
  arguments: because('invalid_arguments'),
  revoked: because('revoked'),
  // A store or directory that does not answer is told as it is, whichever it was.
  unavailable: ({ told }) => told?.reason === 'unavailable',
};

function because(reason: RefusalReason): (explanation: Explanation) => boolean {
  return (explanation) => explanation.reason === reason;
}

/** What `expect(await as(…).call(…))` can be asked. */
export interface SallyportMatchers<R> {
  /** The gate permitted it. What the handler then did is in `result` and `error`. */
  toBePermitted(): R;
  /** The gate refused it, and for exactly this. */
  toBeRefusedFor(cause: RefusedFor): R;
  /** It waits for the approval of a person. */
  toBeHeld(): R;
}

declare global {
  // Where there is no Jest, this declares a namespace that nobody uses.
  namespace jest {
    // Jest's own interface has both parameters, and these must be the same.
    // oxlint-disable-next-line no-unused-vars, typescript/no-empty-object-type
    interface Matchers<R, T> extends SallyportMatchers<R> {}
  }
}

/** As much of what Jest expects of a matcher as is needed. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * Matchers for Jest, and for whatever has its `expect.extend`; what fails prints every check.
 *
 * @example expect.extend(sallyportMatchers);
 */
export const sallyportMatchers = {
  toBePermitted: (received: unknown): MatcherResult =>
    judged(received, 'be permitted', ({ effect }) => effect === 'permit'),
  toBeRefusedFor: (received: unknown, cause: RefusedFor): MatcherResult => {
    const isCause = causeNamed(cause);
    return judged(
      received,
      `be refused for ${cause}`,
      (explanation) => explanation.effect === 'refuse' && isCause(explanation),
    );
  },
  toBeHeld: (received: unknown): MatcherResult =>
    judged(received, 'be held for the approval of a person', ({ effect }) => effect === 'hold'),
};

function causeNamed(cause: RefusedFor): (explanation: Explanation) => boolean {
  if (Object.hasOwn(CAUSES, cause)) return CAUSES[cause];
  throw new TypeError(
    `toBeRefusedFor('${cause}') can never be: write one of ${Object.keys(CAUSES).join(', ')}.`,
  );
}

function judged(
  received: unknown,
  what: string,
  passes: (explanation: Explanation) => boolean,
): MatcherResult {
  const explanation = explanationIn(received);
  const pass = passes(explanation);
  const message = () =>
    `Expected the call ${pass ? 'not ' : ''}to ${what}. It was decided like this:\n\n${explanationText(explanation)}`;
  return { pass, message };
}

function explanationIn(received: unknown): Explanation {
  if (isOutcome(received)) return received.explanation;
  if (isExplanation(received)) return received;
  throw new TypeError(
    "This is no outcome of a call: write expect(await as({ … }).call('…')), with await inside of expect().",
  );
}

function isOutcome(value: unknown): value is CallOutcome {
  return (
    typeof value === 'object' && value !== null && 'explanation' in value && isExplanation(value.explanation)
  );
}

function isExplanation(value: unknown): value is Explanation {
  return (
    typeof value === 'object' && value !== null && 'effect' in value && 'checks' in value && 'helps' in value
  );
}
