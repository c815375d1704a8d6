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

/** What `within`, `acrossTenants` or work on the schema has said, while that goes on. */
export function peekReach(): Reach | undefined {
  const stay = stays.getStore();
  return stay !== undefined && !stay.over && stay.call === currentCall() ? stay.reach : undefined;
}

/** Does the code run for somebody: for a call that goes on, or for a reach that does? */
export function isReaching(): boolean {
  const stay = stays.getStore();
  const call = currentCall();
  return stay !== undefined && stay.call === call ? !stay.over : call !== undefined;
}

/** The tenant whose rows the code reaches, where there may be none. */
export function peekTenant(): string | undefined {
  if (!isReaching()) return undefined;
  const reach = peekReach();
  if (reach !== undefined) return reach.kind === 'tenant' ? reach.tenant : undefined;
  return currentCall()?.principal?.tenant;
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
      'Rows of a tenant were asked for outside of a call, or after it was answered: await all that belongs to a call. ' +
        'In background work, in a timer, in whatever works off a queue, say whose rows and why: ' +
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
