import { isRecord } from '../is-record.js';
import { discover } from '../jwt/discovery.js';
import { FetchFailed, fetchJson } from '../jwt/fetch-json.js';
import type { Introspected } from './introspected-claims.js';

/** How the server proves to the issuer who is asking (RFC 7591 §2). */
export type ClientAuthentication = 'client_secret_basic' | 'client_secret_post';

export interface IntrospectionAccess {
  readonly issuer: string;
  /** `undefined`: found by discovery. */
  readonly endpoint: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clientAuthentication: ClientAuthentication;
}

/** How long a part of a look-up may take, and a discovered address is used; in milliseconds. */
export const INTROSPECTION_TIMES = {
  answer: 4_000,
  discovery: 4_000,
  fresh: 10 * 60_000,
  retry: 5_000,
} as const;

const MAX_ANSWER_BYTES = 32 * 1024;

/** Asks an issuer about tokens (RFC 7662). Answers as JWT (RFC 9701) are not supported, and not asked for. */
export class IntrospectionClient {
  private discovered: { readonly endpoint: string; readonly freshUntil: number } | undefined;
  private discovering: Promise<string> | undefined;
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly access: IntrospectionAccess,
    private readonly clock: () => number,
    private readonly answerTimeoutMs: number = INTROSPECTION_TIMES.answer,
  ) {}

  /**
   * What the issuer says of a token; `undefined`: that it is not active.
   *
   * @throws {@link FetchFailed} saying why there is no answer, for the log
   */
  async ask(token: string): Promise<Introspected | undefined> {
    const endpoint = this.access.endpoint ?? (await this.discoveredEndpoint());
    const answer = await this.post(endpoint, token);
    if (!isRecord(answer) || typeof answer['active'] !== 'boolean')
      throw new FetchFailed(endpoint, 'does not say whether a token is active');
    return answer['active'] ? without(answer, token) : undefined;
  }

  private async post(endpoint: string, token: string): Promise<unknown> {
    try {
      return await fetchJson(endpoint, AbortSignal.timeout(this.answerTimeoutMs), {
        ...this.credentials(token),
        maxBytes: MAX_ANSWER_BYTES,
      });
    } catch (error) {
      this.doubt();
      throw error;
    }
  }

  /** The endpoint may have moved: it is looked up again, though not with every failure. */
  private doubt(): void {
    if (this.discovered === undefined) return;
    const { endpoint, freshUntil } = this.discovered;
    this.discovered = {
      endpoint,
      freshUntil: Math.min(freshUntil, this.clock() + INTROSPECTION_TIMES.retry),
    };
  }

  private credentials(token: string): { form: URLSearchParams; authorization?: string } {
    const { clientId, clientSecret, clientAuthentication } = this.access;
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' });
    if (clientAuthentication === 'client_secret_basic')
      return { form, authorization: basic(clientId, clientSecret) };
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret);
    return { form };
  }

  private async discoveredEndpoint(): Promise<string> {
    const { discovered } = this;
    if (discovered !== undefined && this.clock() < discovered.freshUntil) return discovered.endpoint;
    this.discovering ??= this.discover().finally(() => {
      this.discovering = undefined;
    });
    return this.discovering;
  }

  /** Stays with the address it knows when the metadata cannot be had: the endpoint itself will tell. */
  private async discover(): Promise<string> {
    const { issuer } = this.access;
    if (this.clock() - this.failedAt < INTROSPECTION_TIMES.retry)
      throw new FetchFailed(issuer, 'had no usable metadata a moment ago');
    try {
      const signal = AbortSignal.timeout(INTROSPECTION_TIMES.discovery);
      return this.use(await discover(issuer, 'introspection_endpoint', signal));
    } catch (error) {
      if (this.discovered !== undefined) return this.use(this.discovered.endpoint);
      this.failedAt = this.clock();
      throw error;
    }
  }

  private use(endpoint: string): string {
    this.discovered = { endpoint, freshUntil: this.clock() + INTROSPECTION_TIMES.fresh };
    return endpoint;
  }
}

/** RFC 6749 §2.3.1: each part in the form encoding first. */
function basic(clientId: string, clientSecret: string): string {
  const [id, secret] = [clientId, clientSecret].map((part) =>
    new URLSearchParams({ '': part }).toString().slice(1),
  );
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

/** Some issuers give the token as its own `jti`, which would take it into the audit. */
function without(answer: Record<string, unknown>, token: string): Introspected {
  return Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== token));
}
