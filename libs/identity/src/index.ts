// Wire it.
export { IdentityModule } from './identity.module.js';
export { IdentityGuard } from './identity.guard.js';
export { IDENTITY_OPTIONS, type IdentityOptions } from './identity.options.js';
export { identityProblems, type IdentityProblem, type IdentityProblemCode } from './identity.problems.js';

// Say who may call: JWT access tokens of an issuer, any other Passport strategy, or a source of your own.
export { oidc, type OidcOptions } from './jwt/oidc.source.js';
export type { ClaimMapping } from './jwt/claim-mapping.js';
export type { ClaimPath } from './jwt/claim-path.js';
export type { AsymmetricAlgorithm } from './jwt/algorithms.js';
export type { TokenOptions } from './jwt/token-rules.js';
export { passportIdentity, type PassportIdentityOptions } from './passport/passport.source.js';
export type { IdentitySource, PassportStrategy, SourceWiring } from './identity.source.js';
export type { PrincipalDraft } from './principal.schema.js';

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
