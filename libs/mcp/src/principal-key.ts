import type { Principal } from './principal.js';

/** Issuer, subject, client, tenant and kind: what a stream and a session are bound to, and by what callers are told apart. */
export function principalKey({ issuer, subject, client, tenant, kind }: Principal): string {
  return JSON.stringify([issuer, subject, client ?? null, tenant ?? null, kind]);
}
