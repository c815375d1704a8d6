import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import {
  AuditTrail,
  Challenger,
  endpointProblems,
  Gate,
  gatekeepingFor,
  installArrival,
  MCP_OPTIONS,
  Revocations,
  type McpOptions,
  type Problem,
} from '@sallyport/mcp';
import type { Store } from '@sallyport/store';
import { IDENTITY_OPTIONS, type IdentityOptions } from '../identity.options.js';
import { IDENTITY_STORE } from '../identity.store.js';
import { ApiKeyStore } from './api-key.store.js';
import { ApiKeyUses } from './api-key.uses.js';
import { createApiKeysController } from './api-keys.controller.js';
import { ApiKeysEndpoint, KEY_LIMITS, KEY_OPERATIONS } from './api-keys.endpoint.js';
import { ApiKeys } from './api-keys.js';
import { findApiKeySource } from './api-keys.source.js';
import { KeyEndings } from './key-endings.js';
import { LITERAL_GRANTS } from './key-grants.js';
import { KeyHasher } from './key-hash.js';

export interface ApiKeysModuleOptions {
  /** Where keys are managed over HTTP; absent: nowhere. Must be `manage.path` of the source. */
  readonly path?: string | undefined;
  /** Modules that export options and store of identity, {@link ApiKeyUses}, {@link MCP_OPTIONS}, the ports and the gate; {@link KeyEndings} may be among it. */
  readonly imports: NonNullable<DynamicModule['imports']>;
}

/** The management of API keys: {@link ApiKeys}, which is `undefined` where there is no source of keys, and its endpoints. */
@Module({})
export class ApiKeysModule {
  static register({ path, imports }: ApiKeysModuleOptions): DynamicModule {
    return {
      module: ApiKeysModule,
      imports,
      controllers: path === undefined ? [] : [createApiKeysController(path)],
      providers: path === undefined ? [KEYS] : [KEYS, endpointAt(path)],
      exports: [ApiKeys],
    };
  }
}

/** The writer of last uses; `undefined` where there is no source of keys. */
export function createApiKeyUses(
  { sources }: IdentityOptions,
  store: Store | undefined,
): ApiKeyUses | undefined {
  if (store === undefined || findApiKeySource(sources) === undefined) return undefined;
  const uses = new ApiKeyUses(new ApiKeyStore(store));
  store.beforeClose(() => uses.write());
  return uses;
}

const KEYS: FactoryProvider = {
  provide: ApiKeys,
  inject: [
    IDENTITY_OPTIONS,
    IDENTITY_STORE,
    ApiKeyUses,
    AuditTrail,
    MCP_OPTIONS,
    { token: KeyEndings, optional: true },
  ],
  useFactory: (
    { sources, grants = LITERAL_GRANTS, clock = Date.now }: IdentityOptions,
    store: Store | undefined,
    uses: ApiKeyUses | undefined,
    trail: AuditTrail,
    { server }: McpOptions,
    endings: KeyEndings | undefined,
  ) => {
    const settings = findApiKeySource(sources)?.settings;
    if (settings === undefined || store === undefined || uses === undefined) return undefined;
    const hasher = new KeyHasher(settings.peppers);
    const keys = new ApiKeyStore(store);
    return new ApiKeys({
      keys,
      uses,
      hasher,
      settings,
      grants,
      trail,
      endings,
      server,
      clock: settings.clock ?? clock,
    });
  },
};

function endpointAt(path: string): FactoryProvider {
  return {
    provide: ApiKeysEndpoint,
    inject: [
      ApiKeys,
      IDENTITY_OPTIONS,
      Gate,
      Revocations,
      Challenger,
      MCP_OPTIONS,
      ApplicationConfig,
      HttpAdapterHost,
    ],
    useFactory: (
      keys: ApiKeys,
      { sources, grants = LITERAL_GRANTS }: IdentityOptions,
      gate: Gate,
      revocations: Revocations,
      challenger: Challenger,
      options: McpOptions,
      config: ApplicationConfig,
      host: HttpAdapterHost,
    ) => {
      const manage = findApiKeySource(sources)?.settings.manage ?? { role: '', scope: '', path: '' };
      const paths = pathsAt(path);
      const { server, allowedHosts, allowedOrigins } = options;
      const gatekeeping = gatekeepingFor(new URL(server.resource), allowedHosts, allowedOrigins);
      installArrival(host, { path: new Set(paths), limits: KEY_LIMITS, gatekeeping });
      const problems = () => [
        ...pathProblems(path, manage.path),
        ...paths.flatMap((each) => endpointProblems(config, each)),
      ];
      return new ApiKeysEndpoint({ keys, manage, grants, gate, revocations, challenger, problems });
    },
  };
}

function pathsAt(path: string): string[] {
  return KEY_OPERATIONS.map((operation) => (operation === 'issue' ? path : `${path}/${operation}`));
}

/** Routes are made before options are known, so the path is said twice where options come from elsewhere. */
function pathProblems(path: string, configured: string): Problem[] {
  if (path === configured) return [];
  const says =
    configured === ''
      ? `API keys are to be managed at ${path}, but no source says by whom: write apiKeys({ manage: { role: 'agent:admin', path: '${path}' } }).`
      : `API keys are managed at ${path}, and manage.path says ${configured}: write the same path in both.`;
  return [{ code: 'api_key_manage', message: says }];
}
