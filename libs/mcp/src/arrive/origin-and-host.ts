/** Which browsers and which host names may speak to the endpoint. */
export interface Gatekeeping {
  /** Host names (no port) the endpoint answers to. */
  readonly hosts: ReadonlySet<string>;
  /** Origins a browser may come from. */
  readonly origins: ReadonlySet<string>;
  /** Whether any port of a loopback origin is welcome (the resource itself is on loopback). */
  readonly loopbackOrigins: boolean;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** True for the host names of this very machine. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.has(hostname.toLowerCase());
}

/** The resource's own host and origin; on loopback every spelling of it; and whatever the configuration adds. */
export function gatekeepingFor(
  resource: URL,
  allowedHosts: readonly string[] = [],
  allowedOrigins: readonly string[] = [],
): Gatekeeping {
  const loopback = isLoopback(resource.hostname);
  const hosts = [resource.hostname, ...allowedHosts, ...(loopback ? LOOPBACK : [])];
  return {
    hosts: new Set(hosts.map((host) => host.toLowerCase())),
    origins: new Set([resource.origin, ...allowedOrigins.map((origin) => new URL(origin).origin)]),
    loopbackOrigins: loopback,
  };
}

/** Against DNS rebinding: the name the client used must be one of ours. */
export function isAllowedHost(host: string | undefined, gatekeeping: Gatekeeping): boolean {
  if (host === undefined || /[^A-Za-z0-9.:[\]-]/.test(host)) return false;
  const url = parse(`http://${host}`);
  return url !== undefined && gatekeeping.hosts.has(url.hostname.toLowerCase());
}

/** A request without an Origin is not from a browser page; one with an Origin must come from a known one. */
export function isAllowedOrigin(origin: string | undefined, gatekeeping: Gatekeeping): boolean {
  if (origin === undefined) return true;
  if (gatekeeping.origins.has(origin)) return true;
  const url = parse(origin);
  return (
    gatekeeping.loopbackOrigins && url !== undefined && url.origin === origin && isLoopback(url.hostname)
  );
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
