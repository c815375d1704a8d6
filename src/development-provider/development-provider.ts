import { Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { default as Provider } from 'oidc-provider';
import { developmentProviderSettings } from './development-provider.options.js';
import type {
  DevelopmentProviderOptions,
  DevelopmentProviderSettings,
} from './development-provider.options.js';
import { providerConfiguration } from './provider.configuration.js';
import { ProviderStore } from './provider.store.js';
import { providerKeys, researchAgentSecret } from './secrets.js';

/** A real OpenID provider inside this process, for development. */
export class DevelopmentProvider implements OnApplicationShutdown {
  constructor(
    readonly oidc: Provider,
    readonly settings: DevelopmentProviderSettings,
    private readonly store: ProviderStore,
  ) {}

  onApplicationShutdown(): void {
    this.store.close();
  }
}

/**
 * Creates the provider, with keys and a secret for the research agent on first start.
 *
 * `oidc-provider` is loaded here and nowhere else, so a production process never has it in memory.
 *
 * @throws DevelopmentProviderError in production, and when an option makes no sense
 */
export async function createDevelopmentProvider(
  options: DevelopmentProviderOptions,
): Promise<DevelopmentProvider> {
  const settings = developmentProviderSettings(options);
  const { dataDirectory } = settings;
  const keys = await providerKeys(dataDirectory);
  const agentSecret = settings.researchAgentSecret ?? researchAgentSecret(dataDirectory);
  const library = await import('oidc-provider');
  const store = new ProviderStore(dataDirectory);
  const oidc = new library.Provider(
    settings.issuer,
    providerConfiguration({ oidc: library, settings, keys, agentSecret, store }),
  );
  // The scheme then comes from `x-forwarded-proto`, which the middleware sets from the public URL.
  oidc.proxy = settings.publicUrl.protocol === 'https:';
  oidc.use(askForIdentityAtLeast);
  logServerErrors(oidc);
  return new DevelopmentProvider(oidc, settings, store);
}

type Middleware = Parameters<Provider['use']>[0];

/**
 * A client that names no scope has asked for nothing, which `oidc-provider` refuses. Here it gets a token that says who
 * the person is and no scope, so that it can connect, be challenged and ask for more. `max_age` and `acr_values`
 * (RFC 9470) need `openid` as well; clients that are sent them in a challenge do not know that.
 */
const askForIdentityAtLeast: Middleware = async (context, next) => {
  const { scope, max_age: maxAge, acr_values: acrValues } = context.query;
  const freshSignIn = maxAge !== undefined || acrValues !== undefined;
  if (context.path === '/auth' && (!scope || (freshSignIn && typeof scope === 'string'))) {
    context.query = {
      ...context.query,
      scope: [...new Set(`${scope ?? ''} openid`.trim().split(' '))].join(' '),
    };
  }
  await next();
};

function logServerErrors(oidc: Provider): void {
  const logger = new Logger('DevelopmentProvider');
  oidc.on('server_error', (_context, error) => logger.error(error.message, error.stack));
}
