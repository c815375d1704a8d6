import type { Entry, Principal, RevocationView } from '@sallyport/mcp';

/** What can be revoked. A token by its `jti`, a key by its id, an entry by its name. */
export const REVOCABLE = ['token', 'key', 'user', 'client', 'tenant', 'entry'] as const;
export type Revocable = (typeof REVOCABLE)[number];

/** What a revocation is about. */
export interface RevocationTarget {
  readonly kind: Revocable;
  /** The `jti` or digest of a token, the id of a key, a subject, a client id, a tenant, the name of an entry. */
  readonly value: string;
  /** Narrows a token or user to one issuer. Absent: of whichever issuer. */
  readonly issuer?: string | undefined;
  /** Narrows it to callers of one tenant, which is as far as an administrator of that tenant reaches. Absent: of any. */
  readonly tenant?: string | undefined;
}

export function isRevocable(value: unknown): value is Revocable {
  return REVOCABLE.some((known) => known === value);
}

/** One key per target: what is revoked is restored by naming the very same. */
export function targetKey({ kind, value, issuer, tenant }: RevocationTarget): string {
  return JSON.stringify([kind, value, issuer ?? null, tenant ?? null]);
}

/**
 * The revocations in force, for look-ups. A credential is known by its id (the `jti`, or a digest over header and
 * payload), never by its spelling, so no other spelling of the same token gets around it.
 */
export function revocationView(targets: Iterable<RevocationTarget>): RevocationView {
  const keys = new Set([...targets].map(targetKey));
  const has = (kind: Revocable, value: string | undefined, tenant?: string, issuer?: string) =>
    value !== undefined &&
    [undefined, issuer].some((i) =>
      [undefined, tenant].some((t) => keys.has(targetKey({ kind, value, issuer: i, tenant: t }))),
    );
  return {
    isRevoked: ({ kind, issuer, subject, client, tenant, actors, credential }: Principal) =>
      has('user', subject, tenant, issuer) ||
      has('tenant', tenant, tenant) ||
      has('client', client, tenant) ||
      actors.some(
        // An actor without an issuer is one of the token's own (RFC 8693 §4.1), and may be a client.
        (actor) =>
          has('user', actor.subject, tenant, actor.issuer ?? issuer) || has('client', actor.subject, tenant),
      ) ||
      has(kind === 'api-key' ? 'key' : 'token', credential.id, tenant, issuer),
    isEntryRevoked: (entry: Entry, principal: Principal | undefined) =>
      has('entry', entry.name, principal?.tenant),
  };
}
