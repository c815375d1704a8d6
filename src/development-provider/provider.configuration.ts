import { isIP } from 'node:net';
import type { ClientMetadata, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { applyClientRules } from './client-rules.js';
import type { DevelopmentProviderSettings } from './development-provider.options.js';
import { PAGE_HEADERS, providerErrorPage } from './pages.js';
import { findPerson, RESEARCH_AGENT } from './people.js';
import type { ProviderStore } from './provider.store.js';
import type { ProviderKeys } from './secrets.js';

/** `oidc-provider` itself, handed in because it is loaded only where the development provider is allowed. */
export type OidcLibrary = typeof import('oidc-provider');

export interface ConfigurationParts {
  readonly oidc: OidcLibrary;
  readonly settings: DevelopmentProviderSettings;
  readonly keys: ProviderKeys;
  readonly agentSecret: string;
  readonly store: ProviderStore;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Everything `oidc-provider` is told. What is not needed here is off, so that the discovery document stays honest. */
export function providerConfiguration(parts: ConfigurationParts): Configuration {
  const { settings, keys, store } = parts;
  return {
    adapter: (model) => store.adapter(model),
    jwks: keys.jwks,
    cookies: {
      keys: keys.cookieKeys,
      names: { session: 'idp_session', interaction: 'idp_sign_in', resume: 'idp_resume' },
    },
    scopes: ['openid', 'offline_access', ...settings.scopes],
    claims: { openid: ['sub', 'name', 'tenant', 'roles'] },
    // There is no userinfo endpoint to ask later, so the ID token says it all (OpenID Connect Core §5.4).
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    pkce: { required: () => true },
    findAccount: (_context, id) => account(id),
    extraTokenClaims,
    clients: [researchAgent(parts)],
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'ES256',
    },
    extraClientMetadata: clientRules(parts),
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientBasedCORS: () => true,
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    rotateRefreshToken: true,
    features: features(parts),
    interactions: {
      policy: signInPolicy(parts.oidc),
      url: (_context, { uid }) => `${settings.publicUrl.origin}/sign-in/${uid}`,
    },
    renderError: (context, out) => {
      context.set(PAGE_HEADERS);
      context.body = providerErrorPage(out);
    },
    ttl: lifetimes(settings.tokenSeconds),
    ...(settings.fetch === undefined ? {} : { fetch: settings.fetch }),
  };
}

function features({ oidc, settings }: ConfigurationParts): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    // A sender-constrained token is not a bearer token, and bearer tokens are what this server is shown with.
    dPoP: { enabled: false },
    clientCredentials: { enabled: true },
    registration: { enabled: true, issueRegistrationAccessToken: false },
    clientIdMetadataDocument: {
      enabled: true,
      ack: 'draft-02',
      allowFetch: (_context, clientId) => isPublicName(new URL(clientId).hostname),
    },
    revocation: {
      enabled: true,
      allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
    },
    introspection: {
      enabled: true,
      allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
    },
    resourceIndicators: {
      enabled: true,
      // Clients of the 2025-03 revision do not send `resource`. There is one resource here that they can mean.
      defaultResource: () => settings.resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => resourceServer(oidc, settings, resource),
    },
  };
}

/** Whoever starts a sign-in makes this process fetch. A name that leads to a private address is refused on connecting. */
function isPublicName(hostname: string): boolean {
  return hostname.includes('.') && !hostname.endsWith('.localhost') && isIP(hostname) === 0;
}

function resourceServer({ errors }: OidcLibrary, settings: DevelopmentProviderSettings, resource: string) {
  if (!settings.audiences.has(resource)) {
    throw new errors.InvalidTarget(`the resource here is ${settings.resource}`);
  }
  return {
    audience: resource,
    scope: settings.scopes.join(' '),
    accessTokenFormat: 'jwt' as const,
    accessTokenTTL: settings.tokenSeconds,
    jwt: { sign: { alg: 'ES256' as const } },
  };
}

function researchAgent({ agentSecret, settings }: ConfigurationParts): ClientMetadata {
  return {
    client_id: RESEARCH_AGENT.id,
    client_name: RESEARCH_AGENT.name,
    client_secret: agentSecret,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope: settings.scopes.join(' '),
  };
}

/** The one hook that sees the metadata of a client before it is checked wants a property to be called for. */
function clientRules({ oidc }: ConfigurationParts): Configuration['extraClientMetadata'] {
  return {
    properties: ['software_id'],
    validator: (_context, _key, _value, metadata) =>
      applyClientRules(metadata, oidc.errors.InvalidClientMetadata),
  };
}

/** The usual policy, and who signs in is asked every time: the point of this provider is to be somebody else. */
function signInPolicy({ interactionPolicy }: OidcLibrary) {
  const { Check, base } = interactionPolicy;
  const policy = base();
  const choosePerson = new Check('choose_person', 'a person must be chosen', 'login_required', ({ oidc }) =>
    oidc.result?.login === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
  );
  policy.get('login')?.checks.add(choosePerson);
  return policy;
}

function account(id: string) {
  const person = findPerson(id);
  if (person === undefined) return undefined;
  const { name, tenant, roles } = person;
  return { accountId: id, claims: () => ({ sub: id, name, tenant, roles }) };
}

type TokenOfSomebody = Parameters<NonNullable<Configuration['extraTokenClaims']>>[1];

/** What the organization says about the caller (RFC 9068 §2.2.3), and when the person signed in (§2.2.1). */
function extraTokenClaims({ oidc }: KoaContextWithOIDC, token: TokenOfSomebody) {
  const caller = token.kind === 'AccessToken' ? findPerson(token.accountId) : agentOf(token.clientId);
  if (caller === undefined) return undefined;
  const signedIn = (oidc.entities.AuthorizationCode ?? oidc.entities.RefreshToken)?.authTime;
  return {
    tenant: caller.tenant,
    roles: caller.roles,
    ...(signedIn === undefined ? {} : { auth_time: signedIn }),
  };
}

function agentOf(clientId: string | undefined) {
  return clientId === RESEARCH_AGENT.id ? RESEARCH_AGENT : undefined;
}

function lifetimes(tokenSeconds: number): Configuration['ttl'] {
  return {
    AccessToken: tokenSeconds,
    ClientCredentials: tokenSeconds,
    IdToken: tokenSeconds,
    AuthorizationCode: 60,
    Interaction: HOUR,
    Session: 14 * DAY,
    Grant: 14 * DAY,
    RefreshToken: 14 * DAY,
  };
}
