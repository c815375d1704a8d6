// Wiring a server.
export { SallyportModule, type SallyportAsyncOptions } from './sallyport.module.js';
export { SALLYPORT_OPTIONS, type SallyportOptions } from './sallyport.options.js';
export { TOKEN_VARIABLE, serveStdio } from './serve-stdio.js';

// Declaring entries, and what a method may ask for.
export {
  Args,
  Caller,
  CurrentCall,
  MCP_CONTEXT,
  McpPrompt,
  McpResource,
  McpTool,
  Signal,
  UnsafeWiringError,
  handlerContextOf,
  type Access,
  type Authentication,
  type CredentialRequest,
  type HandlerContext,
  type McpPromptOptions,
  type McpResourceOptions,
  type McpToolOptions,
  type Principal,
  type Problem,
  type Progress,
  type Risk,
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
