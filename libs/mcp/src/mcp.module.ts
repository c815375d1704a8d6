import {
  Module,
  type BeforeApplicationShutdown,
  type CanActivate,
  type DynamicModule,
  type NestInterceptor,
  type OnModuleInit,
  type Provider,
  type Type,
} from '@nestjs/common';
import {
  ApplicationConfig,
  DiscoveryModule,
  DiscoveryService,
  ExternalContextCreator,
  HttpAdapterHost,
  MetadataScanner,
  ModuleRef,
} from '@nestjs/core';
import { gatekeepingFor } from './arrive/origin-and-host.js';
import { bindHandler } from './call/bind-handler.js';
import { CallPipeline } from './call/call-pipeline.js';
import { Catalog } from './catalog/catalog.js';
import { scanCompletions, type CompletionScan } from './catalog/scan-completions.js';
import { lateProblems, scanCatalog, type CatalogScan } from './catalog/scan-catalog.js';
import { Gate } from './gate/gate.js';
import {
  AuditTrail,
  Authenticator,
  Authorizer,
  Challenger,
  PolicyUpkeep,
  Revocations,
  RoleDirectory,
} from './gate/ports.js';
import { endpointProblems } from './http/endpoint-path.js';
import { installArrival } from './http/http-arrival.js';
import { HttpGateway } from './http/http-gateway.js';
import { createMcpController } from './http/mcp.controller.js';
import { OpenConnections } from './http/open-connections.js';
import { MCP_OPTIONS, type McpOptions } from './mcp.options.js';
import { UnsafeWiringError } from './problem.js';
import { EntryRegistry } from './catalog/entry-registry.js';
import { ResourceUpdates } from './subscriptions/resource-updates.js';
import { DEFAULT_SUBSCRIPTIONS } from './subscriptions/subscription-limits.js';
import { Subscriptions } from './subscriptions/subscriptions.js';
import { StdioServer } from './stdio/stdio-server.js';

/** Injection token of the {@link CatalogScan}: what was found, and what is wrong with it. */
export const CATALOG_SCAN = Symbol.for('sallyport:catalog-scan');

/** Injection token of a {@link CompletionFinder}. */
export const COMPLETION_FINDER = Symbol.for('sallyport:completion-finder');

/** Finds which arguments are completed. Of what classes declare it says the same at any time. */
export type CompletionFinder = () => CompletionScan;

/** What the MCP module is built from. */
export interface McpModuleOptions {
  /** Path of the endpoint; the same as {@link McpOptions.path}. */
  readonly path: string;
  /** Authenticates; must call {@link HttpGateway.identify}. */
  readonly guard: Type<CanActivate>;
  /** Enforces the decision; must call {@link HttpGateway.admit}. */
  readonly interceptor: Type<NestInterceptor>;
  /** Modules that export {@link MCP_OPTIONS} and the ports. */
  readonly imports: NonNullable<DynamicModule['imports']>;
}

/** Binds handlers to their entries once everything is constructed, and waits for running calls at the end. */
class McpLifecycle implements OnModuleInit, BeforeApplicationShutdown {
  #connections: OpenConnections | undefined;

  constructor(
    private readonly scan: CatalogScan,
    private readonly pipeline: CallPipeline,
    private readonly gateway: HttpGateway,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly creator: ExternalContextCreator,
    private readonly moduleRef: ModuleRef,
    private readonly options: McpOptions,
    private readonly config: ApplicationConfig,
    private readonly subscriptions: Subscriptions,
    private readonly host: HttpAdapterHost,
    private readonly findCompletions: CompletionFinder,
  ) {}

  onModuleInit(): void {
    // Absent in an application context, whatever its type says.
    if (this.host.httpAdapter) this.#connections = OpenConnections.of(this.host.httpAdapter.getHttpServer());
    const problems = [
      ...this.scan.problems,
      ...lateProblems(this.scan, this.discovery, this.scanner),
      ...this.options.problems,
      ...(this.options.lateProblems?.() ?? []),
      ...endpointProblems(this.config, this.options.path),
    ];
    const completions = this.findCompletions();
    problems.push(...completions.problems);
    if (problems.length > 0) throw new UnsafeWiringError(problems);
    for (const host of this.scan.hosts) {
      this.pipeline.bind(host.entry, bindHandler(host, this.creator, this.moduleRef));
    }
    for (const host of completions.hosts) {
      const handler = bindHandler(host, this.creator, this.moduleRef);
      this.pipeline.bindCompletion(host.entry, host.argument, handler);
    }
  }

  /**
   * Calls whose client has gone hold no connection, so closing the server does not wait for them: this does. Those that
   * do not end in time are told to; those that do not obey lose their connection, which would hold up the end for ever.
   */
  async beforeApplicationShutdown(): Promise<void> {
    await this.gateway.close();
    await this.subscriptions.close();
    await settledWithin(this.options.drainSeconds * 1000, this.ended());
    this.pipeline.abortAll();
    await settledWithin(LAST_WORDS_MS, this.ended());
    this.gateway.endConnections();
    this.#connections?.endUnused();
  }

  private async ended(): Promise<void> {
    await Promise.all([this.pipeline.drained(), this.gateway.answered()]);
  }
}

