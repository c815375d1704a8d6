import type { IdentitySource } from '../identity.source.js';
import { preset, type Claims, type PresetOptions, type ProviderShape } from './preset.js';

/**
 * All claims, the header, and `aud` as "always the client ID of the API":
 * https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 *
 * What an API must check: https://learn.microsoft.com/entra/identity-platform/claims-validation
 *
 * `idtyp`: https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
 */
const SHAPE: ProviderShape = {
  name: 'entra',
  issuer: {
    // `common` and its like stand for all tenants of the world.
    path: /^\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/v2\.0$/i,
    example: 'https://login.microsoftonline.com/00000000-1111-2222-3333-444444444444/v2.0',
  },
  typ: ['JWT'],
  claims: {
    scopes: 'scp',
    roles: 'roles',
    tenant: 'tid',
    client: 'azp',
    // Only user tokens have `scp`; `idtyp` says it, where the API asks for that claim.
    withoutUser: ({ idtyp, scp }) => idtyp === 'app' || scp === undefined,
  },
  isAccessToken: (claims) => claims['ver'] === '2.0' && mayDoSomething(claims),
};

export interface EntraOptions extends PresetOptions {
  /** The application (client) id of the API: what `aud` of its version 2 tokens always is. */
  readonly audience: string;
}

/**
 * Microsoft Entra ID: version 2 access tokens for users and for applications. The API must ask for them
 * (`requestedAccessTokenVersion: 2` in its manifest).
 *
 * @throws TypeError without an audience, and for an issuer that is not that of one tenant
 * @example
 * entra({
 *   issuer: 'https://login.microsoftonline.com/00000000-1111-2222-3333-444444444444/v2.0',
 *   audience: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
 *   claims: { scopePrefix: 'api://6e74172b-be56-4843-9ff4-e66a39bb12e3/' },
 * })
 */
export function entra(options: EntraOptions): IdentitySource {
  if (!options.audience) {
    throw new TypeError(
      "entra() needs an audience, since Entra ID never names a resource by its URL: write audience: 'the application (client) id of your API'.",
    );
  }
  return preset(SHAPE, options);
}

/** Every application of a tenant gets tokens for every API of it, unless assignment is required; such have neither. */
function mayDoSomething({ scp, roles }: Claims): boolean {
  return (typeof scp === 'string' && scp !== '') || (Array.isArray(roles) && roles.length > 0);
}
