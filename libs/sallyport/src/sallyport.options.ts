import type { AuditReading } from './administration/audit-reading.js';
import type { RevocationManagement } from './administration/revocation-management.js';
import type { AuditOptions } from '@sallyport/audit';
import type { IdentitySource, TokenCacheOptions } from '@sallyport/identity';
import type { Type } from '@nestjs/common';
import type { ArrivalLimits, Rate, RoleDirectory, SessionLimits, SubscriptionLimits } from '@sallyport/mcp';
import type { Inclusions, PolicyOptions, RevocationOptions } from '@sallyport/policy';
import type { StoreOptions } from '@sallyport/store';
import type { PolicyLockOptions } from './policy-lock.js';
import type { TenancyOptions } from '@sallyport/tenancy';

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
  /**
   * A provider that says which roles a principal holds, where that is kept in a database: then it wins over the credential,
   * for decisions, lists, handlers and records. Default: the credential says it.
   */
  readonly roleDirectory?: Type<RoleDirectory>;
  /** How long a rule (`when`) or the role directory may take, in milliseconds. Default: 2000. Later is a refusal. */
  readonly decisionTimeoutMs?: number;
  /** `consentable` (default) lists an entry that only lacks scopes; `granted` hides it. */
  readonly listing?: PolicyOptions['listing'];
  /**
   * `public-entries` (default): a caller without a credential may connect when there are public entries, and sees those
   * alone. `refuse`: everybody is asked to sign in first.
   */
  readonly anonymous?: PolicyOptions['anonymous'];
  /** The scopes a first sign-in should ask for: `scope` of every 401, `scopes_supported` of the metadata. Default: none. */
  readonly signInScopes?: readonly string[];
  /** How long a token that was verified is not verified again. Default: 60 seconds, 10,000 tokens. */
  readonly tokenCache?: TokenCacheOptions;
  /**
   * How often the callers of one address may fail to authenticate before they are answered 429; what was good before
   * passes. Default: 30 a minute, and 30 at once.
   */
  readonly failedAuthentications?: Partial<Rate>;
  /**
   * The surface that was reviewed: the server does not start when its entries, policies, schemas or descriptions differ from
   * it. Default: nothing is compared.
   */
  readonly lock?: PolicyLockOptions;
  /** How to use this server, for models; sent at the handshake. */
  readonly instructions?: string;
  /** Bounds on a message. Default: 1 MiB, 64 levels, 50,000 elements. */
  readonly limits?: Partial<ArrivalLimits>;
  /** Host names to answer to beside that of `resource`. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Browser origins to answer to beside that of `resource`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /**
   * Where records go, and how long a call waits for them (default: the application's own database), and who reads them over
   * HTTP (default: nobody; the `sallyport` command does).
   */
  readonly audit?: AuditOptions & { readonly read?: AuditReading };
  /**
   * Where revocations are kept (default: the application's own database), and who manages them over HTTP (default:
   * nobody; the `sallyport` command does).
   */
  readonly revocations?: RevocationOptions & { readonly manage?: RevocationManagement };
  /** Where API keys are kept. Default: the application's own database. */
  readonly identityStore?: StoreOptions;
  /**
   * How the rows of entities marked `@TenantOwned()` are kept apart: other `DataSource`s than the default one, and on
   * PostgreSQL the role of `acrossTenants`. Default: those of the default `DataSource` are scoped.
   */
  readonly tenancy?: TenancyOptions;
  /**
   * Bounds on the streams over which clients are told of changes (`subscriptions/listen`). Default: 8 a principal, 1,000
   * in all, an hour each. `false`: they are not served.
   */
  readonly subscriptions?: false | Partial<SubscriptionLimits>;
  /**
   * Serves sessions to 2025 clients, bound to their principal: a stream from server to client and its notifications.
   * `{}`: 4 a principal, 1,000 in all, half an hour idle. Default: none, each request stands for itself.
   */
  readonly sessions?: Partial<SessionLimits>;
  /**
   * Seconds a shutdown waits for running calls. Then they are told to stop, and within another second to be recorded and
   * answered; who still waits after that is cut off. Default: 10.
   */
  readonly drainSeconds?: number;
}

/** Injection token of the checked {@link SallyportOptions}. */
export const SALLYPORT_OPTIONS = Symbol.for('sallyport:options');
