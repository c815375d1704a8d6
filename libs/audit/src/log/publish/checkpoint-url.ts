import { AuditSetupError } from '../../audit.errors.js';
import type { CheckpointPublisher } from './checkpoint-publisher.js';

export interface CheckpointUrlOptions {
  /** Sent as `Authorization: Bearer …`. A secret. */
  readonly token?: string;
  /** How a checkpoint is written. Default `PUT`. */
  readonly method?: 'PUT' | 'POST';
  /** Default 5000. */
  readonly timeoutMs?: number;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const LONGEST_NOTE_CHARACTERS = 64 * 1024;

/**
 * Writes each checkpoint to a URL as `text/plain`, and reads the newest one from it: 200 with the note, 204 or 404 when
 * there is none yet. Redirects are errors, because they would carry the token elsewhere.
 *
 * @throws AuditSetupError unless the URL is https, or http on loopback, and holds no user
 * @example
 * audit: { log: { key, publish: [checkpointUrl('https://evidence.acme.example/checkpoint', { token })] } }
 */
export function checkpointUrl(url: string, options: CheckpointUrlOptions = {}): CheckpointPublisher {
  const { origin, pathname } = checkedUrl(url);
  const { token, method = 'PUT', timeoutMs = 5000 } = options;
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const ask = (init: RequestInit) =>
    answerOf(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs), headers });
  return {
    name: `${origin}${pathname}`,
    publish: async ({ note }) => {
      const answer = await ask({ method, body: note });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`It answered ${answer.status}.`);
    },
    latest: async () => noteOf(await ask({ method: 'GET' })),
  };
}

/** What `fetch` says of a failure may quote the headers. */
async function answerOf(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new Error('It cannot be reached, or did not answer in time.');
  }
}

async function noteOf(answer: Response): Promise<string | undefined> {
  if (answer.status === 404 || answer.status === 204) {
    await answer.body?.cancel();
    return undefined;
  }
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new Error(`It answered ${answer.status}.`);
  }
  return boundedBody(answer);
}

/** Whoever answers decides how long the answer is. */
async function boundedBody({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LONGEST_NOTE_CHARACTERS) throw new Error('Its answer is too long for a checkpoint.');
  }
  return text + decoder.decode();
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname));
  if (url !== undefined && secure && url.username === '' && url.password === '') return url;
  throw new AuditSetupError(
    "checkpointUrl takes an https URL (http on loopback) without a user: write checkpointUrl('https://evidence.acme.example/checkpoint', { token }).",
  );
}
