import type { IdentityOptions } from '../identity.options.js';
import { isScopeToken } from '@sallyport/mcp';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
/** What routers of Express and Fastify both take literally. */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9\-._~]+)*\/?$/;

/** Protected resource metadata (RFC 9728 §2). */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers?: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly resource_name: string;
}

export function resourceMetadata(options: IdentityOptions): ResourceMetadata {
  const servers = [...new Set(options.sources.flatMap((source) => source.authorizationServer ?? []))];
  const scopes = askableScopes(options.scopesSupported ?? []);
  return {
    resource: options.resource,
    ...(servers.length > 0 && { authorization_servers: servers }),
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    resource_name: options.serverName,
  };
}

/** Where clients find the metadata: the well-known part goes between host and path (RFC 9728 §3.1). */
export function resourceMetadataUrl(resource: string): string {
  const { origin, pathname, search } = new URL(resource);
  return `${origin}${WELL_KNOWN}${pathname === '/' ? '' : pathname}${search}`;
}

/**
 * The paths the metadata is served at: that of the endpoint, and the root form older clients ask for.
 *
 * @throws TypeError for a path a router would read as a pattern
 */
export function resourceMetadataPaths(endpointPath: string): string[] {
  const path = endpointPath === '/' ? '' : endpointPath;
  if (!isPlainPath(path)) {
    throw new TypeError(
      `The path '${endpointPath}' must be plain, such as '/mcp': letters, digits and - . _ ~ only.`,
    );
  }
  return [...new Set([`${WELL_KNOWN}${path}`, WELL_KNOWN])];
}

/** Whether the routers of Express and Fastify take this path literally. */
export function isPlainPath(path: string): boolean {
  return PLAIN_PATH.test(path);
}

/**
 * Scopes a client may be told to ask for. `offline_access` is between the client and its authorization server, and what is
 * no scope token (RFC 6749 §3.3) could end a quoted string.
 */
export function askableScopes(scopes: readonly string[]): string[] {
  return [...new Set(scopes)].filter((scope) => scope !== 'offline_access' && isScopeToken(scope));
}
