import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import {
  AdministrationDesk,
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
import { LiveRevocations, RevocationService } from '@sallyport/policy';
import { grantsOf } from '../grants.js';
import { SALLYPORT_OPTIONS, type SallyportOptions } from '../sallyport.options.js';
import { PathCheck } from './path-check.js';
import { revocationManagement } from './revocation-management.js';
import { createRevocationsController } from './revocations.controller.js';
import { REVOCATION_LIMITS, REVOCATION_OPERATIONS, RevocationsEndpoint } from './revocations.endpoint.js';

/** The endpoints at which administrators revoke; without a path there are none. */
@Module({})
export class RevocationsModule {
  static register(path: string | undefined, imports: DynamicModule[]): DynamicModule {
    if (path === undefined) return { module: RevocationsModule };
    return {
      module: RevocationsModule,
      imports,
      controllers: [createRevocationsController(path)],
      providers: [endpointAt(path), checkOf(path)],
    };
  }
}

function pathsAt(path: string): string[] {
  return REVOCATION_OPERATIONS.map((operation) => (operation === 'add' ? path : `${path}/${operation}`));
}

function endpointAt(path: string): FactoryProvider {
  return {
    provide: RevocationsEndpoint,
    inject: [
      SALLYPORT_OPTIONS,
      MCP_OPTIONS,
      Gate,
      Revocations,
      Challenger,
      RevocationService,
      LiveRevocations,
      HttpAdapterHost,
    ],
    useFactory: (
      options: SallyportOptions,
      { server, allowedHosts, allowedOrigins }: McpOptions,
      gate: Gate,
      revocations: Revocations,
      challenger: Challenger,
      service: RevocationService,
      live: LiveRevocations,
      host: HttpAdapterHost,
    ) => {
      const gatekeeping = gatekeepingFor(new URL(server.resource), allowedHosts, allowedOrigins);
      installArrival(host, { path: new Set(pathsAt(path)), limits: REVOCATION_LIMITS, gatekeeping });
      const rule = revocationManagement(options) ?? NOBODY;
      const lacks = grantsOf({ roles: options.roles ?? {}, scopes: options.scopes ?? {} });
      const desk = new AdministrationDesk({ rule, lacks, gate, revocations, challenger });
      return new RevocationsEndpoint(desk, service, live);
    },
  };
}

/** Routes without a rule are let in by nobody; the boot stops before that matters. */
const NOBODY = { role: '', scope: '' } as const;

function checkOf(path: string): FactoryProvider {
  return {
    provide: PathCheck,
    inject: [SALLYPORT_OPTIONS, ApplicationConfig],
    useFactory: (options: SallyportOptions, config: ApplicationConfig) =>
      new PathCheck(() => [
        ...sameProblems(path, revocationManagement(options)?.path),
        ...pathsAt(path).flatMap((each) => endpointProblems(config, each)),
      ]),
  };
}

/** Routes are made before options are known, so the path is said twice where options come from elsewhere. */
function sameProblems(path: string, configured: string | undefined): Problem[] {
  if (path === configured) return [];
  const message = `Revocations are managed at ${path}, and revocations.manage.path says ${configured ?? 'nothing'}: write the same path in both.`;
  return [{ code: 'revocation_manage', message }];
}
