/**
 * Why a credential did not become a principal: the one catalogue of this library. The code goes into the audit; a caller
 * is told `invalid_token` whatever the code is.
 */
export const REFUSALS = {
  malformed: 'The credential is not well formed.',
  too_large: 'The credential is larger than the limit.',
  unsupported_credential: 'No identity source takes this kind of credential.',
  unknown_issuer: 'No identity source is configured for the issuer of the token.',
  algorithm: 'The signature algorithm is not on the allow-list.',
  header: 'The token header carries a parameter that is refused.',
  type: 'The token is not an access token.',
  issuer: 'The issuer is not the one of the identity source.',
  audience: 'The token is not meant for this server.',
  client: 'The client is not one that may call.',
  claims: 'A claim is missing or of the wrong type.',
  expired: 'The token has expired.',
  not_yet_valid: 'The token is not valid yet.',
  lifetime: 'The token is valid for longer than is allowed.',
  inactive: 'The issuer says that the token is not active.',
  sender_constrained: 'The token is bound to a key, so it is not a bearer token.',
  unknown_key: 'The issuer has no such key.',
  weak_key: 'The key of the issuer is shorter than 2048 bits.',
  unusable_key: 'The key of the issuer cannot be used.',
  signature: 'The signature does not match.',
  no_such_key: 'There is no such API key.',
  revoked: 'The credential was revoked.',
  address: 'The credential may not be used from this address.',
  rejected: 'The strategy did not authenticate anybody.',
  timeout: 'The strategy did not answer in time.',
  error: 'The strategy failed.',
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** A credential was judged and is not good. Holds no part of it. */
export class CredentialRefused extends Error {
  constructor(readonly code: RefusalCode) {
    super(REFUSALS[code]);
    this.name = 'CredentialRefused';
  }
}

/** A credential cannot be judged now, because its issuer does not answer. */
export class IssuerUnavailable extends Error {
  constructor(readonly issuer: string) {
    super(`Issuer ${JSON.stringify(issuer)} does not answer, and no recent copy is left of what it said.`);
    this.name = 'IssuerUnavailable';
  }
}

/** The sources or the resource are configured in a way that cannot be safe. */
export class IdentityConfigurationError extends Error {
  constructor(readonly problems: readonly { readonly code: string; readonly message: string }[]) {
    super(problems.map((problem) => problem.message).join('\n'));
    this.name = 'IdentityConfigurationError';
  }
}
