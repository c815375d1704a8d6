// Wiring a server.
export { SallyportModule, type SallyportAsyncOptions } from './sallyport.module.js';
export { SALLYPORT_OPTIONS, type SallyportOptions } from './sallyport.options.js';
export { TOKEN_VARIABLE, serveStdio } from './serve-stdio.js';

// Declaring entries, and what a method may ask for.
export {
  Args,
  Caller,
  CurrentCall,
  EntryRegistry,
  MCP_CONTEXT,
  McpCompletion,
  McpPolicy,
  McpPrompt,
  McpResource,
  McpTool,
  ResourceUpdates,
  Signal,
  RoleDirectory,
  UnsafeWiringError,
  currentCall,
  handlerContextOf,
  type Access,
  type Authentication,
  type ClassPolicy,
  type CredentialRequest,
  type HandlerContext,
  type ListCall,
  type McpCall,
  type McpCompletionOptions,
  type McpPromptOptions,
  type McpResourceOptions,
  type McpToolOptions,
  type PolicyRule,
  type Principal,
  type Problem,
  type Progress,
  type RegisteredDeclaration,
  type RegisteredHandler,
  type Registration,
  type Risk,
  type RuleAnswer,
  type RuleQuestion,
  type RunningCall,
} from '@sallyport/mcp';

// Saying who may call.
export {
  IdentityAuthenticator,
  apiKeys,
  auth0,
  clerk,
  cognito,
  entra,
  google,
  keycloak,
  oidc,
  okta,
  introspection,
  passportIdentity,
  processPrincipal,
  supabase,
  workos,
  type ApiKeyManagement,
  type ApiKeysOptions,
  type EntraOptions,
  type GoogleOptions,
  type IdentitySource,
  type IntrospectionOptions,
  type KeycloakOptions,
  type OidcOptions,
  type PassportIdentityOptions,
  type PassportStrategy,
  type Pepper,
  type PresetOptions,
  type PrincipalDraft,
  type TokenCacheOptions,
  type ProcessPrincipalOptions,
  type ServiceAccountGrant,
  type UnboundPresetOptions,
  type WorkosOptions,
} from '@sallyport/identity';

// Reading the record.
export { AuditReader, type AuditCall, type AuditFilter, type AuditOptions } from '@sallyport/audit';
export type { AuditReading } from './administration/audit-reading.js';

// Shipping the record elsewhere.
export {
  AuditFollowers,
  fileSink,
  httpSink,
  SinkError,
  type AuditSink,
  type ExportFormat,
  type FileSinkOptions,
  type FollowerStatus,
  type HttpSinkOptions,
  type SinkBatch,
} from '@sallyport/audit';

// Signing the record, and keeping what was signed elsewhere.
export {
  AuditLog,
  checkpointDatabase,
  checkpointFile,
  checkpointUrl,
  checkProof,
  tileDirectory,
  type AuditLogOptions,
  type CheckpointPublisher,
  type CheckpointUrlOptions,
  type LogReport,
  type PublishedCheckpoint,
} from '@sallyport/audit';
export { generateNoteKey } from '@sallyport/tlog';

// Moving old records out of the database, so that the log can still be verified.
export {
  AuditSealing,
  type SealLimit,
  type SealPlan,
  type SealReport,
  type SealRequest,
} from '@sallyport/audit';

// Rows of the caller's tenant and no others.
export {
  TenancyError,
  Tenancy,
  TenantOwned,
  enableTenantLinks,
  enableTenantRows,
  grantRows,
  scopeToTenant,
  tenantOwned,
  type CrossingOptions,
  type ScopeOptions,
  type TenancyErrorCode,
  type TenancyOptions,
  type TenantLinksOptions,
  type TenantOwnedOptions,
  type TenantRowsOptions,
} from '@sallyport/tenancy';

// Comparing what is served with what was reviewed.
export type { PolicyLockOptions } from './policy-lock.js';
export { policyLockDifference, policyLockText, policyMatrixText } from './application-surface.js';
export { PolicyLockError } from '@sallyport/policy';

// Explaining a call; and for tests, by way of @sallyport/testing, making one as anybody: refused in production.
export {
  callInProcess,
  explainCall,
  listInProcess,
  type InProcessCall,
  type InProcessOutcome,
} from './in-process.js';
export { madeUpPrincipal, PrincipalFactsError, type PrincipalFacts } from './made-up-principal.js';
export { explanationText, type Explanation, type Told } from '@sallyport/policy';
export type { Check, CheckName, EntryKind, Ran, RefusalAnswer, RefusalReason } from '@sallyport/mcp';
