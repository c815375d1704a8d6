import { AsyncLocalStorage } from 'node:async_hooks';
import { currentCall } from '@sallyport/mcp';

import { TenancyError } from './tenancy.errors.js';

/** Whose rows the running code reaches. */
export type Reach =
  | { readonly kind: 'tenant'; readonly tenant: string }
  /** Rows of every tenant: `acrossTenants`. */
  | { readonly kind: 'everyone' }
  /** Migrations and other work on the schema. */
  | { readonly kind: 'schema' };

interface Stay {
  readonly reach: Reach;
  /** The call it was begun in. Another call that runs within it is bound by its own principal, not by this. */
  readonly call: ReturnType<typeof currentCall>;
  over: boolean;
}

const stays = new AsyncLocalStorage<Stay>();

/**
 * Whose rows the running code reaches: those of the caller's tenant, or what `within` and `acrossTenants` have said.
 *
 * @throws TenancyError `no_call`, `no_tenant`, `reach_over`
 */
export function currentReach(): Reach {
  const stay = stays.getStore();
  const call = currentCall();
  if (stay === undefined || stay.call !== call) return reachOf(call);
  if (stay.over)
    throw new TenancyError(
      'reach_over',
      'Rows were asked for after the work that reached for them had ended: await everything within it.',
    );
  return stay.reach;
}

/** The same where there may be none. */
export function peekReach(): Reach | undefined {
  const stay = stays.getStore();
  return stay !== undefined && stay.call === currentCall() ? stay.reach : undefined;
}

/** Runs `work`, and what it awaits, with another reach. Not exported from the package. */
export async function withReach<T>(reach: Reach, work: () => Promise<T>): Promise<T> {
  const stay: Stay = { reach, call: currentCall(), over: false };
  try {
    return await stays.run(stay, work);
  } finally {
    stay.over = true;
  }
}

function reachOf(call: ReturnType<typeof currentCall>): Reach {
  if (call === undefined)
    throw new TenancyError(
      'no_call',
      'Rows of a tenant were asked for outside of a call. In background work, say whose and why: ' +
        "tenancy.within('acme', { reason: '…' }, work) or tenancy.acrossTenants({ reason: '…' }, work).",
    );
  const tenant = call.principal?.tenant;
  if (tenant === undefined || tenant === '')
    throw new TenancyError(
      'no_tenant',
      'Rows of a tenant were asked for by a caller that belongs to none: give this entry a policy with tenancy.',
    );
  return { kind: 'tenant', tenant };
}
