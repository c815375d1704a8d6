import type { ArrivalLimits } from './arrive/limits.js';
import type { ServerIdentity } from './call/mcp-call.js';
import type { Rate } from './gate/token-buckets.js';
import type { SessionLimits } from './http/session-limits.js';
import type { Problem } from './problem.js';
import type { SubscriptionLimits } from './subscriptions/subscription-limits.js';

/** What the MCP side must be told. Built by the umbrella from its own options. */
export interface McpOptions {
  readonly server: ServerIdentity;
  /** Shown to clients at the handshake: how to use this server. */
  readonly instructions?: string;
  /** Path of the HTTP endpoint, compared exactly. */
  readonly path: string;
  readonly limits: ArrivalLimits;
  /** Host names to answer to beside the resource's own. */
  readonly allowedHosts: readonly string[];
  /** Browser origins to answer to beside the resource's own. */
  readonly allowedOrigins: readonly string[];
  /** May a caller without a credential connect, when there are public entries? */
  readonly anonymous: 'public-entries' | 'refuse';
  /** The scopes a first sign-in should ask for; named in every 401. */
  readonly signInScopes: readonly string[];
  /** How often the callers of one address may fail to authenticate, until they are answered 429. */
  readonly failedAuthentications: Rate;
  /** Whatever else is wrong with the wiring: reported together with the problems of the catalog, and as fatal. */
  readonly problems: readonly Problem[];
  /** What is wrong that shows only once every provider is constructed; as fatal. */
  readonly lateProblems?: () => readonly Problem[];
  /** How long the directory of roles may take, in milliseconds. */
  readonly decisionTimeoutMs?: number;
  /** Bounds on the streams of `subscriptions/listen`; `undefined`: it is not served. */
  readonly subscriptions?: SubscriptionLimits;
  /** Bounds on sessions of 2025 clients; `undefined`: they are served without. */
  readonly sessions?: SessionLimits;
  /** Seconds that a shutdown waits for running calls, before it tells them to stop. */
  readonly drainSeconds: number;
}

/** Injection token of {@link McpOptions}. */
export const MCP_OPTIONS = Symbol.for('sallyport:mcp-options');
