import { Module, type DynamicModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import {
  AuditDisclosure,
  AuditErasure,
  AuditFollowers,
  AuditLog,
  AuditReader,
  AuditSealing,
  AuditStore,
  RecordWalk,
  TypeOrmAuditTrail,
} from '@sallyport/audit';
import { AuditTrail, Authorizer, MCP_OPTIONS, type McpOptions } from '@sallyport/mcp';
import { PolicyAuthorizer } from '@sallyport/policy';
import { ServerLife } from './server-life.js';

/** What the records themselves need: that the server has started and stopped, that somebody looked, and that people are erased. */
@Module({})
export class RecordKeepingModule {
  /** `imports`: modules that export the audit, the trail of the calls, the authorizer and the options. */
  static register(imports: NonNullable<DynamicModule['imports']>): DynamicModule {
    return {
      module: RecordKeepingModule,
      imports,
      providers: [
        {
          provide: ServerLife,
          inject: [
            AuditTrail,
            TypeOrmAuditTrail,
            AuditReader,
            AuditFollowers,
            Authorizer,
            MCP_OPTIONS,
            HttpAdapterHost,
          ],
          useFactory: serverLife,
        },
        {
          provide: AuditErasure,
          inject: [AuditStore, AuditTrail, MCP_OPTIONS],
          useFactory: (store: AuditStore, trail: AuditTrail, { server }: McpOptions) =>
            new AuditErasure(store.keys, trail, server),
        },
        {
          provide: AuditDisclosure,
          inject: [AuditReader, RecordWalk, AuditTrail, MCP_OPTIONS],
          useFactory: (reader: AuditReader, walk: RecordWalk, trail: AuditTrail, { server }: McpOptions) =>
            new AuditDisclosure({ reader, walk, trail, server }),
        },
        {
          provide: AuditSealing,
          inject: [AuditStore, AuditLog, AuditTrail, AuditFollowers, MCP_OPTIONS],
          useFactory: (
            store: AuditStore,
            log: AuditLog,
            trail: AuditTrail,
            followers: AuditFollowers,
            { server }: McpOptions,
          ) => new AuditSealing({ store, log, trail, followers, server }),
        },
      ],
      exports: [ServerLife, AuditErasure, AuditDisclosure, AuditSealing],
    };
  }
}

function serverLife(
  trail: AuditTrail,
  closing: TypeOrmAuditTrail,
  reader: AuditReader,
  followers: AuditFollowers,
  authorizer: Authorizer,
  { server }: McpOptions,
  host: HttpAdapterHost,
): ServerLife {
  const policyVersion = () =>
    authorizer instanceof PolicyAuthorizer ? authorizer.policy.version : 'unknown';
  return new ServerLife({ trail, closing, reader, followers, policyVersion, server, host });
}
