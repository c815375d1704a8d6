import type { StoreOptions } from '@sallyport/store';
import type { Grants } from './api-keys/key-grants.js';
import type { TokenCacheOptions } from './good-credentials.js';
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
  /** Where the sources that have tables keep them. Default: the application's database, over connections of our own. */
  readonly storage?: StoreOptions | undefined;
  /** What includes what, when it is asked whether an API key would reach further than its issuer. Default: nothing. */
  readonly grants?: Grants | undefined;
  /** How long a token that was verified is not verified again. Default: 60 seconds, 10,000 tokens. */
  readonly tokenCache?: TokenCacheOptions | undefined;
  /** Milliseconds since the epoch. Default `Date.now`; for tests. */
  readonly clock?: (() => number) | undefined;
}
