// Wire it.
export { IdentityModule } from './identity.module.js';
export { IdentityGuard } from './identity.guard.js';
export { IDENTITY_OPTIONS, type IdentityOptions } from './identity.options.js';
export { IDENTITY_STORE } from './identity.store.js';
export { identityProblems, type IdentityProblem, type IdentityProblemCode } from './identity.problems.js';

// Say who may call: JWT access tokens of an issuer, any other Passport strategy, or a source of your own.
export { oidc, type OidcOptions } from './jwt/oidc.source.js';
export { auth0 } from './providers/auth0.js';
export { clerk } from './providers/clerk.js';
export { cognito } from './providers/cognito.js';
export { entra, type EntraOptions } from './providers/entra.js';
export { google, type GoogleOptions, type ServiceAccountGrant } from './providers/google.js';
export { keycloak, type KeycloakOptions } from './providers/keycloak.js';
export { okta } from './providers/okta.js';
export type { PresetOptions, UnboundPresetOptions } from './providers/preset.js';
export { supabase } from './providers/supabase.js';
export { workos, type WorkosOptions } from './providers/workos.js';
export type { ClaimMapping } from './jwt/claim-mapping.js';
export type { ClaimPath } from './jwt/claim-path.js';
export type { AsymmetricAlgorithm } from './jwt/algorithms.js';
export type { TokenOptions } from './jwt/token-rules.js';
export { introspection, type IntrospectionOptions } from './introspection/introspection.source.js';
export type { ClientAuthentication } from './introspection/introspection.client.js';
export { passportIdentity, type PassportIdentityOptions } from './passport/passport.source.js';
export { processPrincipal, type ProcessPrincipalOptions } from './process/process-principal.source.js';
export type { TokenCacheOptions } from './good-credentials.js';
export type { IdentitySource, PassportStrategy, SourceWiring } from './identity.source.js';
export { parsePrincipal, type ParsedPrincipal, type PrincipalDraft } from './principal.schema.js';

// API keys: the source, their management, and what a finder of one is told by.
export { apiKeys, findApiKeySource } from './api-keys/api-keys.source.js';
export type { ApiKeyManagement, ApiKeysOptions } from './api-keys/api-keys.options.js';
export type { Pepper } from './api-keys/key-hash.js';
export {
  ApiKeys,
  type Administrator,
  type ApiKeyFacts,
  type IssuedKey,
  type KeyState,
  type RevokedKey,
} from './api-keys/api-keys.js';
export type { KeyRequest, RotateRequest } from './api-keys/key-request.js';
export { ApiKeyRefused, type KeyRefusalReason } from './api-keys/api-key.errors.js';
export { ApiKeysModule, type ApiKeysModuleOptions } from './api-keys/api-keys.module.js';
export { KeyEndings, type KeyEnder } from './api-keys/key-endings.js';
export { ApiKeyUses } from './api-keys/api-key.uses.js';
export { LITERAL_GRANTS, type Grants } from './api-keys/key-grants.js';
export { API_KEY_ISSUER } from './api-keys/api-key.strategy.js';

// The strategy by itself, for a Passport elsewhere in the application.
export { AccessTokenStrategy } from './jwt/access-token.strategy.js';
export { VerifiedAccessToken } from './jwt/access-token.verifier.js';

// The implementations of the ports, for those who bind them by hand.
export { IdentityAuthenticator } from './identity.authenticator.js';
export { ResourceChallenger } from './metadata/resource.challenger.js';
export {
  resourceMetadata,
  resourceMetadataUrl,
  type ResourceMetadata,
} from './metadata/resource-metadata.js';
export { serveResourceMetadata } from './metadata/resource-metadata.routes.js';

// What can go wrong.
export {
  CredentialRefused,
  IdentityConfigurationError,
  IssuerUnavailable,
  REFUSALS,
  type RefusalCode,
} from './refusals.js';
