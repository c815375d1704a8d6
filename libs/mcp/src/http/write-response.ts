import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

interface FastifyLike {
  readonly raw: ServerResponse;
  hijack(): unknown;
  getHeaders(): Record<string, unknown>;
}

/** The platform's response object. */
export type PlatformResponse = ServerResponse | FastifyLike;

/** Node's own response, taken over from the platform together with the headers that plugins have set on it. */
export function takeOver(response: PlatformResponse): ServerResponse {
  if (!('raw' in response)) return response;
  const headers = response.getHeaders();
  response.hijack();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' || typeof value === 'number') response.raw.setHeader(name, value);
  }
  return response.raw;
}

/** Node's own response, without taking it over. */
export function rawResponse(response: PlatformResponse): ServerResponse {
  return 'raw' in response ? response.raw : response;
}

/** Writes a web `Response` to the platform's response, as a stream when it is one. Resolves when all has been written or the client is gone. */
export async function writeResponse(target: PlatformResponse, response: Response): Promise<void> {
  const raw = takeOver(target);
  if (raw.destroyed || raw.headersSent) return;
  raw.statusCode = response.status;
  response.headers.forEach((value, name) => raw.setHeader(name, value));
  if (response.body === null) {
    raw.end();
    return;
  }
  if (response.headers.get('content-type')?.startsWith('application/json') === true) {
    raw.end(await response.text());
    return;
  }
  raw.flushHeaders();
  try {
    await pipeline(Readable.fromWeb(response.body), raw);
  } catch (error) {
    // The client hung up in the middle of a stream: that is its right, and the call was told by its signal.
    if (!raw.destroyed) throw error;
  }
}
