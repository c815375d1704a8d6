import { networkOf } from '../gate/network.js';
import type { Principal } from '../principal.js';
import { principalKey } from '../principal-key.js';

/** The same person or client, through the same client, in the same tenant. */
export function isSamePrincipal(a: Principal | undefined, b: Principal | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return principalKey(a) === principalKey(b);
}

/** Whom bounds count against; without a credential, everybody of a network together. */
export function subscriberKey(principal: Principal | undefined, address: string | undefined): string {
  return principal === undefined ? `network ${networkOf(address)}` : principalKey(principal);
}
