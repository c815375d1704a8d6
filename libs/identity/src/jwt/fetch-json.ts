import { parseStrictJson } from '@sallyport/mcp';
import { isSecure, webUrl } from '../secure-url.js';

/** Larger than any metadata or key set in use; smaller than what would hurt. */
const MAX_BYTES = 512 * 1024;

/** What is sent along, when it is not a mere look. */
export interface FetchOptions {
  /** Posted. */
  readonly form?: URLSearchParams;
  readonly authorization?: string;
  /** Longest answer. Default: 512 KiB. */
  readonly maxBytes?: number;
}

const JSON_LIMITS = { maxDepth: 16, maxElements: 20_000 };

/** A document of the issuer could not be had. The message is for the operator's log. */
export class FetchFailed extends Error {
  constructor(url: string, why: string) {
    super(`${url} ${why}`);
    this.name = 'FetchFailed';
  }
}

/**
 * Gets one JSON document, or posts a form for it: https (or loopback), no redirect, bounded in size; the signal bounds the time.
 *
 * @throws {@link FetchFailed}
 */
export async function fetchJson(
  address: string,
  signal: AbortSignal,
  { form, authorization, maxBytes = MAX_BYTES }: FetchOptions = {},
): Promise<unknown> {
  const url = webUrl(address);
  if (url === undefined || !isSecure(url))
    throw new FetchFailed(JSON.stringify(address), 'is not an https:// URL');
  try {
    const response = await fetch(url, {
      signal,
      redirect: 'manual',
      headers: { accept: 'application/json', ...(authorization !== undefined && { authorization }) },
      ...(form && { method: 'POST', body: form }),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new FetchFailed(address, `answered ${response.status}, not 200`);
    }
    return parseStrictJson(await readBounded(address, response, maxBytes), JSON_LIMITS);
  } catch (error) {
    throw error instanceof FetchFailed ? error : new FetchFailed(address, reasonOf(error));
  }
}

async function readBounded(address: string, response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new FetchFailed(address, `is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (error.name === 'TimeoutError') return 'did not answer in time';
  const cause: unknown = error.cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : error.name;
  return `failed (${code})`;
}
