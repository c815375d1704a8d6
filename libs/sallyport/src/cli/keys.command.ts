import { userInfo } from 'node:os';
import type { INestApplicationContext } from '@nestjs/common';
import {
  ApiKeys,
  type Administrator,
  type ApiKeyFacts,
  type IssuedKey,
  type KeyRequest,
  type RotateRequest,
} from '@sallyport/identity';
import { safeText } from '@sallyport/audit';
import type { Principal } from '@sallyport/mcp';
import { InvalidArgumentError } from 'commander';
import { CliError } from './cli-error.js';
import { renderTable } from './table.js';

interface Printing {
  readonly json?: boolean;
}

/** Options of `keys issue`, as commander hands them over. */
export interface KeysIssueOptions extends Printing {
  readonly name: string;
  readonly scope?: readonly string[];
  readonly role?: readonly string[];
  readonly tenant?: string;
  readonly days: number;
  readonly range?: readonly string[];
}

export interface KeysListOptions extends Printing {
  /** With those that have ended. */
  readonly all?: boolean;
}

export interface KeysRotateOptions extends Printing {
  readonly overlap?: number;
  readonly days?: number;
}

export async function issueKey(context: INestApplicationContext, options: KeysIssueOptions): Promise<string> {
  const { name, scope, role, tenant, days, range, json } = options;
  const request: KeyRequest = {
    name,
    scopes: [...(scope ?? [])],
    roles: [...(role ?? [])],
    tenant: tenant ?? null,
    expiresInDays: days,
    ranges: [...(range ?? [])],
  };
  return issuedText(await keysOf(context).issue(operator(), request), json);
}

export async function listKeys(context: INestApplicationContext, options: KeysListOptions): Promise<string> {
  const keys = await keysOf(context).list(operator());
  const shown =
    options.all === true ? keys : keys.filter(({ state }) => state === 'active' || state === 'overlap');
  if (options.json === true) return JSON.stringify(shown, null, 2);
  const ended = keys.length - shown.length;
  const note = ended === 0 ? '' : ` ${ended} more have ended: say --all to see them.`;
  if (shown.length === 0) return `There are no keys.${note}`;
  return `${renderTable(COLUMNS, shown.map(row), WIDTHS)}\n${shown.length} keys.${note}`;
}

export async function rotateKey(
  context: INestApplicationContext,
  id: string,
  { overlap, days, json }: KeysRotateOptions,
): Promise<string> {
  const request: RotateRequest = {
    id,
    ...(overlap !== undefined && { overlapSeconds: overlap }),
    ...(days !== undefined && { expiresInDays: days }),
  };
  return issuedText(await keysOf(context).rotate(operator(), request), json);
}

export async function revokeKey(
  context: INestApplicationContext,
  id: string,
  { json }: Printing,
): Promise<string> {
  const revoked = await keysOf(context).revoke(operator(), { id });
  if (json === true) return JSON.stringify(revoked, null, 2);
  const others = revoked.stillWorking.join(', ');
  return `Revoked: key ${id} (${revoked.name}). It is refused from the next call on.${
    others === '' ? '' : ` Of the same series, these still work: ${others}.`
  }`;
}

/** Whole seconds from `90s`, `30m`, `24h` or `7d`. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('Write a duration such as 90s, 30m, 24h or 7d.');
  return Number(count) * (SECONDS[unit ?? ''] ?? 1);
}

export function parseDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1) return days;
  throw new InvalidArgumentError('Write a whole number of days.');
}

/** For an option that may be said several times. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const COLUMNS = [
  'id',
  'name',
  'state',
  'tenant',
  'scopes',
  'roles',
  'from',
  'expires (UTC)',
  'last used (UTC)',
];
const WIDTHS = [null, 16, null, null, 18, 20, 16, null, 19];

function keysOf(context: INestApplicationContext): ApiKeys {
  const keys: ApiKeys | undefined = context.get(ApiKeys, { strict: false });
  if (keys !== undefined) return keys;
  throw new CliError(
    'This application has no API keys: add apiKeys({ pepper: process.env.API_KEY_PEPPER }) to identity.',
  );
}

/** Who can run this command has the database and the pepper already, so there are no bounds to keep. */
function operator(): Administrator {
  const principal: Principal = {
    kind: 'process',
    issuer: 'sallyport:cli',
    subject: userInfo().username,
    actors: [],
    scopes: [],
    roles: [],
    credential: { kind: 'process' },
    claims: {},
  };
  return { principal, via: 'cli', address: undefined, bounds: 'none' };
}

function issuedText(issued: IssuedKey, json = false): string {
  if (json) return JSON.stringify(issued, null, 2);
  return [
    issued.key,
    '',
    `Key ${issued.id} (${issued.name}), until ${time(issued.expiresAt)} UTC.`,
    'This is the only time it is shown: only a keyed hash of it is kept.',
  ].join('\n');
}

function row(key: ApiKeyFacts): string[] {
  return [
    key.id,
    key.name,
    key.state,
    key.tenant ?? '-',
    key.scopes.join(' ') || '-',
    key.roles.join(' ') || '-',
    key.ranges.join(' ') || 'anywhere',
    time(key.expiresAt),
    key.lastUsed === null ? 'never' : `${time(key.lastUsed.at)} ${key.lastUsed.entry ?? ''}`.trim(),
  ].map(safeText);
}

function time(at: Date): string {
  return at.toISOString().slice(0, 16).replace('T', ' ');
}
