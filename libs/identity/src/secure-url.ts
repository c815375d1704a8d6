/** The URL, when `text` is an absolute http(s) URL without credentials in it. */
export function webUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  return isWeb && url.username === '' && url.password === '' ? url : undefined;
}

/** `localhost`, `127.0.0.0/8` or `::1`: the only place where plain http says nothing to a network. */
export function isLoopback(url: URL): boolean {
  return (
    url.hostname === 'localhost' ||
    url.hostname === '[::1]' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(url.hostname)
  );
}

/** https, or http on the loopback interface. */
export function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || isLoopback(url);
}
