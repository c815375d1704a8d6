// Who calls, and how much harm a call can do: the words every other library shares.
export type { Actor, CredentialFacts, Principal, PrincipalKind } from './principal.js';
export { RISKS, annotationsOf, isRisk, type Risk, type RiskAnnotations } from './risk.js';

// The catalog: what can be called, and what it asks of its caller.
export type { Entry, EntryKind, EntryPolicy } from './catalog/entry.js';
export type { StandardIssue, StandardResult, StandardSchemaWithJSON } from './catalog/standard-schema.js';

// A call, and the decision about it.
export {
  ENTRY_METHODS,
  LIST_METHODS,
  type CallArguments,
  type CallContext,
  type EntryMethod,
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
  type Hold,
  type Permit,
  type RefusalReason,
  type Refuse,
} from './gate/decision.js';

// The ports: identity, policy and audit plug in here.
export type {
  AttemptEvent,
  AuditEvent,
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
  type Authentication,
  type Challenge,
  type ChallengeError,
  type CredentialRequest,
} from './gate/ports.js';

// Canonical JSON (RFC 8785), for digests that must mean the same everywhere.
export { canonicalDigest, canonicalJson } from './canonical-json.js';

// JSON that means one thing only.
export { StrictJsonError, parseStrictJson, type JsonLimits, type StrictJsonReason } from './arrive/strict-json.js';

// Declaring entries, and what a method may ask for.
export type { Access, GuardedAccess, PublicAccess, Roles, Scopes } from './catalog/access.js';
export type { McpPromptOptions, McpResourceOptions, McpToolOptions } from './catalog/entry-options.js';
export { McpPrompt, McpResource, McpTool } from './catalog/entry.decorators.js';
export {
  Args,
  Caller,
  CurrentCall,
  MCP_CONTEXT,
  Signal,
  handlerContextOf,
} from './call/parameters.decorators.js';
export type { HandlerContext, Progress, RunningCall } from './call/running-call.js';
