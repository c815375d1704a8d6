import { findApiKeySource, identityProblems, type IdentitySource } from '@sallyport/identity';
import { isScopeToken, type Problem } from '@sallyport/mcp';
import { auditReadingProblems } from './administration/audit-reading.js';
import { managementProblems } from './administration/revocation-management.js';
import { lockOptionProblems } from './policy-lock.js';
import type { SallyportOptions } from './sallyport.options.js';
import { streamProblems } from './stream-problems.js';

/** Everything that is wrong with the options by themselves, before anything is built from them. */
export function optionProblems(options: SallyportOptions, production: boolean): Problem[] {
  const sources = Array.isArray(options.identity) ? options.identity : [];
  return [
    ...unknownProblems(options),
    ...shapeProblems(options),
    ...serverProblems(options),
    ...identityProblems(sources, { resource: options.resource, production }),
    ...keyManagerProblems(options, sources),
    ...managementProblems(options),
    ...auditReadingProblems(options),
    ...scopeProblems(options),
    ...decisionProblems(options),
    ...lockOptionProblems(options),
    ...limitProblems(options),
    ...streamProblems(options),
    ...failureProblems(options),
    ...originProblems(options),
  ];
}

const KNOWN: Record<keyof SallyportOptions, true> = {
  server: true,
  resource: true,
  identity: true,
  roles: true,
  roleDirectory: true,
  decisionTimeoutMs: true,
  scopes: true,
  listing: true,
  anonymous: true,
  signInScopes: true,
  instructions: true,
  lock: true,
  limits: true,
  allowedHosts: true,
  allowedOrigins: true,
  audit: true,
  revocations: true,
  identityStore: true,
  tenancy: true,
  tokenCache: true,
  failedAuthentications: true,
  subscriptions: true,
  sessions: true,
  drainSeconds: true,
};
const LIMITS = ['maxBodyBytes', 'maxDepth', 'maxElements'];

/** An option that nobody reads is a promise that nobody keeps: `anonymos: 'refuse'` would let everybody in. */
function unknownProblems(options: SallyportOptions): Problem[] {
  const names = Object.keys(options).filter((name) => !Object.hasOwn(KNOWN, name));
  const limits = Object.keys(options.limits ?? {}).filter((name) => !LIMITS.includes(name));
  return [...names, ...limits.map((name) => `limits.${name}`)].map((name) => ({
    code: 'unknown_option',
    message: `The option ${name} is unknown: write one of ${[...Object.keys(KNOWN), ...LIMITS.map((limit) => `limits.${limit}`)].join(', ')}.`,
  }));
}

/** TypeScript says the same; JavaScript, and options read from elsewhere, get past it. */
function shapeProblems({ roles, scopes, signInScopes }: SallyportOptions): Problem[] {
  const inclusions = Object.entries({ roles, scopes })
    .filter(([, value]) => value !== undefined && !isInclusions(value))
    .map(([name]) => ({
      code: name,
      message: `${name} is no map of names to lists of names: write ${name}: { 'one': ['other'] }.`,
    }));
  if (signInScopes === undefined || isTexts(signInScopes)) return inclusions;
  return [
    ...inclusions,
    { code: 'sign_in_scopes', message: "signInScopes is no list: write signInScopes: ['crm:read']." },
  ];
}

function isInclusions(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isTexts)
  );
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
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
  if (
    drainSeconds !== undefined &&
    !(Number.isFinite(drainSeconds) && drainSeconds >= 0 && drainSeconds <= 86_400)
  ) {
    problems.push({
      code: 'drain_seconds',
      message: 'drainSeconds is no number of seconds up to a day: write drainSeconds: 10.',
    });
  }
  return problems;
}

/** A role that nobody can hold would leave the management of keys to nobody. */
function keyManagerProblems({ roles = {} }: SallyportOptions, sources: readonly IdentitySource[]): Problem[] {
  if (!isInclusions(roles)) return [];
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
  if (!isTexts(signInScopes)) return [];
  return signInScopes
    .filter((scope) => scope === 'offline_access' || !isScopeToken(scope))
    .map((scope) => ({
      code: 'sign_in_scopes',
      message: `signInScopes holds "${scope}", which is no scope of this server: leave it out.`,
    }));
}

function decisionProblems({ roleDirectory, decisionTimeoutMs: timeout }: SallyportOptions): Problem[] {
  const problems: Problem[] = [];
  if (roleDirectory !== undefined && typeof roleDirectory !== 'function') {
    problems.push({
      code: 'role_directory',
      message:
        'roleDirectory is no class: write roleDirectory: StaffRoles, a provider that extends RoleDirectory.',
    });
  }
  if (timeout !== undefined && !(Number.isSafeInteger(timeout) && timeout >= 1 && timeout <= 60_000)) {
    problems.push({
      code: 'decision_timeout',
      message:
        'decisionTimeoutMs is no whole number of milliseconds up to a minute: write decisionTimeoutMs: 2000.',
    });
  }
  return problems;
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
