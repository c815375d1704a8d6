interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** Keeps the cookies of one origin, as far as a sign-in needs it (RFC 6265 §5.3, §5.4): name, path and removal. */
export class CookieJar {
  private readonly cookies = new Map<string, Cookie>();

  /** Takes over the `Set-Cookie` headers of an answer. */
  store(headers: Headers): void {
    for (const line of headers.getSetCookie()) this.storeOne(line);
  }

  /** The `Cookie` header for an address, or `undefined` when no cookie belongs there. */
  header(url: URL): string | undefined {
    const matching = [...this.cookies.values()].filter(({ path }) => isBelow(url.pathname, path));
    if (matching.length === 0) return undefined;
    const longestPathFirst = matching.sort((one, other) => other.path.length - one.path.length);
    return longestPathFirst.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  private storeOne(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const path = attribute(attributes, 'path') ?? '/';
    const expires = attribute(attributes, 'expires');
    const key = `${name} ${path}`;
    if (expires !== undefined && Date.parse(expires) <= Date.now()) this.cookies.delete(key);
    else this.cookies.set(key, { name, value, path });
  }
}

function attribute(attributes: readonly string[], name: string): string | undefined {
  const found = attributes.find((text) => text.toLowerCase().startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

function isBelow(pathname: string, path: string): boolean {
  if (!pathname.startsWith(path)) return false;
  return pathname.length === path.length || path.endsWith('/') || pathname[path.length] === '/';
}
