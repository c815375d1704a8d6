import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { AuditDisclosure, RecordWalk } from '@sallyport/audit';
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
import { grantsOf } from '../grants.js';
import { SALLYPORT_OPTIONS, type SallyportOptions } from '../sallyport.options.js';
import { auditReading } from './audit-reading.js';
import { createAuditController } from './audit.controller.js';
import { AUDIT_LIMITS, AuditEndpoint } from './audit.endpoint.js';
import { PathCheck } from './path-check.js';

/** The endpoints at which auditors read; without a path there are none. */
@Module({})
export class AuditReadingModule {
  static register(path: string | undefined, imports: DynamicModule[]): DynamicModule {
    if (path === undefined) return { module: AuditReadingModule };
    return {
      module: AuditReadingModule,
      imports,
      controllers: [createAuditController(path)],
      providers: [endpointAt(path), checkOf(path)],
    };
  }
}

/** Of records and calls: those that we make are UUIDs. */
const ID = /^[A-Za-z0-9-]{1,64}$/;

/** The path itself, and that of each record. */
function pathsAt(path: string): { has(asked: string): boolean } {
  return {
    has: (asked) => asked === path || (asked.startsWith(`${path}/`) && ID.test(asked.slice(path.length + 1))),
  };
}

function endpointAt(path: string): FactoryProvider {
  return {
    provide: AuditEndpoint,
    inject: [
      SALLYPORT_OPTIONS,
      MCP_OPTIONS,
      Gate,
      Revocations,
      Challenger,
      AuditDisclosure,
      RecordWalk,
      HttpAdapterHost,
    ],
    useFactory: (
      options: SallyportOptions,
      { server, allowedHosts, allowedOrigins }: McpOptions,
      gate: Gate,
      revocations: Revocations,
      challenger: Challenger,
      disclosure: AuditDisclosure,
      walk: RecordWalk,
      host: HttpAdapterHost,
    ) => {
      const gatekeeping = gatekeepingFor(new URL(server.resource), allowedHosts, allowedOrigins);
      installArrival(host, { path: pathsAt(path), limits: AUDIT_LIMITS, gatekeeping, readOnly: true });
      const reading = auditReading(options);
      const lacks = grantsOf({ roles: options.roles ?? {}, scopes: options.scopes ?? {} });
      const desk = new AdministrationDesk({
        rule: reading ?? NOBODY,
        lacks,
        gate,
        revocations,
        challenger,
      });
      return new AuditEndpoint({
        desk,
        disclosure,
        walk,
        lacks,
        operatorRole: reading?.operatorRole,
        path,
      });
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
        ...sameProblems(path, auditReading(options)?.path),
        ...[path, `${path}/:id`].flatMap((each) => endpointProblems(config, each)),
      ]),
  };
}

/** Routes are made before options are known, so the path is said twice where options come from elsewhere. */
function sameProblems(path: string, configured: string | undefined): Problem[] {
  if (path === configured) return [];
  const message = `The audit is read at ${path}, and audit.read.path says ${configured ?? 'nothing'}: write the same path in both.`;
  return [{ code: 'audit_read', message }];
}
