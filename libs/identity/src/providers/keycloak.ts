import type { IdentitySource } from '../identity.source.js';
import { isRecord } from '../is-record.js';
import { ACCESS_TOKEN_TYPES } from '../jwt/token-rules.js';
import { preset, type Claims, type PresetOptions, type ProviderShape } from './preset.js';

/**
 * `realm_access`, `resource_access`, `scope`:
 * https://github.com/keycloak/keycloak/blob/main/core/src/main/java/org/keycloak/representations/AccessToken.java
 *
 * What `aud` is, that it is left out when nothing adds to it, and `azp`: https://phasetwo.io/tutorials/clients/audience/
 *
 * `organization`: https://www.keycloak.org/docs/latest/server_admin/index.html#_mapping_organization_claims_
 *
 * What a client without a user has (`clientHost`, `clientAddress`), and that its session is not kept:
 * https://github.com/keycloak/keycloak/blob/main/services/src/main/java/org/keycloak/protocol/oidc/grants/ClientCredentialsGrantType.java
 */
const SHAPE: ProviderShape = {
  name: 'keycloak',
  issuer: { path: /\/realms\/[^/?#]+$/, example: 'https://id.acme.example/realms/acme' },
  // `at+jwt` is a setting of the client: access.token.header.type.rfc9068.
  typ: ['JWT', ...ACCESS_TOKEN_TYPES],
  claims: { scopes: 'scope', roles: '/realm_access/roles', client: 'azp', withoutUser: isServiceAccount },
  // The payload has a `typ` too: ID tokens say ID, refresh tokens say Refresh.
  isAccessToken: ({ typ }) => typ === 'Bearer',
};

export interface KeycloakOptions extends PresetOptions {
  /** A client of Keycloak whose own roles count beside those of the realm; usually the one that stands for this server. */
  readonly rolesOf?: string | undefined;
}

/**
 * Keycloak: access tokens of one realm. An audience mapper must put the resource of this server into `aud`. The tenant is
 * the one organization in the token; a token that names several belongs to none.
 *
 * @throws TypeError for an issuer that is no realm
 * @example
 * keycloak({ issuer: 'https://id.acme.example/realms/acme', rolesOf: 'acme-mcp' })
 */
export function keycloak({ rolesOf, ...options }: KeycloakOptions): IdentitySource {
  const own = rolesOf === undefined ? [] : [`/resource_access/${pointerSegment(rolesOf)}/roles`];
  const source = preset(
    { ...SHAPE, claims: { ...SHAPE.claims, roles: ['/realm_access/roles', ...own] } },
    options,
  );
  return options.claims?.tenant === undefined ? withOrganization(source) : source;
}

function withOrganization(source: IdentitySource): IdentitySource {
  return {
    ...source,
    toPrincipal: (user) => {
      const draft = source.toPrincipal(user);
      if (!isRecord(draft) || !isRecord(draft['claims'])) return draft;
      return { ...draft, tenant: onlyOrganization(draft['claims']) };
    },
  };
}

/** A list of aliases, or a map from alias to attributes. */
function onlyOrganization({ organization }: Claims): unknown {
  const aliases: unknown[] = isRecord(organization) ? Object.keys(organization) : [organization].flat();
  return aliases.length === 1 ? aliases[0] : undefined;
}

/** A user has a session and signed in with a browser; whatever is missing, the answer is the one without a person. */
function isServiceAccount({ sid, clientHost, clientAddress, preferred_username }: Claims): boolean {
  return (
    typeof sid !== 'string' ||
    clientHost !== undefined ||
    clientAddress !== undefined ||
    (typeof preferred_username === 'string' && preferred_username.startsWith('service-account-'))
  );
}

/** RFC 6901 §3. */
function pointerSegment(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