/** How long calls that were told to stop have to be recorded and answered. */
const LAST_WORDS_MS = 1000;

async function settledWithin(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, patience]);
  clearTimeout(timer);
}

/** Finds the entries. By itself, since the policy is compiled from them before the gate is built. */
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: CATALOG_SCAN,
      useFactory: scanCatalog,
      inject: [DiscoveryService, MetadataScanner],
    },
    { provide: Catalog, useFactory: (scan: CatalogScan) => scan.catalog, inject: [CATALOG_SCAN] },
    {
      provide: COMPLETION_FINDER,
      useFactory:
        (scan: CatalogScan, discovery: DiscoveryService, scanner: MetadataScanner): CompletionFinder =>
        () =>
          scanCompletions(scan, discovery, scanner),
      inject: [CATALOG_SCAN, DiscoveryService, MetadataScanner],
    },
  ],
  exports: [CATALOG_SCAN, Catalog, COMPLETION_FINDER],
})
export class CatalogModule {}

const PROVIDERS: Provider[] = [
  {
    provide: Gate,
    useFactory: (
      catalog: Catalog,
      authenticator: Authenticator,
      authorizer: Authorizer,
      trail: AuditTrail,
      revocations: Revocations,
      options: McpOptions,
      directory: RoleDirectory | undefined,
    ) => new Gate(catalog, authenticator, authorizer, trail, revocations, options, directory),
    inject: [Catalog, Authenticator, Authorizer, AuditTrail, Revocations, MCP_OPTIONS, RoleDirectory],
  },
  {
    provide: CallPipeline,
    useFactory: (gate: Gate, trail: AuditTrail, revocations: Revocations) =>
      new CallPipeline(gate, trail, revocations),
    inject: [Gate, AuditTrail, Revocations],
  },
  {
    provide: Subscriptions,
    useFactory: (gate: Gate, options: McpOptions, revocations: Revocations) =>
      new Subscriptions(gate, options.subscriptions ?? DEFAULT_SUBSCRIPTIONS, revocations),
    inject: [Gate, MCP_OPTIONS, Revocations],
  },
  {
    provide: ResourceUpdates,
    useFactory: (subscriptions: Subscriptions) => new ResourceUpdates(subscriptions),
    inject: [Subscriptions],
  },
  {
    provide: EntryRegistry,
    useFactory: createEntryRegistry,
    inject: [
      Catalog,
      PolicyUpkeep,
      CallPipeline,
      Subscriptions,
      ExternalContextCreator,
      AuditTrail,
      MCP_OPTIONS,
    ],
  },
  {
    provide: HttpGateway,
    useFactory: createHttpGateway,
    inject: [
      Catalog,
      Gate,
      CallPipeline,
      Challenger,
      MCP_OPTIONS,
      Subscriptions,
      Revocations,
      HttpAdapterHost,
    ],
  },
  {
    provide: StdioServer,
    useFactory: (...parts: ConstructorParameters<typeof StdioServer>) => new StdioServer(...parts),
    inject: [Catalog, Gate, CallPipeline, Challenger, MCP_OPTIONS, Subscriptions],
  },
  {
    provide: McpLifecycle,
    useFactory: (...parts: ConstructorParameters<typeof McpLifecycle>) => new McpLifecycle(...parts),
    inject: [
      CATALOG_SCAN,
      CallPipeline,
      HttpGateway,
      DiscoveryService,
      MetadataScanner,
      ExternalContextCreator,
      ModuleRef,
      MCP_OPTIONS,
      ApplicationConfig,
      Subscriptions,
      HttpAdapterHost,
      COMPLETION_FINDER,
    ],
  },
];

function createEntryRegistry(
  catalog: Catalog,
  upkeep: PolicyUpkeep,
  pipeline: CallPipeline,
  subscriptions: Subscriptions,
  creator: ExternalContextCreator,
  trail: AuditTrail,
  { server }: McpOptions,
): EntryRegistry {
  return new EntryRegistry(catalog, upkeep, pipeline, subscriptions, creator, trail, server);
}

function createHttpGateway(
  catalog: Catalog,
  gate: Gate,
  pipeline: CallPipeline,
  challenger: Challenger,
  options: McpOptions,
  subscriptions: Subscriptions,
  revocations: Revocations,
  host: HttpAdapterHost,
): HttpGateway {
  const { path, limits, allowedHosts, allowedOrigins, server } = options;
  const gatekeeping = gatekeepingFor(new URL(server.resource), allowedHosts, allowedOrigins);
  installArrival(host, { path, limits, gatekeeping, sessions: options.sessions !== undefined });
  return new HttpGateway(catalog, gate, pipeline, challenger, options, subscriptions, revocations);
}

/** The MCP side of the framework. Wired by `SallyportModule`; applications do not import it themselves. */
@Module({})
export class McpModule {
  static register(options: McpModuleOptions): DynamicModule {
    return {
      module: McpModule,
      imports: [DiscoveryModule, CatalogModule, ...options.imports],
      controllers: [createMcpController(options.path, options.guard, options.interceptor)],
      providers: PROVIDERS,
      exports: [CatalogModule, Gate, CallPipeline, HttpGateway, StdioServer, ResourceUpdates, EntryRegistry],
    };
  }
}
