import type { RevocationManagement } from './administration/revocation-management.js';
import type { AuditOptions } from '@sallyport/audit';
import type { IdentitySource, TokenCacheOptions } from '@sallyport/identity';
import type { ArrivalLimits, Rate } from '@sallyport/mcp';
import type { Inclusions, PolicyOptions, RevocationOptions } from '@sallyport/policy';
import type { StoreOptions } from '@sallyport/store';

/** Everything an application says about its server. */
export interface SallyportOptions {
  /** Shown to clients, and recorded with every call. */
  readonly server: { readonly name: string; readonly version: string };
  /**
   * The protected resource (RFC 8707): the URL clients use for this endpoint, and the audience every token must name.
   * `https`, or `http` on loopback.
   */
  readonly resource: string;
  /** Who may call: `oidc({ issuer })`, or any Passport strategy through `passportIdentity(…)`. */
  readonly identity: readonly IdentitySource[];
  /** Role → the roles it inherits. Every role an entry asks for must stand here. Default: none. */
  readonly roles?: Inclusions;
  /** Scope → the scopes it includes. Default: none includes another. */
  readonly scopes?: Inclusions;
  /** `consentable` (default) lists an entry that only lacks scopes; `granted` hides it. */
  readonly listing?: PolicyOptions['listing'];
  /**
   * `public-entries` (default): a caller without a credential may connect when there are public entries, and sees those
   * alone. `refuse`: everybody is asked to sign in first.
   */
  readonly anonymous?: 'public-entries' | 'refuse';
  /** The scopes a first sign-in should ask for: `scope` of every 401, `scopes_supported` of the metadata. Default: none. */
  readonly signInScopes?: readonly string[];
  /** How long a token that was verified is not verified again. Default: 60 seconds, 10,000 tokens. */
  readonly tokenCache?: TokenCacheOptions;
  /**
   * How often the callers of one address may fail to authenticate before they are answered 429; what was good before
   * passes. Default: 30 a minute, and 30 at once.
   */
  readonly failedAuthentications?: Partial<Rate>;
  /** How to use this server, for models; sent at the handshake. */
  readonly instructions?: string;
  /** Bounds on a message. Default: 1 MiB, 64 levels, 50,000 elements. */
  readonly limits?: Partial<ArrivalLimits>;
  /** Host names to answer to beside that of `resource`. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Browser origins to answer to beside that of `resource`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Where records go, and how long a call waits for them. Default: the application's own database. */
  readonly audit?: AuditOptions;
  /**
   * Where revocations are kept (default: the application's own database), and who manages them over HTTP (default:
   * nobody; the `sallyport` command does).
   */
  readonly revocations?: RevocationOptions & { readonly manage?: RevocationManagement };
  /** Where API keys are kept. Default: the application's own database. */
  readonly identityStore?: StoreOptions;
  /** Seconds a shutdown waits for running calls. Default: 10. */
  readonly drainSeconds?: number;
}

/** Injection token of the checked {@link SallyportOptions}. */
export const SALLYPORT_OPTIONS = Symbol.for('sallyport:options');
