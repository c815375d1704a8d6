import { findApiKeySource, identityProblems, type IdentitySource } from '@sallyport/identity';
import type { Problem } from '@sallyport/mcp';
import { managementProblems } from './administration/revocation-management.js';
import type { SallyportOptions } from './sallyport.options.js';

/** Everything that is wrong with the options by themselves, before anything is built from them. */
export function optionProblems(options: SallyportOptions, production: boolean): Problem[] {
  const sources = Array.isArray(options.identity) ? options.identity : [];
  return [
    ...serverProblems(options),
    ...identityProblems(sources, { resource: options.resource, production }),
    ...keyManagerProblems(options, sources),
    ...managementProblems(options),
    ...scopeProblems(options),
    ...limitProblems(options),
    ...failureProblems(options),
    ...originProblems(options),
  ];
}

function serverProblems({ server, anonymous, drainSeconds }: SallyportOptions): Problem[] {
  const problems: Problem[] = [];
  if (!isText(server?.name) || !isText(server.version)) {
    problems.push({
      code: 'server',
      message: "The server has no name or version: write server: { name: 'acme', version: '1.0.0' }.",
    });
  }
  if (anonymous !== undefined && anonymous !== 'public-entries' && anonymous !== 'refuse') {
    problems.push({
      code: 'anonymous',
      message: "anonymous is unknown: write 'public-entries' or 'refuse'.",
    });
  }
  if (drainSeconds !== undefined && !(Number.isFinite(drainSeconds) && drainSeconds >= 0)) {
    problems.push({
      code: 'drain_seconds',
      message: 'drainSeconds is no number of seconds: write drainSeconds: 10.',
    });
  }
  return problems;
}

/** A role that nobody can hold would leave the management of keys to nobody. */
function keyManagerProblems({ roles = {} }: SallyportOptions, sources: readonly IdentitySource[]): Problem[] {
  const role = findApiKeySource(sources)?.settings.manage?.role;
  const known = Object.entries(roles).flat(2);
  if (role === undefined || known.includes(role)) return [];
  const message = `API keys are managed by the role "${role}", which is not configured: add it to roles: { '${role}': [] }, or correct its name.`;
  return [{ code: 'unknown_role', message }];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

/** `offline_access` is the client's business with its provider, never this resource's (MCP, authorization). */
function scopeProblems({ signInScopes = [] }: SallyportOptions): Problem[] {
  return signInScopes
    .filter((scope) => scope === 'offline_access' || !/^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope))
    .map((scope) => ({
      code: 'sign_in_scopes',
      message: `signInScopes holds "${scope}", which is no scope of this server: leave it out.`,
    }));
}

function limitProblems({ limits = {} }: SallyportOptions): Problem[] {
  return Object.entries(limits)
    .filter(([, value]) => !Number.isSafeInteger(value) || value < 1)
    .map(([name]) => ({ code: 'limits', message: `limits.${name} must be a whole number of at least 1.` }));
}

function failureProblems({ failedAuthentications = {} }: SallyportOptions): Problem[] {
  return Object.entries(failedAuthentications)
    .filter(([, value]) => !Number.isSafeInteger(value) || value < 1)
    .map(([name]) => ({
      code: 'failed_authentications',
      message: `failedAuthentications.${name} must be a whole number of at least 1.`,
    }));
}

function originProblems({ allowedOrigins = [], allowedHosts = [] }: SallyportOptions): Problem[] {
  const origins = allowedOrigins
    .filter((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin)
    .map((origin) => ({
      code: 'allowed_origins',
      message: `allowedOrigins holds "${origin}", which is no origin: write one such as https://app.example, without a path.`,
    }));
  const hosts = allowedHosts
    .filter((host) => !/^[A-Za-z0-9.-]+$|^\[[0-9A-Fa-f:]+\]$/.test(host))
    .map((host) => ({
      code: 'allowed_hosts',
      message: `allowedHosts holds "${host}", which is no host name: write one such as mcp.example, without a port.`,
    }));
  return [...origins, ...hosts];
}
