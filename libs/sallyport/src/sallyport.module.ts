import { Module, type DynamicModule, type FactoryProvider, type ModuleMetadata } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { AUDIT_RECORDER, AuditModule, type AuditOptions } from '@sallyport/audit';
import {
  ApiKeysModule,
  ApiKeyUses,
  findApiKeySource,
  IdentityGuard,
  IdentityModule,
  KeyEndings,
  type IdentityOptions,
} from '@sallyport/identity';
import {
  AuditTrail,
  Authorizer,
  Catalog,
  CatalogModule,
  COMPLETION_FINDER,
  DEFAULT_FAILED_AUTHENTICATIONS,
  DEFAULT_LIMITS,
  DEFAULT_SESSIONS,
  DEFAULT_SUBSCRIPTIONS,
  PolicyUpkeep,
  MCP_OPTIONS,
  McpModule,
  RoleDirectory,
  UnsafeWiringError,
  type CompletionFinder,
  type McpOptions,
  type Problem,
  type ServerIdentity,
} from '@sallyport/mcp';
import {
  compilePolicy,
  LiveRevocations,
  RevocationLog,
  RevocationModule,
  RevocationService,
  type RevocationOptions,
  PolicyAuthorizer,
  PolicyInterceptor,
  policyProblems,
  PolicyRules,
  ProvidedRoles,
} from '@sallyport/policy';
import { TenancyModule } from '@sallyport/tenancy';
import { AuditReadingModule } from './administration/audit-reading.module.js';
import { auditReading } from './administration/audit-reading.js';
import { revocationManagement } from './administration/revocation-management.js';
import { RevocationsModule } from './administration/revocations.module.js';
import { grantsOf } from './grants.js';
import { optionProblems } from './option-problems.js';
import { lockProblems, type Served } from './policy-lock.js';
import { policyOptions } from './policy-options.js';
import { RecordKeepingModule } from './record-keeping.module.js';
import { RevokedKeys } from './administration/revoked-keys.js';
import { SALLYPORT_OPTIONS, type SallyportOptions } from './sallyport.options.js';
import { WitnessedTrail } from './witnessed.trail.js';

/** Options that come from elsewhere in the application, such as a `ConfigService`. */
export interface SallyportAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** Path of the endpoint: routes are made before options are known. Default: `/mcp`. */
  readonly path?: string;
  /** Path at which API keys are managed, for the same reason: `manage.path` of `apiKeys()`. Default: nowhere. */
  readonly keysPath?: string;
  /** Path at which revocations are managed: `manage.path` of `revocations`. Default: nowhere. */
  readonly revocationsPath?: string;
  /** Path at which the audit is read: `audit.read.path`. Default: nowhere. */
  readonly auditPath?: string;
  /** Names of further `DataSource`s with tenant-owned entities: the keys of `tenancy.dataSources`. Default: none. */
  readonly tenantDataSources?: readonly string[];
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory: (...dependencies: never[]) => SallyportOptions | Promise<SallyportOptions>;
}

const DEFAULT_PATH = '/mcp';

/**
 * The whole framework in one import: identity, decision, audit, and the endpoint.
 *
 * @example
 * ```ts
 * SallyportModule.forRoot({
 *   server: { name: 'acme-assistant', version: '1.0.0' },
 *   resource: 'https://mcp.acme.example/mcp',
 *   identity: [oidc({ issuer: 'https://acme.okta.com/oauth2/default' })],
 *   roles: { 'agent:contributor': ['agent:read-only'] },
 * })
 * ```
 */
@Module({})
export class SallyportModule {
  /** Wires the server. Unsafe or impossible options stop the boot with an `UnsafeWiringError` that lists them all. */
  static forRoot(options: SallyportOptions): DynamicModule {
    const keysPath = keysPathOf(options);
    const revocationsPath = revocationManagement(options)?.path;
    const auditPath = auditReading(options)?.path;
    return assemble(pathOf(options.resource), {
      useFactory: () => options,
      tenantDataSources: Object.keys(options.tenancy?.dataSources ?? {}),
      ...(keysPath === undefined ? {} : { keysPath }),
      ...(revocationsPath === undefined ? {} : { revocationsPath }),
      ...(auditPath === undefined ? {} : { auditPath }),
    });
  }

  /** The same, from options that are known only when the application is put together. */
  static forRootAsync(options: SallyportAsyncOptions): DynamicModule {
    return assemble(options.path ?? DEFAULT_PATH, options);
  }
}

/** A resource that is no URL is reported at boot, with everything else; until then any path will do. */
function pathOf(resource: string): string {
  return URL.canParse(resource) ? new URL(resource).pathname : DEFAULT_PATH;
}

