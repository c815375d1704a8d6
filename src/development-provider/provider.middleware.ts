import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from './client-rules.js';
import type { DevelopmentProvider } from './development-provider.js';
import { MOUNT_PATH } from './development-provider.options.js';

type MountedRequest = IncomingMessage & { originalUrl?: string; baseUrl?: string };

export type NodeMiddleware = (request: MountedRequest, response: ServerResponse, next: () => void) => void;

/** RFC 8414 §3.1 puts the well-known part before the path of the issuer. `oidc-provider` serves it behind. */
const PATH_INSERTED = new RegExp(
  `^(/\\.well-known/(?:oauth-authorization-server|openid-configuration))${MOUNT_PATH}(?=$|\\?)`,
);

/** Paths a browser visits. Everything else is asked for by scripts, from any origin. */
const VISITED = /^\/(?:auth|session)(?:[/?]|$)/;

/**
 * Refuses a request for a host that is neither the configured one nor this machine. Nobody needs a password here, so a
 * page that rebinds its own name to 127.0.0.1 could sign in as anybody (DNS rebinding).
 */
export function refuseForeignHosts({ settings }: DevelopmentProvider): NodeMiddleware {
  return (request, response, next) => {
    const hostname = hostnameOf(request.headers.host);
    if (hostname !== undefined && (hostname === settings.publicUrl.hostname || isLoopback(hostname)))
      return next();
    response.writeHead(421, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(`This is the development provider of ${settings.publicUrl.origin}.\n`);
  };
}

function hostnameOf(host: string | undefined): string | undefined {
  const url = `http://${host ?? ''}`;
  return host !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** Hands a request to `oidc-provider`, untouched but for what says where it arrived. */
export function serveProvider({ oidc, settings }: DevelopmentProvider): NodeMiddleware {
  const serve = oidc.callback();
  return (request, response) => {
    const path = pathWithinProvider(request.originalUrl ?? request.url ?? '/');
    if (!VISITED.test(path) && allowAnyOrigin(request, response)) return;
    request.url = path;
    request.originalUrl = `${MOUNT_PATH}${path}`;
    request.baseUrl = MOUNT_PATH;
    arriveAt(settings.publicUrl, request);
    void serve(request, response);
  };
}

function pathWithinProvider(url: string): string {
  const rest = url.startsWith(MOUNT_PATH) ? url.slice(MOUNT_PATH.length) : url.replace(PATH_INSERTED, '$1');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Addresses in answers are made from these headers. They say what was configured, whatever the caller sent. */
function arriveAt(publicUrl: URL, { headers }: IncomingMessage): void {
  headers.host = publicUrl.host;
  headers['x-forwarded-proto'] = publicUrl.protocol.slice(0, -1);
  delete headers['x-forwarded-host'];
}

/**
 * Cross-origin access for clients that run in a browser, such as the MCP Inspector: also to the registration, which
 * `oidc-provider` keeps to itself. No endpoint here reads a cookie. Answers whether the request was a preflight.
 */
function allowAnyOrigin(request: IncomingMessage, response: ServerResponse): boolean {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-expose-headers', 'WWW-Authenticate');
  if (request.method !== 'OPTIONS') return false;
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'Authorization, Content-Type, MCP-Protocol-Version',
    'access-control-max-age': '3600',
  });
  response.end();
  return true;
}
