import { OFFICE_SCOPES } from './scope-words.js';

export interface DevelopmentProviderOptions {
  /** The origin under which this process is reached, without a path: `http://127.0.0.1:3000`. The port it listens on may differ. */
  readonly publicUrl: string;
  /** The MCP server, exactly as the tokens shall name it in `aud` (RFC 8707). Default: `<publicUrl>/mcp`. */
  readonly resource?: string;
  /** Further audiences one may ask for, to see a token for somebody else refused. Default: `<publicUrl>/other`. */
  readonly otherResources?: readonly string[];
  /** The scopes of the resource. Default: those of the reference server. */
  readonly scopes?: readonly string[];
  /** Where keys, the secret of the research agent and the state are kept. Default: `data`. */
  readonly dataDirectory?: string;
  /** How long an access token is good, in seconds. Default: 3600. */
  readonly tokenSeconds?: number;
  /** The secret of the research agent. Default: generated once, in the data directory. */
  readonly researchAgentSecret?: string;
  /** Fetches client metadata documents. Default: `fetch`, kept from loopback and private addresses by `oidc-provider`. */
  readonly fetch?: typeof globalThis.fetch;
}

/** The options, checked and with every default filled in. */
export interface DevelopmentProviderSettings {
  readonly publicUrl: URL;
  readonly issuer: string;
  readonly resource: string;
  /** {@link resource} and the other ones. */
  readonly audiences: ReadonlySet<string>;
  readonly scopes: readonly string[];
  readonly dataDirectory: string;
  readonly tokenSeconds: number;
  readonly researchAgentSecret: string | undefined;
  readonly fetch: typeof globalThis.fetch | undefined;
}

/** Under this path of the public URL the provider lives. */
export const MOUNT_PATH = '/idp';

/** The development provider cannot start as it was configured. The message says what to write instead. */
export class DevelopmentProviderError extends Error {
  override readonly name = 'DevelopmentProviderError';
}

/**
 * Fills in the defaults.
 *
 * @throws {@link DevelopmentProviderError} in production, and when an option makes no sense
 */
export function developmentProviderSettings(
  options: DevelopmentProviderOptions,
  environment = process.env.NODE_ENV,
): DevelopmentProviderSettings {
  refuseProduction(environment);
  const publicUrl = parsePublicUrl(options.publicUrl);
  const resource = parseResource(options.resource ?? `${publicUrl.origin}/mcp`);
  const others = options.otherResources ?? [`${publicUrl.origin}/other`];
  return {
    publicUrl,
    issuer: `${publicUrl.origin}${MOUNT_PATH}`,
    resource,
    audiences: new Set([resource, ...others.map(parseResource)]),
    scopes: options.scopes ?? OFFICE_SCOPES,
    dataDirectory: options.dataDirectory ?? 'data',
    tokenSeconds: parseTokenSeconds(options.tokenSeconds ?? 3600),
    researchAgentSecret: options.researchAgentSecret,
    fetch: options.fetch,
  };
}

function refuseProduction(environment: string | undefined): void {
  if (environment !== 'production') return;
  throw new DevelopmentProviderError(
    'The development provider signs in anybody without a password and is refused when NODE_ENV is "production". ' +
      'Leave DevelopmentProviderModule out of the imports and configure your identity provider.',
  );
}

function parsePublicUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url !== undefined && ['http:', 'https:'].includes(url.protocol) && url.href === `${url.origin}/`;
  if (!isOrigin) {
    throw new DevelopmentProviderError(
      `publicUrl must be an origin without a path, such as "http://127.0.0.1:3000", not "${text}".`,
    );
  }
  return url;
}

function parseResource(text: string): string {
  if (!URL.canParse(text) || text.includes('#')) {
    throw new DevelopmentProviderError(
      `A resource must be an absolute URL without a fragment (RFC 8707 §2), not "${text}".`,
    );
  }
  return text;
}

function parseTokenSeconds(seconds: number): number {
  if (!Number.isSafeInteger(seconds) || seconds < 1) {
    throw new DevelopmentProviderError(
      `tokenSeconds must be a whole number of seconds from 1, not ${seconds}.`,
    );
  }
  return seconds;
}
