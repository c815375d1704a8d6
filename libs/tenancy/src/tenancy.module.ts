import {
  Injectable,
  Module,
  type DynamicModule,
  type FactoryProvider,
  type ModuleMetadata,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AuditTrail, UnsafeWiringError, type ServerIdentity } from '@sallyport/mcp';
import { DataSource } from 'typeorm';

import { ownedTables } from './owned-tables.js';
import { isScoped, scopeToTenant, type ScopeOptions } from './scope-to-tenant.js';
import { Tenancy } from './tenancy.js';
import type { TenancyOptions } from './tenancy.options.js';

/** What the module must know. */
export interface TenancyModuleOptions {
  /** Recorded with each crossing. */
  readonly server: ServerIdentity;
  readonly tenancy: TenancyOptions;
}

/** `imports` must give an `AuditTrail`. */
export interface TenancyModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory: (...dependencies: never[]) => TenancyModuleOptions;
  /** Names of the `DataSource`s beside the default one: what Nest injects is known before any options are. */
  readonly dataSources?: readonly string[] | undefined;
}

const OPTIONS = Symbol.for('sallyport:tenancy-options');

/** Looks for a `DataSource` that was forgotten, before the application listens. */
@Injectable()
class ForgottenDataSources implements OnApplicationBootstrap {
  constructor(private readonly discovery: DiscoveryService) {}

  onApplicationBootstrap(): void {
    for (const { instance, name } of this.discovery.getProviders()) {
      if (!(instance instanceof DataSource) || !instance.isInitialized || isScoped(instance)) continue;
      if (ownedTables(instance).tables.size === 0) continue;
      const message = `The DataSource "${String(name)}" has tenant-owned entities and is not scoped: name it in tenancy: { dataSources: { … } }.`;
      throw new UnsafeWiringError([{ code: 'tenancy_data_source', message }]);
    }
  }
}

/**
 * Scopes the application's `DataSource`s to the tenant of each call, and gives {@link Tenancy} for all other work.
 * Providers are made before any of Nest's hooks runs, so nothing queries before.
 */
@Module({})
export class TenancyModule {
  static registerAsync(given: TenancyModuleAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory, dataSources = [] } = given;
    return {
      module: TenancyModule,
      imports: [DiscoveryModule, ...imports],
      providers: [
        { provide: OPTIONS, inject, useFactory },
        {
          provide: Tenancy,
          inject: [
            OPTIONS,
            AuditTrail,
            { token: getDataSourceToken(), optional: true },
            ...dataSources.map((name) => getDataSourceToken(name)),
          ],
          useFactory: async (
            { server, tenancy }: TenancyModuleOptions,
            trail: AuditTrail,
            own: DataSource | undefined,
            ...further: DataSource[]
          ) => {
            if (own !== undefined) await scopeWhenReady(own, tenancy);
            for (const [index, name] of dataSources.entries())
              await scopeWhenReady(further[index], tenancy.dataSources?.[name]);
            return new Tenancy(trail, server);
          },
        },
        ForgottenDataSources,
      ],
      exports: [Tenancy],
    };
  }
}

/** With `manualInitialization`, the entities are known later: before the first query all the same. */
async function scopeWhenReady(dataSource: DataSource | undefined, options?: ScopeOptions): Promise<void> {
  if (dataSource === undefined) return;
  if (dataSource.isInitialized) return scopeToTenant(dataSource, options);
  const initialize = dataSource.initialize.bind(dataSource);
  Object.assign(dataSource, {
    initialize: async () => {
      await initialize();
      await scopeToTenant(dataSource, options);
      return dataSource;
    },
  });
}
