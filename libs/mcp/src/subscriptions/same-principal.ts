import { networkOf } from '../gate/network.js';
import type { Principal } from '../principal.js';

/** The same person or client, through the same client, in the same tenant. */
export function isSamePrincipal(a: Principal | undefined, b: Principal | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return principalKey(a) === principalKey(b);
}

/** Issuer, subject, client and tenant: what a stream and a session are bound to. */
export function principalKey({ issuer, subject, client, tenant, kind }: Principal): string {
  return JSON.stringify([issuer, subject, client ?? null, tenant ?? null, kind]);
}

/** Whom bounds count against; without a credential, everybody of a network together. */
export function subscriberKey(principal: Principal | undefined, address: string | undefined): string {
  return principal === undefined ? `network ${networkOf(address)}` : principalKey(principal);
}
