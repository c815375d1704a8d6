import { ConfigurableModuleBuilder, Inject, Module, type NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Authenticator, Challenger } from '@sallyport/mcp';
import { IdentityAuthenticator } from './identity.authenticator.js';
import { IDENTITY_OPTIONS, type IdentityOptions } from './identity.options.js';
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
      useFactory: (options: IdentityOptions) => new IdentityAuthenticator(options),
      inject: [IDENTITY_OPTIONS],
    },
    {
      provide: Challenger,
      useFactory: ({ resource }: IdentityOptions) => new ResourceChallenger(resource),
      inject: [IDENTITY_OPTIONS],
    },
  ],
  exports: [Authenticator, Challenger, IDENTITY_OPTIONS],
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