/** What is no list of sources is reported at boot as well. */
function keysPathOf({ identity }: SallyportOptions): string | undefined {
  return Array.isArray(identity) ? findApiKeySource(identity)?.settings.manage?.path : undefined;
}

@Module({})
class OptionsModule {}

@Module({})
class TrailModule {}

@Module({})
class PolicyModule {}

@Module({})
class AdministrationModule {}

function assemble(path: string, given: SallyportAsyncOptions): DynamicModule {
  const options = optionsModule(path, given);
  const identity = IdentityModule.registerAsync({
    imports: [options],
    inject: [SALLYPORT_OPTIONS],
    useFactory: (all: SallyportOptions) => identityOptions(all, path),
  });
  const audit = AuditModule.registerAsync({
    imports: [options],
    inject: [SALLYPORT_OPTIONS],
    useFactory: (all: SallyportOptions): AuditOptions => ({ ...all.audit, server: serverIdentity(all) }),
  });
  const revocations = RevocationModule.registerAsync({
    imports: [options],
    inject: [SALLYPORT_OPTIONS],
    useFactory: (all: SallyportOptions): RevocationOptions => all.revocations ?? {},
  });
  const policy = policyModule(path, options);
  const administration = administrationModule([options, audit, revocations]);
  const trail = trailModule([identity, audit]);
  const tenancy = TenancyModule.registerAsync({
    imports: [options, trail],
    inject: [SALLYPORT_OPTIONS],
    useFactory: (all: SallyportOptions) => ({ server: serverIdentity(all), tenancy: all.tenancy ?? {} }),
    dataSources: given.tenantDataSources,
  });
  const mcp = McpModule.register({
    path,
    guard: IdentityGuard,
    interceptor: PolicyInterceptor,
    imports: [identity, trail, policy, revocations],
  });
  const keys = ApiKeysModule.register({
    path: given.keysPath,
    imports: [identity, audit, policy, revocations, administration, mcp],
  });
  const desk = [options, identity, policy, revocations, mcp];
  const revoking = RevocationsModule.register(given.revocationsPath, [...desk, administration]);
  const records = RecordKeepingModule.register([audit, trail, policy]);
  const reading = AuditReadingModule.register(given.auditPath, [...desk, audit, records]);
  const imports = [
    options,
    identity,
    audit,
    policy,
    revocations,
    administration,
    tenancy,
    mcp,
    keys,
    revoking,
    records,
    reading,
  ];
  return {
    module: SallyportModule,
    global: true,
    imports,
    exports: [options, audit, policy, revocations, administration, tenancy, mcp, keys],
  };
}

function optionsModule(path: string, { imports, inject, useFactory }: SallyportAsyncOptions): DynamicModule {
  const provider: FactoryProvider = {
    provide: SALLYPORT_OPTIONS,
    inject: inject ?? [],
    useFactory: async (...dependencies: never[]) => checked(await useFactory(...dependencies), path),
  };
  return {
    module: OptionsModule,
    imports: imports ?? [],
    providers: [provider],
    exports: [SALLYPORT_OPTIONS],
  };
}

function checked(options: SallyportOptions, path: string): SallyportOptions {
  const problems = [
    ...optionProblems(options, process.env['NODE_ENV'] === 'production'),
    ...pathProblems(options, path),
  ];
  if (problems.length > 0) throw new UnsafeWiringError(problems);
  return options;
}

/** Routes are made before options are known, so with `forRootAsync` the path is said twice. */
function pathProblems({ resource }: SallyportOptions, path: string): Problem[] {
  const named = pathOf(resource);
  if (!URL.canParse(resource) || named === path) return [];
  const message = `The endpoint is at ${path}, and the resource says ${named}: write path: '${named}' in forRootAsync.`;
  return [{ code: 'endpoint_path', message }];
}

