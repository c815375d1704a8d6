import { CookieJar } from './cookie-jar.js';

export interface HeadlessSignInOptions {
  /** The person to be, such as `priya`. */
  readonly as: string;
  /** What to answer on the consent page. Default: `allow`. */
  readonly consent?: 'allow' | 'deny';
  /** The cookies of a browser that was here before. Default: a new browser. */
  readonly jar?: CookieJar;
}

/** The sign-in ended on a page instead of going back to the client. */
export class HeadlessSignInError extends Error {
  override readonly name = 'HeadlessSignInError';

  constructor(
    message: string,
    /** The error code the page names, such as `invalid_redirect_uri`. */
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

/** More pages and redirects than any sign-in has. */
const MOST_STEPS = 20;

/**
 * Signs in as a browser would, without one: follows the redirects, keeps the cookies and presses the real buttons of
 * the real pages.
 *
 * @returns the redirect to the client, with `code` or `error` in its query
 * @throws {@link HeadlessSignInError} when a page has no way on, and what `fetch` throws
 * @example
 * ```ts
 * const callback = await headlessSignIn(authorizationUrl, { as: 'priya' });
 * const code = callback.searchParams.get('code');
 * ```
 */
export async function headlessSignIn(
  authorizationUrl: URL | string,
  options: HeadlessSignInOptions,
): Promise<URL> {
  const start = new URL(authorizationUrl);
  const redirectUri = start.searchParams.get('redirect_uri');
  const browser = new Browser(options.jar ?? new CookieJar());
  let request: PageRequest = { method: 'GET', url: start };
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const next = await nextRequest(await browser.send(request), request.url, options);
    if (isCallback(next.url, redirectUri, start.origin)) return next.url;
    request = next;
  }
  throw new HeadlessSignInError(`The sign-in went on for more than ${MOST_STEPS} pages.`, undefined);
}

interface PageRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly form?: URLSearchParams;
}

class Browser {
  constructor(private readonly jar: CookieJar) {}

  async send({ method, url, form }: PageRequest): Promise<Response> {
    const cookie = this.jar.header(url);
    const headers = new Headers(cookie === undefined ? {} : { cookie });
    if (method === 'POST') headers.set('origin', url.origin);
    const body = method === 'POST' ? (form ?? '') : null;
    const response = await fetch(url, { method, headers, body, redirect: 'manual' });
    this.jar.store(response.headers);
    return response;
  }
}

async function nextRequest(
  response: Response,
  base: URL,
  options: HeadlessSignInOptions,
): Promise<PageRequest> {
  const location = response.headers.get('location');
  if (location !== null) return { method: 'GET', url: new URL(location, base) };
  const page = await response.text();
  const next = response.ok ? (pressButton(page, base, options) ?? submitForm(page, base)) : undefined;
  if (next === undefined) throw endOfTheWay(page, options);
  return next;
}

/** The buttons of our pages name the choice they stand for. */
function pressButton(
  page: string,
  base: URL,
  { as, consent = 'allow' }: HeadlessSignInOptions,
): PageRequest | undefined {
  const buttons = [...page.matchAll(/<button\s[^>]*?formaction="([^"]*)"\s+data-choice="([^"]*)"/g)];
  const [, action] = buttons.find(([, , choice]) => choice === as || choice === consent) ?? [];
  return action === undefined ? undefined : { method: 'POST', url: new URL(action, base) };
}

/** The page of `oidc-provider` that a script would submit: it signs out who was signed in before. */
function submitForm(page: string, base: URL): PageRequest | undefined {
  const [, action] = /<form method="post" action="([^"]*)"/.exec(page) ?? [];
  if (action === undefined) return undefined;
  const inputs = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  const form = new URLSearchParams(
    inputs.map(([, name = '', value = '']): [string, string] => [name, value]),
  );
  return { method: 'POST', url: new URL(action, base), form };
}

/** The client is where the request said, or anywhere that is not the provider when the request left it out. */
function isCallback(url: URL, redirectUri: string | null, providerOrigin: string): boolean {
  if (redirectUri === null) return url.origin !== providerOrigin;
  const expected = new URL(redirectUri);
  return (
    url.protocol === expected.protocol && url.host === expected.host && url.pathname === expected.pathname
  );
}

function endOfTheWay(page: string, { as }: HeadlessSignInOptions): HeadlessSignInError {
  const people = [...page.matchAll(/formaction="[^"]*\/as\/[^"]*"\s+data-choice="([^"]*)"/g)].map(
    ([, id]) => id,
  );
  if (people.length > 0) {
    return new HeadlessSignInError(
      `Nobody is called "${as}" here. There are ${people.join(', ')}.`,
      undefined,
    );
  }
  const [, code, sentence] = /<p data-error="([^"]*)">([^<]*)</.exec(page) ?? [];
  const [, title = 'The sign-in page cannot be read'] = /<h1>([^<]*)</.exec(page) ?? [];
  return new HeadlessSignInError(
    sentence === undefined ? `${title}.` : `The provider says: ${sentence}`,
    code,
  );
}
