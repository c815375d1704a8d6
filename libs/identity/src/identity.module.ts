import { ConfigurableModuleBuilder, Inject, Module, type NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Authenticator, Challenger } from '@sallyport/mcp';
import type { Store } from '@sallyport/store';
import { ApiKeyUses } from './api-keys/api-key.uses.js';
import { createApiKeyUses } from './api-keys/api-keys.module.js';
import { IdentityAuthenticator } from './identity.authenticator.js';
import { IDENTITY_OPTIONS, type IdentityOptions } from './identity.options.js';
import { IDENTITY_STORE, IdentityStoreLifecycle, openIdentityStore } from './identity.store.js';
import { serveResourceMetadata } from './metadata/resource-metadata.routes.js';
import { ResourceChallenger } from './metadata/resource.challenger.js';

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<IdentityOptions>({
  optionsInjectionToken: IDENTITY_OPTIONS,
}).build();

/**
 * Binds the ports `Authenticator` and `Challenger` of `@sallyport/mcp`, and serves the resource metadata wherever there is
 * an HTTP server.
 */
@Module({
  providers: [
    {
      provide: Authenticator,
      useFactory: (options: IdentityOptions, store: Store | undefined) =>
        new IdentityAuthenticator(options, store),
      inject: [IDENTITY_OPTIONS, IDENTITY_STORE],
    },
    {
      provide: Challenger,
      useFactory: ({ resource }: IdentityOptions) => new ResourceChallenger(resource),
      inject: [IDENTITY_OPTIONS],
    },
    {
      provide: IDENTITY_STORE,
      useFactory: openIdentityStore,
      inject: [IDENTITY_OPTIONS, { token: getDataSourceToken(), optional: true }],
    },
    {
      provide: IdentityStoreLifecycle,
      useFactory: (store: Store | undefined) => new IdentityStoreLifecycle(store),
      inject: [IDENTITY_STORE],
    },
    { provide: ApiKeyUses, useFactory: createApiKeyUses, inject: [IDENTITY_OPTIONS, IDENTITY_STORE] },
  ],
  exports: [Authenticator, Challenger, ApiKeyUses, IDENTITY_OPTIONS, IDENTITY_STORE],
})
export class IdentityModule extends ConfigurableModuleClass implements NestModule {
  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(IDENTITY_OPTIONS) private readonly options: IdentityOptions,
  ) {
    super();
  }

  /** The first moment at which the HTTP server is set up; routes of controllers come after it. */
  configure(): void {
    serveResourceMetadata(this.host.httpAdapter, this.options);
  }
}
