import type { IdentitySource } from './identity.source.js';
import { isLoopback, isSecure, webUrl } from './secure-url.js';

/** Something that must not boot, and what to write instead. */
export interface IdentityProblem {
  readonly code: IdentityProblemCode;
  readonly message: string;
}

export type IdentityProblemCode =
  | 'no_source'
  | 'resource_missing'
  | 'resource_invalid'
  | 'resource_insecure'
  | 'issuer_invalid'
  | 'issuer_insecure'
  | 'duplicate_issuer'
  | 'duplicate_name'
  | 'api_key_pepper'
  | 'api_key_options'
  | 'api_key_manage';

/** Everything that is unsafe or impossible in this configuration; empty when it may boot. */
export function identityProblems(
  sources: readonly IdentitySource[],
  environment: { readonly resource: string | undefined; readonly production: boolean },
): IdentityProblem[] {
  return [
    ...sourceProblems(sources),
    ...resourceProblems(environment.resource),
    ...sources.flatMap((source) => issuerProblems(source, environment.production)),
    ...sources.flatMap((source) => source.problems?.(environment) ?? []),
  ];
}

function sourceProblems(sources: readonly IdentitySource[]): IdentityProblem[] {
  if (sources.length === 0) {
    return [
      problem(
        'no_source',
        "No identity source is configured: write identity: [oidc({ issuer: 'https://…' })], or passportIdentity({ … }) for a strategy you have.",
      ),
    ];
  }
  return [
    ...duplicates(sources.map((source) => source.name)).map((name) =>
      problem('duplicate_name', `Two identity sources are named ${quote(name)}: give one another name.`),
    ),
    ...duplicates(sources.flatMap((source) => source.issuer ?? [])).map((issuer) =>
      problem(
        'duplicate_issuer',
        `Two identity sources stand for issuer ${quote(issuer)}: a token is judged by one source only, so remove one of them.`,
      ),
    ),
  ];
}

function resourceProblems(resource: string | undefined): IdentityProblem[] {
  if (!resource) {
    return [
      problem(
        'resource_missing',
        "No resource is configured, so tokens would have no audience: write resource: 'https://mcp.example.com/mcp'.",
      ),
    ];
  }
  const url = webUrl(resource);
  if (url === undefined || resource.includes('#')) {
    return [
      problem(
        'resource_invalid',
        `resource ${quote(resource)} is not an absolute URL without fragment and credentials (RFC 8707 §2): write the URL of the endpoint as clients know it, such as 'https://mcp.example.com/mcp'.`,
      ),
    ];
  }
  return isSecure(url) ? [] : [problem('resource_insecure', plainHttp('resource', resource, url))];
}

function issuerProblems(source: IdentitySource, production: boolean): IdentityProblem[] {
  const issuer = source.authorizationServer;
  if (issuer === undefined) return [];
  const url = webUrl(issuer);
  if (url === undefined || /[?#]/.test(issuer)) {
    return [
      problem(
        'issuer_invalid',
        `issuer ${quote(issuer)} is not a URL without query, fragment and credentials (RFC 8414 §2): write it exactly as the "issuer" member of the provider's metadata says.`,
      ),
    ];
  }
  if (!isSecure(url)) return [problem('issuer_insecure', plainHttp('issuer', issuer, url))];
  if (production && url.protocol === 'http:' && isLoopback(url)) {
    return [
      problem(
        'issuer_insecure',
        `issuer ${quote(issuer)} is a provider on this machine, which is for development: write the https:// issuer of your identity provider.`,
      ),
    ];
  }
  return [];
}

function plainHttp(what: string, text: string, url: URL): string {
  return `${what} ${quote(text)} is plain http: write ${quote(`https://${url.host}${url.pathname === '/' ? '' : url.pathname}`)}, or http://localhost:… on a development machine.`;
}

function duplicates(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

function problem(code: IdentityProblemCode, message: string): IdentityProblem {
  return { code, message };
}

function quote(text: string): string {
  return `'${text}'`;
}
