import type { AuditEvent, Principal } from '@sallyport/mcp';

import { onceForFrozen } from './once-for-frozen.js';

/**
 * Somebody whom a record may name, within a tenant. Without a subject: whoever calls without a credential. Without an
 * issuer: somebody who is only spoken of, such as the user in `sallyport revoke user priya`.
 */
export interface Person {
  readonly tenant?: string | undefined;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
}

export const NOBODY: Person = Object.freeze({});

/** One text for each person, and another for any other. Well formed, whatever is in it (`JSON.stringify` escapes). */
export const personText = onceForFrozen(({ tenant, issuer, subject }: Person): string =>
  JSON.stringify([tenant ?? null, issuer ?? null, subject ?? null]),
);

export function personOf(principal: Principal | undefined): Person {
  return principal === undefined ? NOBODY : personOfPrincipal(principal);
}

const personOfPrincipal = onceForFrozen(({ tenant, issuer, subject }: Principal): Person =>
  Object.freeze({ tenant, issuer, subject }),
);

const LONGEST_ACTOR_CHAIN = 8;

/** Who acts for this principal, nearest first, and so many at most: each is a person of their own. */
export function actorsOf(principal: Principal): { issuer?: string; person: Person }[] {
  return principal.actors.slice(0, LONGEST_ACTOR_CHAIN).map(({ issuer, subject }) => ({
    ...(issuer === undefined ? {} : { issuer }),
    person: { tenant: principal.tenant, issuer, subject },
  }));
}

/** Who did what the event tells of; `undefined`: nobody has signed in. */
export function principalOf(event: AuditEvent): Principal | undefined {
  if (event.kind === 'administration') return event.actor;
  return event.kind === 'authentication' ? event.principal : event.call.principal;
}

/**
 * Under how many names one person is known: with and without their tenant, with and without their issuer. What speaks of
 * them vaguely goes with them.
 */
export function namesOf({ tenant, issuer, subject }: Person): Person[] {
  const names = [tenant, undefined].flatMap((tenant) =>
    [issuer, undefined].map((issuer): Person => ({ tenant, issuer, subject })),
  );
  return [...new Map(names.map((name) => [personText(name), name])).values()];
}
