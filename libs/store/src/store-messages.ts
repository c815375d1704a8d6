import { basename } from 'node:path';
import type { DataSourceOptions } from 'typeorm';

import { errorCodeOf, errorMessageOf } from './store-fault.js';

/** Where a database is, in words for the operator: no password, no user. */
export function describeDatabase(options: DataSourceOptions): string {
  if (options.type === 'better-sqlite3') return `SQLite (${basename(options.database) || 'in memory'})`;
  if (options.type !== 'postgres') return options.type;
  const { host = 'localhost', port = 5432, database = '' } = locationOf(options);
  return `PostgreSQL (${host}:${port}/${database})`;
}

type PostgresOptions = Extract<DataSourceOptions, { readonly type: 'postgres' }>;

interface Location {
  readonly host?: string;
  readonly port?: number | string;
  readonly database?: string;
}

function locationOf(options: PostgresOptions): Location {
  if (options.url === undefined) return options;
  const url = urlOf(options.url);
  if (!url) return { host: '(a URL that cannot be read)' };
  return { host: url.hostname, port: url.port || 5432, database: url.pathname.slice(1) };
}

/**
 * What the driver said, when that is known to hold no secret. The errors of node, SQLite and PostgreSQL have a code;
 * the message of anything else, such as a URL that could not be read, may quote its input.
 */
export function describeFailure(error: unknown, options: DataSourceOptions): string {
  const code = errorCodeOf(error);
  if (code === undefined || code === 'ERR_INVALID_URL') return 'no reason given';
  const message = withoutSecrets(errorMessageOf(error), secretsOf(options));
  return message === '' ? code : `${code}: ${message}`;
}

function urlOf(text: string | undefined): URL | undefined {
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
}

function secretsOf(options: DataSourceOptions): string[] {
  if (options.type !== 'postgres') return [];
  const inUrl = urlOf(options.url)?.password ?? '';
  const given = typeof options.password === 'string' ? options.password : '';
  return [given, inUrl, decoded(inUrl)].filter((secret) => secret !== '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded, so the text itself is the secret.
    return text;
  }
}

function withoutSecrets(message: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message);
}