function policyModule(path: string, options: DynamicModule): DynamicModule {
  return {
    module: PolicyModule,
    imports: [CatalogModule, options],
    providers: [
      {
        provide: Authorizer,
        inject: [SALLYPORT_OPTIONS, Catalog, PolicyRules],
        useFactory: (all: SallyportOptions, catalog: Catalog, rules: PolicyRules) =>
          policyAuthorizer(all, catalog, rules),
      },
      {
        provide: PolicyUpkeep,
        inject: [SALLYPORT_OPTIONS, Authorizer, PolicyRules],
        useFactory: (
          all: SallyportOptions,
          authorizer: PolicyAuthorizer,
          rules: PolicyRules,
        ): PolicyUpkeep => ({
          problemsOf: (entries) => [
            ...policyProblems(policyOptions(all), entries),
            ...rules.problems(entries),
          ],
          adopt: (entries) => authorizer.usePolicy(compilePolicy(policyOptions(all), entries)),
        }),
      },
      {
        provide: PolicyRules,
        inject: [ModuleRef],
        useFactory: (moduleRef: ModuleRef) => new PolicyRules(moduleRef),
      },
      {
        provide: RoleDirectory,
        inject: [SALLYPORT_OPTIONS, ModuleRef],
        useFactory: ({ roleDirectory }: SallyportOptions, moduleRef: ModuleRef) =>
          roleDirectory === undefined ? undefined : new ProvidedRoles(roleDirectory, moduleRef),
      },
      {
        provide: MCP_OPTIONS,
        inject: [SALLYPORT_OPTIONS, Catalog, COMPLETION_FINDER, PolicyRules, RoleDirectory],
        useFactory: (
          all: SallyportOptions,
          catalog: Catalog,
          findCompletions: CompletionFinder,
          rules: PolicyRules,
          directory: ProvidedRoles | undefined,
        ): McpOptions => ({
          ...mcpOptions(all, path, { entries: catalog.entries, completions: findCompletions().hosts }),
          lateProblems: () => [...rules.problems(catalog.entries), ...(directory?.problems() ?? [])],
        }),
      },
    ],
    exports: [Authorizer, MCP_OPTIONS, RoleDirectory, PolicyRules, PolicyUpkeep],
  };
}

/** The audit trail of the calls, which also tells when an API key was used. */
function trailModule(imports: DynamicModule[]): DynamicModule {
  return {
    module: TrailModule,
    imports,
    providers: [
      {
        provide: AuditTrail,
        inject: [AUDIT_RECORDER, ApiKeyUses],
        useFactory: (trail: AuditTrail, uses: ApiKeyUses | undefined) =>
          uses === undefined ? trail : new WitnessedTrail(trail, (event) => uses.note(event)),
      },
    ],
    exports: [AuditTrail],
  };
}

/** What changes who may call; each change is recorded. */
function administrationModule(imports: DynamicModule[]): DynamicModule {
  return {
    module: AdministrationModule,
    imports: [CatalogModule, ...imports],
    providers: [
      {
        provide: RevocationService,
        inject: [RevocationLog, LiveRevocations, AuditTrail, SALLYPORT_OPTIONS, Catalog],
        useFactory: (
          log: RevocationLog,
          live: LiveRevocations,
          trail: AuditTrail,
          all: SallyportOptions,
          catalog: Catalog,
        ) =>
          new RevocationService(log, live, trail, serverIdentity(all), (name) =>
            catalog.entries.some((entry) => entry.name === name),
          ),
      },
      {
        provide: KeyEndings,
        inject: [RevocationService],
        useFactory: (service: RevocationService) => new RevokedKeys(service),
      },
    ],
    exports: [RevocationService, KeyEndings],
  };
}

function serverIdentity({ server, resource }: SallyportOptions): ServerIdentity {
  return Object.freeze({ name: server.name, version: server.version, resource });
}

function identityOptions(options: SallyportOptions, path: string): IdentityOptions {
  return {
    sources: options.identity,
    resource: options.resource,
    serverName: options.server.name,
    path,
    grants: grantsOf(policyOptions(options)),
    ...(options.identityStore === undefined ? {} : { storage: options.identityStore }),
    ...(options.tokenCache === undefined ? {} : { tokenCache: options.tokenCache }),
    ...(options.signInScopes === undefined ? {} : { scopesSupported: options.signInScopes }),
  };
}

function policyAuthorizer(all: SallyportOptions, catalog: Catalog, rules: PolicyRules): PolicyAuthorizer {
  const { decisionTimeoutMs: timeoutMs } = all;
  const policy = compilePolicy(policyOptions(all), catalog.entries);
  return new PolicyAuthorizer(policy, { rules, ...(timeoutMs !== undefined && { timeoutMs }) });
}

function mcpOptions(options: SallyportOptions, path: string, served: Served): McpOptions {
  const { instructions } = options;
  const policy = policyOptions(options);
  return {
    server: serverIdentity(options),
    ...(instructions === undefined ? {} : { instructions }),
    path,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    allowedHosts: options.allowedHosts ?? [],
    allowedOrigins: options.allowedOrigins ?? [],
    anonymous: policy.anonymous,
    signInScopes: options.signInScopes ?? [],
    failedAuthentications: { ...DEFAULT_FAILED_AUTHENTICATIONS, ...options.failedAuthentications },
    problems: [...policyProblems(policy, served.entries), ...lockProblems(options, served)],
    ...(options.subscriptions !== false && {
      subscriptions: { ...DEFAULT_SUBSCRIPTIONS, ...options.subscriptions },
    }),
    ...(options.sessions !== undefined && { sessions: { ...DEFAULT_SESSIONS, ...options.sessions } }),
    drainSeconds: options.drainSeconds ?? 10,
    ...(options.decisionTimeoutMs !== undefined && { decisionTimeoutMs: options.decisionTimeoutMs }),
  };
}
