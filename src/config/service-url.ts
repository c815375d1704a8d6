import { isIPv4 } from 'node:net';

/** Whether traffic to this host never leaves the machine, so that plain `http:` shows nothing to anyone. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * The URL of a service that receives or vouches for tokens: `https:`, or `http:` on loopback (RFC 6749 §3.1, RFC 8252
 * §8.3); without user, query and fragment. `undefined` when the text is anything else.
 */
export function serviceUrl(text: string): URL | undefined {
  if (!URL.canParse(text) || /[?#\s\\]/.test(text)) return undefined;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return undefined;
  const safe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  return safe ? url : undefined;
}

/** The origin, when the text names an origin and nothing more; one trailing slash is forgiven. */
export function serviceOrigin(text: string): string | undefined {
  const url = serviceUrl(text);
  return url?.pathname === '/' ? url.origin : undefined;
}
