/** How a user must have signed in (RFC 9470). */
export interface Freshness {
  /** Seconds since the user last signed in, at most (`auth_time`). */
  readonly maxAge?: number;
  /** Authentication context classes of which one must have been met (`acr`), the preferred first. */
  readonly acr?: readonly string[];
}
