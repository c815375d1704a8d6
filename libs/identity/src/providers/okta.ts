import type { IdentitySource } from '../identity.source.js';
import { ABSENT, ACCESS_TOKEN_TYPES } from '../jwt/token-rules.js';
import { preset, type PresetOptions, type ProviderShape } from './preset.js';

/**
 * Header (`alg` and `kid` alone) and reserved claims; `uid` is there only when a user is; `groups` is a custom claim:
 * https://developer.okta.com/docs/reference/api/oidc/#access-token
 *
 * `sub` is `appuser.userName`, or the client id:
 * https://developer.okta.com/docs/api/openapi/okta-management/management/tag/AuthorizationServerClaims
 */
const SHAPE: ProviderShape = {
  name: 'okta',
  // The org authorization server, which has no such path, is for the APIs of Okta alone.
  issuer: { path: /^\/oauth2\/[A-Za-z0-9_-]+$/, example: 'https://acme.okta.com/oauth2/default' },
  // The last is not documented, but public verifiers have met it; it says access token as well.
  typ: [ABSENT, ...ACCESS_TOKEN_TYPES, 'application/okta-internal-at+jwt'],
  claims: {
    // A login name can be given to somebody else, the id of a user cannot.
    subject: ['uid', 'sub'],
    scopes: 'scp',
    roles: 'groups',
    client: 'cid',
    withoutUser: ({ uid }) => uid === undefined,
  },
  isAccessToken: ({ scp }) => Array.isArray(scp),
};

/**
 * Okta: access tokens of a custom authorization server. Groups become roles when the server adds a `groups` claim; a
 * tenant must be a claim of your own.
 *
 * @throws TypeError for the org authorization server, whose tokens only Okta may judge
 * @example
 * okta({ issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://acme-mcp', claims: { tenant: 'workspace' } })
 */
export function okta(options: PresetOptions): IdentitySource {
  return preset(SHAPE, options);
}
