// Who calls, and how much harm a call can do: the words every other library shares.
export type { Actor, CredentialFacts, Principal, PrincipalKind } from './principal.js';
export { RISKS, annotationsOf, isRisk, type Risk, type RiskAnnotations } from './risk.js';

// The catalog: what can be called, and what it asks of its caller.
export type { Entry, EntryKind, EntryPolicy, Tenancy } from './catalog/entry.js';
export type { Freshness } from './catalog/freshness.js';
export {
  alternativesOf,
  namesIn,
  requirementsText,
  type AnyOf,
  type Requirement,
} from './catalog/requirement.js';
export { toJsonSchema, type JsonSchema } from './catalog/json-schema.js';
export type { StandardIssue, StandardResult, StandardSchemaWithJSON } from './catalog/standard-schema.js';

// A call, and the decision about it.
export {
  ENTRY_METHODS,
  FOLLOW_METHODS,
  LIST_METHODS,
  kindAsked,
  type CallArguments,
  type CallContext,
  type Completing,
  type EntryMethod,
  type FollowMethod,
  type ListCall,
  type ListMethod,
  type McpCall,
  type ServerIdentity,
  type Way,
} from './call/mcp-call.js';
export {
  CHECKS,
  type Check,
  type CheckName,
  type Decision,
  effectOfRefusal,
  type Hold,
  type Permit,
  type RefusalReason,
  type Refuse,
} from './gate/decision.js';

// The ports: identity, policy and audit plug in here.
export type {
  AdministrationAction,
  AdministrationEvent,
  AttemptEvent,
  AuditEvent,
  EndCause,
  FailedAuthenticationEvent,
  ListEvent,
  OutcomeEvent,
  OutcomeStatus,
  RefusalEvent,
} from './gate/audit-event.js';
export {
  AuditTrail,
  Authenticator,
  Authorizer,
  Challenger,
  PolicyUpkeep,
  Revocations,
  RoleDirectory,
  type Authentication,
  type Challenge,
  type ChallengeError,
  type CredentialRequest,
  type RevocationView,
} from './gate/ports.js';

// Canonical JSON (RFC 8785), for digests that must mean the same everywhere.
export { canonicalDigest, canonicalJson } from './canonical-json.js';

// JSON that means one thing only.
export {
  StrictJsonError,
  parseStrictJson,
  type JsonLimits,
  type StrictJsonReason,
} from './arrive/strict-json.js';

// Declaring entries, and what a method may ask for.
export type {
  Access,
  ClassPolicy,
  GuardedAccess,
  PublicAccess,
  Roles,
  Scopes,
  TenancyOption,
  When,
} from './catalog/access.js';
export type { PolicyRule, PolicyRuleClass, RuleAnswer, RuleQuestion } from './catalog/policy-rule.js';
export type { McpPromptOptions, McpResourceOptions, McpToolOptions } from './catalog/entry-options.js';
export { McpPolicy, McpPrompt, McpResource, McpTool } from './catalog/entry.decorators.js';
export {
  EntryRegistry,
  type RegisteredDeclaration,
  type RegisteredHandler,
  type Registration,
} from './catalog/entry-registry.js';
export { McpCompletion, type McpCompletionOptions } from './catalog/completion.decorator.js';
export {
  Args,
  Caller,
  CurrentCall,
  MCP_CONTEXT,
  Signal,
  handlerContextOf,
} from './call/parameters.decorators.js';
export type { HandlerContext, Progress, RunningCall } from './call/running-call.js';
export { currentCall } from './call/call-scope.js';

// Finding entries at boot, and saying what is wrong with them.
export { Catalog, type Found, type Listed } from './catalog/catalog.js';
export type { CatalogScan } from './catalog/scan-catalog.js';
export type { CompletionHost, CompletionScan } from './catalog/scan-completions.js';
export { UnsafeWiringError, type Problem } from './problem.js';

// The gates themselves: what the guard, the interceptor and the umbrella hold on to.
export {
  Clearance,
  Gate,
  type Admission,
  type GateOptions,
  type Identified,
  type RefusedCall,
  type Verdict,
} from './gate/gate.js';
export { readOperation, type Asked, type Message, type Operation } from './call/operation.js';
export { DEFAULT_FAILED_AUTHENTICATIONS } from './gate/failed-authentications.js';
export type { Rate } from './gate/token-buckets.js';
export { RefusalException, type PublicReason, type Refusal } from './gate/refusal.js';
export { CallPipeline, type Ran } from './call/call-pipeline.js';
export { SERVED_METHODS, type ServedMethod } from './call/operation.js';
export { DEFAULT_SESSIONS, type SessionLimits } from './http/session-limits.js';
export { ResourceUpdates } from './subscriptions/resource-updates.js';
export { DEFAULT_SUBSCRIPTIONS, type SubscriptionLimits } from './subscriptions/subscription-limits.js';
export { HttpGateway, type PlatformRequest } from './http/http-gateway.js';
export { StdioServer, type StdioConnection } from './stdio/stdio-server.js';
export { DEFAULT_LIMITS, type ArrivalLimits } from './arrive/limits.js';
export { isLoopback } from './arrive/origin-and-host.js';
export {
  CATALOG_SCAN,
  CatalogModule,
  COMPLETION_FINDER,
  McpModule,
  type CompletionFinder,
  type McpModuleOptions,
} from './mcp.module.js';
export { MCP_OPTIONS, type McpOptions } from './mcp.options.js';

// For endpoints that stand beside the one of MCP: the same protection on arrival, the same answers.
export { arrivalOf, type Arrival, type ArrivalOptions } from './arrive/arrival.js';
export { gatekeepingFor, type Gatekeeping } from './arrive/origin-and-host.js';
export { endpointProblems } from './http/endpoint-path.js';
export { rawRequest } from './http/exchange.js';
export { installArrival } from './http/http-arrival.js';
export { writeResponse, type PlatformResponse } from './http/write-response.js';
export {
  authenticationRequired,
  insufficientScope,
  invalidToken,
  refusalAnswer,
  unavailable,
  type RefusalAnswer,
} from './gate/refusal.js';

// Small things that must be the same everywhere.
export { BoundedMap } from './bounded-map.js';
export { networkOf } from './gate/network.js';
export { frozenJson, frozenObject, isPlainObject, NotJsonError } from './frozen-json.js';
export { uuidV7 } from './uuid.js';

// Changing who may call, over HTTP.
export {
  AdministrationDesk,
  deskAnswer,
  notFound,
  readDeskBody,
  type AdministrationRule,
  type AtTheDesk,
  type Barrier,
  type Lacks,
} from './administration/administration-desk.js';

// Small things that must be the same everywhere.
export { isScopeToken } from './scope-token.js';
export { thisProcess } from './process-principal.js';
export { stackOf } from './stack-of.js';
