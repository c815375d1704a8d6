import type { IdentitySource } from './identity.source.js';

/** Injection token of the {@link IdentityOptions}. */
export const IDENTITY_OPTIONS = Symbol.for('sallyport.identity.options');

export interface IdentityOptions {
  /** Who may call, in order. At least one. */
  readonly sources: readonly IdentitySource[];
  /**
   * Canonical URI of the MCP endpoint as clients know it (RFC 8707): the audience of every token. Used exactly as
   * written here; no trailing slash is added.
   */
  readonly resource: string;
  /** Shown to people as `resource_name`. */
  readonly serverName: string;
  /** The minimal scopes a client should begin with, not the whole catalogue. Absent by default. */
  readonly scopesSupported?: readonly string[] | undefined;
  /** Path under which this process serves the endpoint, when a proxy rewrites it. Default: the path of `resource`. */
  readonly path?: string | undefined;
  /** Milliseconds since the epoch. Default `Date.now`; for tests. */
  readonly clock?: (() => number) | undefined;
}
