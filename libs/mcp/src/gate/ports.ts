import type { McpCall, Way } from '../call/mcp-call.js';
import type { Entry } from '../catalog/entry.js';
import type { Freshness } from '../catalog/freshness.js';
import type { Principal } from '../principal.js';
import type { Problem } from '../problem.js';
import type { AuditEvent } from './audit-event.js';
import type { Decision } from './decision.js';

/**
 * The ports at which the libraries meet. They are abstract classes so that one name is both the type and the Nest
 * injection token. `mcp` calls them; `identity`, `policy` and `audit` implement them; `sallyport` binds them.
 */

/** Decides. Implemented by `@sallyport/policy`. */
export abstract class Authorizer {
  /** May this call run? Throwing counts as a refusal. */
  abstract authorize(call: McpCall): Decision | Promise<Decision>;
  /** May this principal know of this entry? Must agree with {@link authorize}. */
  abstract isVisible(entry: Entry, principal: Principal | undefined): boolean | Promise<boolean>;
}

/**
 * Says which roles a principal holds, where the organization keeps them in a database: then that wins over the credential.
 * Implemented by the application; asked once for each operation of a caller that is not revoked, and never for a caller
 * without a credential. Rejecting, taking too long, and anything but a list of names refuse the operation with 503.
 *
 * @example
 * ```ts
 * @Injectable()
 * class StaffRoles extends RoleDirectory {
 *   constructor(@InjectRepository(Member) private readonly members: Repository<Member>) { super(); }
 *
 *   async rolesOf({ issuer, subject, tenant }: Principal) {
 *     const found = await this.members.findBy({ issuer, subject, tenant });
 *     return found.map(({ role }) => role);
 *   }
 * }
 * ```
 */
export abstract class RoleDirectory {
  abstract rolesOf(principal: Principal): Promise<readonly string[]>;
}

/** Keeps the policy in step with entries that come and go while the server runs. Bound by `sallyport`. */
export abstract class PolicyUpkeep {
  /** What would be wrong with a catalog of these entries; with nothing, {@link adopt} may be called. */
  abstract problemsOf(entries: readonly Entry[]): readonly Problem[];
  /** The catalog is about to hold these: decides on them from now on. */
  abstract adopt(entries: readonly Entry[]): void;
}

/** Records. Implemented by `@sallyport/audit`. */
export abstract class AuditTrail {
  /** Resolves once the event is durable; rejects when it could not be made so, and then the caller must refuse. */
  abstract record(event: AuditEvent): Promise<void>;
}

/** What has been revoked, as known at one moment. Answers from memory. */
export interface RevocationView {
  /** Its token or key, its user, its client or its tenant. */
  isRevoked(principal: Principal): boolean;
  /** For this caller: an entry may be revoked for one tenant alone. */
  isEntryRevoked(entry: Entry, principal: Principal | undefined): boolean;
}

/** Knows what has been revoked. Implemented by `@sallyport/policy`. */
export abstract class Revocations {
  /**
   * Everything that was revoked before this was called, by whichever process; rejects when that cannot be found out,
   * and then the caller must refuse.
   */
  abstract current(): Promise<RevocationView>;
  /** Tells of each change, so that running calls end. Returns the way to stop listening. */
  abstract onChange(listener: (view: RevocationView) => void): () => void;
}

/** What an authentication may look at: headers as node gives them (lower-case names), nothing of the body. */
export interface CredentialRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly via: Way;
  readonly address?: string;
}

export type Authentication =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'principal'; readonly principal: Principal }
  /** A credential came and is not good. `reason` is a stable code, `source` the identity source that judged it. */
  | { readonly kind: 'failed'; readonly reason: string; readonly source?: string }
  /** It could not be judged now (key set unreachable and no good copy left). */
  | { readonly kind: 'unavailable'; readonly source: string };

/** Turns a credential into a principal. Implemented by `@sallyport/identity`. */
export abstract class Authenticator {
  abstract authenticate(request: CredentialRequest): Promise<Authentication>;
  /**
   * Is there nothing to guess at: no credential, or the very one that was good before? At once, without work; asked of a
   * caller from whose address too many credentials failed. What is not recognized is still judged, but waits its turn.
   */
  recognizes(_request: CredentialRequest): boolean {
    return false;
  }
}

/** What a client needs to know to obtain a (better) token. */
export interface Challenge {
  /** Value of `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1). */
  readonly header: string;
  /** URL of the protected resource metadata. */
  readonly resourceMetadata: string;
}

export type ChallengeError = 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication';

/** Writes challenges. Implemented by `@sallyport/identity`. */
export abstract class Challenger {
  /**
   * `error` is absent when no credential came (RFC 6750 §3.1). `freshness` comes with
   * `insufficient_user_authentication` (RFC 9470 §3).
   */
  abstract challenge(scopes: readonly string[], error?: ChallengeError, freshness?: Freshness): Challenge;
}
