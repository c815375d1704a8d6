import { isLoopback } from '@sallyport/mcp';

import { AuditSetupError } from '../../audit.errors.js';
import type { ExportFormat } from '../export-format.js';
import { SinkError, type AuditSink, type SinkBatch } from './audit-sink.js';

export interface HttpSinkOptions {
  /** Sent as `Authorization: Bearer …`. A secret: from the environment, never from the source. */
  readonly token?: string;
  /** Default `jsonl`. */
  readonly format?: ExportFormat;
  /** Under which the position is kept. Default: origin and path of the URL. */
  readonly name?: string;
}

/**
 * Posts batches as `application/x-ndjson`, one record in each line. An answer of 200 to 299 confirms the batch; after any
 * other, or none, the records are posted again. Redirects are errors, because they would carry the token elsewhere.
 *
 * @throws AuditSetupError unless the URL is https, or http on loopback, and holds no user
 * @example
 * audit: { followers: [httpSink('https://siem.acme.example/ingest', { token, format: 'ocsf' })] }
 */
export function httpSink(url: string, options: HttpSinkOptions = {}): AuditSink {
  const { origin, pathname } = checkedUrl(url);
  const { token, format = 'jsonl', name = `${origin}${pathname}` } = options;
  const headers = {
    'content-type': 'application/x-ndjson',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const post = async ({ lines }: SinkBatch, signal: AbortSignal) => {
    const body = lines.map((line) => `${line}\n`).join('');
    const answer = await ask(url, { method: 'POST', redirect: 'error', headers, body, signal });
    // What it says beyond the status is of no interest, and may be without end.
    await answer.body?.cancel();
    if (!answer.ok) throw new SinkError(`it answered ${answer.status}`);
  };
  return { name, format, deliver: post };
}

/** What `fetch` says of a failure may quote the headers. */
async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new SinkError(init.signal?.aborted === true ? 'it did not answer in time' : 'it cannot be reached');
  }
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (url !== undefined && isSecure && url.username === '' && url.password === '') return url;
  throw new AuditSetupError(
    "httpSink takes an https URL (http on loopback) without a user: write httpSink('https://siem.acme.example/ingest', { token }).",
  );
}
