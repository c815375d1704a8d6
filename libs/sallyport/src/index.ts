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
  oidc,
  passportIdentity,
  type IdentitySource,
  type OidcOptions,
  type PassportIdentityOptions,
  type PrincipalDraft,
} from '@sallyport/identity';

// Reading the record.
export { AuditReader, type AuditCall, type AuditFilter, type AuditOptions } from '@sallyport/audit';
