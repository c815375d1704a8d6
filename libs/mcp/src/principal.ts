/** What the credential of a call belonged to. */
export type PrincipalKind = 'user' | 'client' | 'api-key' | 'process';

/** What is remembered of the credential itself. Never the secret, never the token. */
export interface CredentialFacts {
  /** `jwt`, `api-key`, `process`, or the name a custom strategy gives it. */
  readonly kind: string;
  /** A stable id such as the `jti` of a token; revocation and replay are keyed on it. */
  readonly id?: string;
  /** Seconds since the epoch. */
  readonly issuedAt?: number;
  /** Seconds since the epoch. */
  readonly expiresAt?: number;
  /** When the user signed in (`auth_time`, OpenID Connect Core §2), in seconds since the epoch. */
  readonly authenticatedAt?: number;
  /** How the user signed in (`acr`, OpenID Connect Core §2). */
  readonly acr?: string;
}

/** One link of an RFC 8693 `act` chain, nearest actor first. */
export interface Actor {
  readonly issuer?: string;
  readonly subject: string;
}

/**
 * Who calls. Built from the credential alone and deeply frozen; two principals are the same when `issuer` and
 * `subject` both are.
 */
export interface Principal {
  readonly kind: PrincipalKind;
  /** The authority that vouches for the subject: an issuer URL, or a name such as `process`. */
  readonly issuer: string;
  readonly subject: string;
  /** The OAuth client (the agent) that presented the credential. */
  readonly client?: string;
  readonly actors: readonly Actor[];
  /** The workspace. Absent means: this principal belongs to none. */
  readonly tenant?: string;
  /** What the user consented to. */
  readonly scopes: readonly string[];
  /** What the organization allows. */
  readonly roles: readonly string[];
  readonly credential: CredentialFacts;
  /** The verified claims, for handlers that need more. Never consulted by a decision. */
  readonly claims: Readonly<Record<string, unknown>>;
}
