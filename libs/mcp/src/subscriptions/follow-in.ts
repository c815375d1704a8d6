import type { CallPipeline } from '../call/call-pipeline.js';
import type { Admission } from '../gate/gate.js';
import { internalError, type Refusal } from '../gate/refusal.js';
import type { Subscription } from './subscription.js';
import { tooManySubscriptions } from './too-many-subscriptions.js';

/** Resources that one session or connection may follow. */
const MOST_FOLLOWED = 100;

/** Follows what was cleared, over the stream of a session or a connection; gives what refuses it. */
export async function followIn(
  subscription: Subscription,
  admission: Admission | undefined,
  pipeline: CallPipeline,
): Promise<Refusal | undefined> {
  if (admission?.kind === 'refused') return admission.refusal;
  if (admission?.kind !== 'cleared') return internalError();
  const { call, clearance } = admission;
  if (subscription.isOpen && subscription.following < MOST_FOLLOWED) {
    await subscription.follow(pipeline.follow(call, clearance));
    return undefined;
  }
  await pipeline.discard(call, clearance);
  return tooManySubscriptions();
}

/** The URI that an `unsubscribe` names. */
export function uriIn(params: unknown): string | undefined {
  const uri = typeof params === 'object' && params !== null && 'uri' in params ? params.uri : undefined;
  return typeof uri === 'string' ? uri : undefined;
}
