import {
  Injectable,
  Module,
  type DynamicModule,
  type FactoryProvider,
  type ModuleMetadata,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ModulesContainer } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AuditTrail, UnsafeWiringError, type ServerIdentity } from '@sallyport/mcp';
import { DataSource } from 'typeorm';

import { holdInjected } from './hold-injected.js';
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

const HELD = Symbol.for('sallyport:held-data-sources');
const OPTIONS = Symbol.for('sallyport:tenancy-options');

/** Looks for a `DataSource` that was forgotten, before the application listens, and when one is initialized later. */
@Injectable()
class ForgottenDataSources implements OnApplicationBootstrap {
  constructor(private readonly discovery: DiscoveryService) {}

  onApplicationBootstrap(): void {
    for (const { instance, name } of this.discovery.getProviders()) {
      if (!(instance instanceof DataSource)) continue;
      if (instance.isInitialized) refuseForgotten(instance, String(name));
      else onceInitialized(instance, () => refuseForgotten(instance, String(name)));
    }
  }
}

function refuseForgotten(dataSource: DataSource, name: string): void {
  if (isScoped(dataSource) || ownedTables(dataSource).tables.size === 0) return;
  const message = `The DataSource "${name}" has tenant-owned entities and is not scoped: name it in tenancy: { dataSources: { … } }.`;
  throw new UnsafeWiringError([{ code: 'tenancy_data_source', message }]);
}

/** With `manualInitialization`, the entities are known later. */
function onceInitialized(dataSource: DataSource, work: () => void | Promise<void>): void {
  const initialize = dataSource.initialize.bind(dataSource);
  Object.assign(dataSource, {
    initialize: async () => {
      await initialize();
      await work();
      return dataSource;
    },
  });
}

/**
 * Scopes the application's `DataSource`s to the tenant of each call, and gives {@link Tenancy} for all other work. Until
 * that is done, a provider that queries while it is made is refused.
 */
@Module({})
export class TenancyModule {
  static registerAsync(given: TenancyModuleAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory, dataSources = [] } = given;
    return {
      module: TenancyModule,
      imports: [DiscoveryModule, ...imports],
      providers: [
        { provide: HELD, inject: [ModulesContainer], useFactory: holdInjected },
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

/** Before the first query, whenever it is initialized. */
async function scopeWhenReady(dataSource: DataSource | undefined, options?: ScopeOptions): Promise<void> {
  if (dataSource === undefined) return;
  if (dataSource.isInitialized) return scopeToTenant(dataSource, options);
  onceInitialized(dataSource, () => scopeToTenant(dataSource, options));
}
