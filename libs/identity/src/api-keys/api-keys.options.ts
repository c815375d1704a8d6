import type { IdentityProblem } from '../identity.problems.js';
import { isPlainPath } from '../metadata/resource-metadata.js';
import { isScopeToken } from '@sallyport/mcp';
import { ENVIRONMENT } from './key-format.js';
import type { Pepper } from './key-hash.js';

/** Who may manage keys over HTTP, and where. */
export interface ApiKeyManagement {
  /** The role a person must have; one that includes it will do. */
  readonly role: string;
  /**
   * The scope the person must have consented to, so that an agent that works for an administrator cannot issue keys by
   * itself. Default `keys:manage`.
   */
  readonly scope?: string | undefined;
  /** Where the endpoints are. Default `/keys`. */
  readonly path?: string | undefined;
}

export interface ApiKeysOptions {
  /**
   * What key hashes are made with, from the configuration and never from the database: one secret of at least 32
   * characters, or several versions, the first of which is for new keys. A version is needed until the last key that
   * was issued with it has expired.
   */
  readonly pepper: string | undefined | readonly Pepper[];
  /** Stands in every key; keys of another environment are refused. Default `live`. */
  readonly environment?: string | undefined;
  /** The longest a key may live, in days. Default 365. */
  readonly longestLifeDays?: number | undefined;
  /** How long a rotated key goes on working when nothing else is said, in seconds. Default 86400: a day. */
  readonly overlapSeconds?: number | undefined;
  /** Whether a key may also come as `X-API-Key`. Default `false`. */
  readonly acceptHeader?: boolean | undefined;
  /** Absent: keys are managed by the `sallyport` command alone. */
  readonly manage?: ApiKeyManagement | undefined;
  /** Milliseconds since the epoch. Default: that of the server; for tests. */
  readonly clock?: (() => number) | undefined;
}

/** The options with every default filled in. */
export interface ApiKeySettings {
  readonly peppers: readonly Pepper[];
  readonly environment: string;
  readonly longestLifeDays: number;
  readonly overlapSeconds: number;
  readonly acceptHeader: boolean;
  readonly manage: Required<ApiKeyManagementText> | undefined;
  readonly clock: (() => number) | undefined;
}

interface ApiKeyManagementText {
  readonly role: string;
  readonly scope: string;
  readonly path: string;
}

/** No key may overlap its successor for longer. */
export const LONGEST_OVERLAP_SECONDS = 30 * 86_400;
const SHORTEST_PEPPER = 32;
const MOST_DAYS = 3650;

export function apiKeySettings(options: ApiKeysOptions): ApiKeySettings {
  const { pepper, manage } = options;
  return {
    peppers: typeof pepper === 'string' ? [{ version: '1', secret: pepper }] : (pepper ?? []),
    environment: options.environment ?? 'live',
    longestLifeDays: options.longestLifeDays ?? 365,
    overlapSeconds: options.overlapSeconds ?? 86_400,
    acceptHeader: options.acceptHeader ?? false,
    manage: manage && {
      role: manage.role,
      scope: manage.scope ?? 'keys:manage',
      path: manage.path ?? '/keys',
    },
    clock: options.clock,
  };
}

/** Everything that must not boot, and what to write instead. */
export function apiKeyProblems(settings: ApiKeySettings, resource: string | undefined): IdentityProblem[] {
  return [
    ...pepperProblems(settings.peppers),
    ...limitProblems(settings),
    ...manageProblems(settings, resource),
  ];
}

function pepperProblems(peppers: readonly Pepper[]): IdentityProblem[] {
  const make = 'write pepper: process.env.API_KEY_PEPPER, and make one with: openssl rand -base64 32';
  if (peppers.length === 0)
    return [problem('api_key_pepper', `apiKeys() has no pepper to hash keys with: ${make}.`)];
  if (peppers.some(({ secret }) => typeof secret !== 'string' || secret.length < SHORTEST_PEPPER)) {
    return [
      problem(
        'api_key_pepper',
        `A pepper of apiKeys() is shorter than ${SHORTEST_PEPPER} characters: ${make}.`,
      ),
    ];
  }
  const versions = peppers.map(({ version }) => version);
  if (
    new Set(versions).size === versions.length &&
    versions.every((version) => /^[\w.-]{1,32}$/.test(version))
  )
    return [];
  const says = "Every pepper of apiKeys() needs a version of its own, such as { version: '2', secret: … }.";
  return [problem('api_key_pepper', says)];
}

function limitProblems(settings: ApiKeySettings): IdentityProblem[] {
  const { environment, longestLifeDays, overlapSeconds } = settings;
  const problems: IdentityProblem[] = [];
  if (!ENVIRONMENT.test(environment)) {
    const says =
      "The environment of apiKeys() stands in every key: write lower-case letters and digits, such as 'live'.";
    problems.push(problem('api_key_options', says));
  }
  if (!isWhole(longestLifeDays, 1, MOST_DAYS)) {
    const says = `longestLifeDays of apiKeys() must be a whole number of days from 1 to ${MOST_DAYS}.`;
    problems.push(problem('api_key_options', says));
  }
  if (!isWhole(overlapSeconds, 0, LONGEST_OVERLAP_SECONDS)) {
    const says = `overlapSeconds of apiKeys() must be a whole number of seconds from 0 to ${LONGEST_OVERLAP_SECONDS}.`;
    problems.push(problem('api_key_options', says));
  }
  return problems;
}

function manageProblems({ manage }: ApiKeySettings, resource: string | undefined): IdentityProblem[] {
  if (manage === undefined) return [];
  const problems: IdentityProblem[] = [];
  if (typeof manage.role !== 'string' || manage.role.trim() === '') {
    const says = "apiKeys() does not say who manages keys: write manage: { role: 'agent:admin' }.";
    problems.push(problem('api_key_manage', says));
  }
  if (!isScopeToken(manage.scope)) {
    const says = "manage.scope of apiKeys() is no scope: write one such as 'keys:manage'.";
    problems.push(problem('api_key_manage', says));
  }
  if (!isPlainPath(manage.path) || manage.path === '/' || manage.path === pathOf(resource)) {
    const says =
      "manage.path of apiKeys() must be a plain path other than the endpoint's: write one such as '/keys'.";
    problems.push(problem('api_key_manage', says));
  }
  return problems;
}

function pathOf(resource: string | undefined): string | undefined {
  return resource !== undefined && URL.canParse(resource) ? new URL(resource).pathname : undefined;
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function problem(code: IdentityProblem['code'], message: string): IdentityProblem {
  return { code, message };
}
