import type { HttpServer } from '@nestjs/common';
import type { IdentityOptions } from '../identity.options.js';
import { resourceMetadata, resourceMetadataPaths } from './resource-metadata.js';

const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['Access-Control-Allow-Origin', '*'],
  ['Cache-Control', 'public, max-age=3600'],
];

/** Browser clients send `MCP-Protocol-Version` with every request, so they ask first. */
const PREFLIGHT: readonly (readonly [name: string, value: string])[] = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Methods', 'GET, HEAD'],
  ['Access-Control-Allow-Headers', '*'],
  ['Access-Control-Max-Age', '86400'],
];

/**
 * Serves the metadata on Nest's HTTP adapter, Express or Fastify, and not as a controller: a global prefix, a version, an
 * `APP_GUARD` or an interceptor that wraps answers would each break the one document a client without a token must be able
 * to read, and RFC 9728 §3 fixes where it is.
 */
export function serveResourceMetadata(adapter: HttpServer, options: IdentityOptions): void {
  const metadata = resourceMetadata(options);
  for (const path of resourceMetadataPaths(options.path ?? new URL(options.resource).pathname)) {
    adapter.get(path, (_request: unknown, response: unknown) => {
      for (const [name, value] of HEADERS) adapter.setHeader?.(response, name, value);
      adapter.reply(response, metadata, 200);
    });
    adapter.options(path, (_request: unknown, response: unknown) => {
      for (const [name, value] of PREFLIGHT) adapter.setHeader?.(response, name, value);
      adapter.reply(response, undefined, 204);
    });
  }
}
