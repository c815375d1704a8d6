import type { IdentitySource } from '../identity.source.js';
import { isRecord } from '../is-record.js';
import { preset, type PresetOptions, type ProviderShape } from './preset.js';

/**
 * Access tokens are opaque, ID tokens of people name the client as audience, those of service accounts what was asked for:
 * https://cloud.google.com/docs/authentication/token-types
 *
 * "The audience for the token, such as the API or account that this token grants access to":
 * https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateIdToken
 */
const SHAPE: ProviderShape = {
  name: 'google',
  issuer: { path: /^$/, example: 'https://accounts.google.com' },
  typ: ['JWT'],
  claims: { subject: 'sub', client: 'sub', scopes: [], roles: [], withoutUser: () => true },
};

/** What a service account may do here: Google says who it is, and nothing else. */
export interface ServiceAccountGrant {
  readonly tenant?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
}

export interface GoogleOptions extends Omit<PresetOptions, 'issuer' | 'claims' | 'clients'> {
  /**
   * Who may call, by unique id (the digits of `sub`), and with what. Any service account of anybody can get a token with
   * this audience, so only these are taken. An email address can be given to another account; the id cannot.
   */
  readonly serviceAccounts: Readonly<Record<string, ServiceAccountGrant>>;
}

/**
 * Google: service accounts, by the ID token that Google signs for the audience they ask for. That is the one JWT of Google
 * which is meant for a server of somebody else.
 *
 * People are not taken. Their access tokens are opaque and meant for the APIs of Google, and their ID tokens are meant for
 * the application they signed in to. Let them sign in with Google at an identity provider that issues tokens for this
 * server; every other preset can do that.
 *
 * @throws TypeError when no service account is named
 * @example
 * google({ serviceAccounts: { '104567890123456789012': { tenant: 'acme', scopes: ['crm:read'], roles: ['agent:read-only'] } } })
 */
export function google(options: GoogleOptions): IdentitySource {
  return serviceAccountsOf('https://accounts.google.com', options);
}

/** The same for a given issuer, which is what the tests need. */
export function serviceAccountsOf(issuer: string, options: GoogleOptions): IdentitySource {
  const { serviceAccounts, ...rest } = options;
  const grants = new Map(Object.entries(serviceAccounts ?? {}));
  if (grants.size === 0 || ![...grants.keys()].every((id) => /^\d+$/.test(id))) {
    throw new TypeError(
      "google() takes the service accounts you name by their unique id: write serviceAccounts: { '104567890123456789012': { scopes: ['crm:read'] } }.",
    );
  }
  const source = preset(SHAPE, { ...rest, issuer, clients: [...grants.keys()] });
  return {
    ...source,
    // No client can get a token for this server there by signing in.
    authorizationServer: undefined,
    toPrincipal: (user) => {
      const draft = source.toPrincipal(user);
      if (!isRecord(draft)) return draft;
      const { tenant, scopes, roles } = grants.get(String(draft['subject'])) ?? {};
      return { ...draft, tenant, scopes, roles };
    },
  };
}
