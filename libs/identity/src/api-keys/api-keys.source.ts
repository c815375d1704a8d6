import type { CredentialRequest } from '@sallyport/mcp';
import type { StoreTables } from '@sallyport/store';
import type { IdentityProblem } from '../identity.problems.js';
import type { IdentitySource, PassportStrategy, SourceWiring } from '../identity.source.js';
import type { PrincipalDraft } from '../principal.schema.js';
import { API_KEY_TABLES, ApiKeyStore } from './api-key.store.js';
import { API_KEY_ISSUER, ApiKeyStrategy, carriesKey, VerifiedApiKey } from './api-key.strategy.js';
import {
  apiKeyProblems,
  apiKeySettings,
  type ApiKeySettings,
  type ApiKeysOptions,
} from './api-keys.options.js';
import { KeyHasher } from './key-hash.js';

/**
 * API keys of this server: `sp_<environment>_<id>_<secret><checksum>`, kept as keyed hashes in the store of the server.
 * List it before a source that takes any bearer token.
 *
 * @example
 * apiKeys({ pepper: process.env.API_KEY_PEPPER, manage: { role: 'agent:admin' } })
 */
export function apiKeys(options: ApiKeysOptions): IdentitySource {
  return new ApiKeySource(apiKeySettings(options));
}

/** The source of API keys among these, when there is one. */
export function findApiKeySource(sources: readonly IdentitySource[]): ApiKeySource | undefined {
  return sources.find((source) => source instanceof ApiKeySource);
}

export class ApiKeySource implements IdentitySource {
  readonly name = 'api-keys';
  readonly issuer = API_KEY_ISSUER;
  readonly tables: StoreTables = API_KEY_TABLES;

  constructor(readonly settings: ApiKeySettings) {}

  problems({ resource }: { readonly resource: string | undefined }): IdentityProblem[] {
    return apiKeyProblems(this.settings, resource);
  }

  accepts(request: CredentialRequest): boolean {
    return carriesKey(request, this.settings);
  }

  readonly strategy = ({ store, clock }: SourceWiring): PassportStrategy => {
    if (store === undefined)
      throw new TypeError(
        'API keys need a database: import TypeOrmModule.forRoot(…), or give store.database.',
      );
    const { settings } = this;
    const hasher = new KeyHasher(settings.peppers);
    return new ApiKeyStrategy(new ApiKeyStore(store), hasher, {
      ...settings,
      clock: settings.clock ?? clock,
    });
  };

  toPrincipal(user: unknown): PrincipalDraft | undefined {
    if (!(user instanceof VerifiedApiKey)) return undefined;
    const { id, series, name, tenant, scopes, roles, issuedAt, expiresAt } = user;
    return {
      kind: 'api-key',
      issuer: API_KEY_ISSUER,
      subject: series,
      client: name,
      ...(tenant !== null && { tenant }),
      scopes: [...scopes],
      roles: [...roles],
      credential: {
        kind: 'api-key',
        id,
        issuedAt: Math.floor(issuedAt / 1000),
        expiresAt: Math.floor(expiresAt / 1000),
      },
    };
  }
}
