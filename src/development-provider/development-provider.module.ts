import { ConfigurableModuleBuilder, Inject, Module, RequestMethod } from '@nestjs/common';
import type { MiddlewareConsumer, NestModule } from '@nestjs/common';
import { createDevelopmentProvider, DevelopmentProvider } from './development-provider.js';
import { MOUNT_PATH } from './development-provider.options.js';
import type { DevelopmentProviderOptions } from './development-provider.options.js';
import { refuseForeignHosts, serveProvider } from './provider.middleware.js';
import { SignInController } from './sign-in.controller.js';
import { SignInService } from './sign-in.service.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<DevelopmentProviderOptions>().setClassMethodName('forRoot').build();

/** Everything below the mount path, and the discovery documents of an issuer with a path (RFC 8414 §3.1). */
const PROVIDER_PATHS = [
  `${MOUNT_PATH}/*path`,
  `/.well-known/oauth-authorization-server${MOUNT_PATH}`,
  `/.well-known/openid-configuration${MOUNT_PATH}`,
];

/**
 * An OpenID provider inside this process, for development: `/idp`, its pages at `/sign-in`, its people in
 * `people.ts`. It refuses to be created in production.
 *
 * @example
 * ```ts
 * DevelopmentProviderModule.forRoot({ publicUrl: 'http://127.0.0.1:3000' })
 * ```
 */
@Module({
  controllers: [SignInController],
  providers: [
    { provide: DevelopmentProvider, useFactory: createDevelopmentProvider, inject: [MODULE_OPTIONS_TOKEN] },
    SignInService,
  ],
  exports: [DevelopmentProvider],
})
export class DevelopmentProviderModule extends ConfigurableModuleClass implements NestModule {
  constructor(@Inject(DevelopmentProvider) private readonly provider: DevelopmentProvider) {
    super();
  }

  /** As middleware it sees a request before its body is read, and a process without HTTP never comes here. */
  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply(refuseForeignHosts(this.provider))
      .forRoutes(...everyMethod(['/sign-in/*path', ...PROVIDER_PATHS]));
    consumer.apply(serveProvider(this.provider)).forRoutes(...everyMethod(PROVIDER_PATHS));
  }
}

function everyMethod(paths: readonly string[]) {
  return paths.map((path) => ({ path, method: RequestMethod.ALL }));
}
