import type { RecordOf } from './stage.js';

const NOTHING = {
  entry: null,
  scopesRequired: [],
  decision: null,
  reason: null,
  outcome: null,
  action: null,
  target: null,
} as const;

/** A call that was permitted and ran. */
export function permitted(entry: string, ...scopesRequired: string[]): RecordOf {
  return { ...NOTHING, kind: 'attempt', entry, scopesRequired, decision: 'permit', outcome: 'completed' };
}

/** A call that was permitted, ran, and ended with a tool error. */
export function failed(entry: string, ...scopesRequired: string[]): RecordOf {
  return { ...permitted(entry, ...scopesRequired), outcome: 'failed' };
}

/** A call that ran until it was told to stop: nobody saw a result. */
export function aborted(entry: string, ...scopesRequired: string[]): RecordOf {
  return { ...permitted(entry, ...scopesRequired), outcome: 'aborted' };
}

/** A call that was refused: nothing ran. */
export function refused(entry: string, reason: string, ...scopesRequired: string[]): RecordOf {
  return { ...NOTHING, kind: 'refusal', entry, scopesRequired, decision: 'refuse', reason };
}

/** A call that waits for the approval of a person: nothing ran. */
export function held(entry: string, ...scopesRequired: string[]): RecordOf {
  return { ...refused(entry, 'approval_required', ...scopesRequired), decision: 'hold' };
}

export function listed(): RecordOf {
  return { ...NOTHING, kind: 'list' };
}

/** A credential that is not good: there is no call yet, and nobody to decide on. */
export function unauthenticated(reason: string): RecordOf {
  return { ...NOTHING, kind: 'authentication', reason };
}

/** A change to who may call. */
export function administered(action: string, target: string): RecordOf {
  return { ...NOTHING, kind: 'administration', decision: 'permit', action, target };
}
