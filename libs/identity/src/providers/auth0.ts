import type { IdentitySource } from '../identity.source.js';
import { ACCESS_TOKEN_TYPES } from '../jwt/token-rules.js';
import { preset, type Claims, type PresetOptions, type ProviderShape } from './preset.js';

/**
 * Both access token profiles, `typ`, `azp` or `client_id`, `gty`, the `@clients` subject of machines:
 * https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
 *
 * `permissions`, and that `scope` is what was both asked for and assigned:
 * https://auth0.com/docs/get-started/apis/enable-role-based-access-control-for-apis
 *
 * `org_id`: https://auth0.com/docs/manage-users/organizations/using-tokens
 */
const SHAPE: ProviderShape = {
  name: 'auth0',
  issuer: { path: /^\/$/, example: 'https://acme.eu.auth0.com/' },
  typ: ['JWT', ...ACCESS_TOKEN_TYPES],
  claims: {
    scopes: 'scope',
    roles: 'permissions',
    tenant: 'org_id',
    client: ['client_id', 'azp'],
    withoutUser: isMachine,
  },
};

/**
 * Auth0: access tokens for an API whose identifier is the audience. What RBAC assigns (`permissions`) is read as roles,
 * since the organization allows it and no user consented to it; role claims of your own Actions are named in `claims`.
 *
 * @throws TypeError for an issuer without the slash that Auth0 ends it with
 * @example
 * auth0({ issuer: 'https://acme.eu.auth0.com/', claims: { roles: ['permissions', 'https://acme.example/roles'] } })
 */
export function auth0(options: PresetOptions): IdentitySource {
  return preset(SHAPE, options);
}

function isMachine({ gty, sub, azp, client_id }: Claims): boolean {
  return gty === 'client-credentials' || sub === `${String(client_id ?? azp)}@clients`;
}
