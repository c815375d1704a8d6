import { isIP, isIPv6 } from 'node:net';
import { join } from 'node:path';
import { registerAs } from '@nestjs/config';
import { z } from 'zod';
import { ConfigurationError } from './configuration.error.js';
import { databaseLocation, type DatabaseLocation } from './database-location.js';
import { isLoopback, serviceOrigin, serviceUrl } from './service-url.js';

/** What the environment says, validated and frozen. */
export interface Configuration {
  /** `NODE_ENV`; default `development`. */
  readonly environment: 'development' | 'test' | 'production';
  /** `HOST`: the address to listen on; default `127.0.0.1`. */
  readonly host: string;
  /** `PORT`; default 3000. */
  readonly port: number;
  /** `PUBLIC_URL`: the origin clients know this server by; default `http://HOST:PORT`. No trailing slash. */
  readonly publicUrl: string;
  /** The protected resource (RFC 8707), and so the audience of every token: `PUBLIC_URL/mcp`. */
  readonly resource: string;
  /** `OIDC_ISSUER`: exactly as the provider spells it. `undefined`: the development provider. */
  readonly oidcIssuer: string | undefined;
  /** `DATABASE_URL`; default `sqlite:DATA_DIR/sallyport.sqlite`. May hold a password: never log it. */
  readonly database: DatabaseLocation;
  /**
   * `DATABASE_OWNER_URL`: the role that owns the tables and runs the migrations, so that the server itself connects as one
   * that row-level security binds. PostgreSQL only. May hold a password: never log it.
   */
  readonly databaseOwner: DatabaseLocation | undefined;
  /** `DATA_DIR`: where keys and the default database live; default `data`. */
  readonly dataDirectory: string;
  /**
   * `API_KEY_PEPPER`: what hashes of API keys are made with. `undefined`: one that is kept in `DATA_DIR`, for development.
   * A secret: never log it.
   */
  readonly apiKeyPepper: string | undefined;
  /**
   * `AUDIT_SECRET`: wraps the keys of the people whom the audit names. `undefined`: one that is kept in `DATA_DIR`, for
   * development. A secret: never log it.
   */
  readonly auditSecret: string | undefined;
  /**
   * `AUDIT_LOG_KEY`: signs the checkpoints of the audit. `undefined`: one that is kept in `DATA_DIR`, for development.
   * A secret: never log it.
   */
  readonly auditLogKey: string | undefined;
  /** `PARTNER_JWT_SECRET`: signs the tokens of partners (HS256). `undefined`: no partner may call. Never log it. */
  readonly partnerSecret: string | undefined;
  /** `SESSIONS`: whether clients of 2025 get sessions, `on` or `off`; default `off`. They live in one process. */
  readonly sessions: boolean;
}

/** The configuration as a Nest provider: `ConfigModule.forFeature(configuration)`, `@Inject(configuration.KEY)`. */
export const configuration = registerAs('server', () => readConfiguration(process.env));

/**
 * Reads the environment. An empty variable counts as unset.
 *
 * @throws ConfigurationError naming every problem at once
 *
 * @example
 * ```ts
 * const { resource } = readConfiguration({ PUBLIC_URL: 'https://mcp.acme.example' }); // https://mcp.acme.example/mcp
 * ```
 */
export function readConfiguration(environment: Environment): Configuration {
  const given = withoutEmpty(environment);
  const read = Variables.safeParse(given);
  const problems = [...(read.error?.issues.map(({ message }) => message) ?? []), ...clashes(given)];
  if (!read.success || problems.length > 0) throw new ConfigurationError(problems);
  return configurationOf(read.data);
}

type Environment = Readonly<Record<string, string | undefined>>;

const SENTENCES = {
  NODE_ENV: 'NODE_ENV: write development, test or production.',
  HOST: 'HOST: write the address or name to listen on, such as 127.0.0.1.',
  PORT: 'PORT: write a number from 1 to 65535.',
  PUBLIC_URL:
    'PUBLIC_URL: write the origin clients use, such as https://mcp.acme.example: https unless loopback, no path.',
  OIDC_ISSUER:
    "OIDC_ISSUER: write your provider's issuer URL, such as https://acme.okta.com: https unless loopback, no query.",
  DATABASE_URL:
    'DATABASE_URL: write sqlite:data/sallyport.sqlite, sqlite::memory: or postgres://user:password@host/database.',
  DATABASE_OWNER_URL:
    'DATABASE_OWNER_URL: write postgres://owner:password@host/database, with a DATABASE_URL of the same database.',
  DATA_DIR: 'DATA_DIR: write the path of a directory.',
  API_KEY_PEPPER:
    'API_KEY_PEPPER: write at least 32 characters, in production at the latest; make them with: openssl rand -base64 32.',
  AUDIT_SECRET:
    'AUDIT_SECRET: write at least 32 characters, in production at the latest; make them with: openssl rand -base64 32.',
  AUDIT_LOG_KEY:
    'AUDIT_LOG_KEY: write the signer key (PRIVATE+KEY+…) of the audit log, in production at the latest; make one with: sallyport audit new-key mcp.acme.example/audit.',
  PARTNER_JWT_SECRET:
    'PARTNER_JWT_SECRET: write at least 32 characters, the secret you share with the system that issues the tokens of partners.',
  SESSIONS: 'SESSIONS: write on or off.',
  production:
    "The development identity provider is refused in production: set OIDC_ISSUER to your provider's issuer URL.",
} as const;

const Variables = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'], { error: SENTENCES.NODE_ENV })
    .default('development'),
  HOST: z.string().refine(isHost, SENTENCES.HOST).default('127.0.0.1'),
  PORT: z.string().refine(isPort, SENTENCES.PORT).transform(Number).default(3000),
  PUBLIC_URL: read(serviceOrigin, SENTENCES.PUBLIC_URL).optional(),
  // Kept as written: an issuer is compared character by character (RFC 8414 §3.3).
  OIDC_ISSUER: z
    .string()
    .refine((text) => serviceUrl(text) !== undefined, SENTENCES.OIDC_ISSUER)
    .optional(),
  DATABASE_URL: read(databaseLocation, SENTENCES.DATABASE_URL).optional(),
  DATABASE_OWNER_URL: read(postgresLocation, SENTENCES.DATABASE_OWNER_URL).optional(),
  DATA_DIR: z
    .string()
    .refine((path) => !path.includes('\0'), SENTENCES.DATA_DIR)
    .default('data'),
  API_KEY_PEPPER: z.string().min(32, SENTENCES.API_KEY_PEPPER).optional(),
  AUDIT_SECRET: z.string().min(32, SENTENCES.AUDIT_SECRET).optional(),
  AUDIT_LOG_KEY: z.string().startsWith('PRIVATE+KEY+', SENTENCES.AUDIT_LOG_KEY).optional(),
  PARTNER_JWT_SECRET: z.string().min(32, SENTENCES.PARTNER_JWT_SECRET).optional(),
  SESSIONS: z.enum(['on', 'off'], { error: SENTENCES.SESSIONS }).default('off'),
});

/** What each variable alone cannot say. Judged on the raw text, so that it is reported beside everything else. */
function clashes(environment: Environment): string[] {
  const {
    NODE_ENV,
    OIDC_ISSUER,
    PUBLIC_URL,
    HOST = '127.0.0.1',
    DATABASE_URL,
    DATABASE_OWNER_URL,
  } = environment;
  const { API_KEY_PEPPER, AUDIT_SECRET, AUDIT_LOG_KEY } = environment;
  const problems: string[] = [];
  if (postgresLocation(DATABASE_OWNER_URL) !== undefined && postgresLocation(DATABASE_URL) === undefined)
    problems.push(SENTENCES.DATABASE_OWNER_URL);
  if (NODE_ENV === 'production' && OIDC_ISSUER === undefined) problems.push(SENTENCES.production);
  if (NODE_ENV === 'production' && API_KEY_PEPPER === undefined) problems.push(SENTENCES.API_KEY_PEPPER);
  if (NODE_ENV === 'production' && AUDIT_SECRET === undefined) problems.push(SENTENCES.AUDIT_SECRET);
  if (NODE_ENV === 'production' && AUDIT_LOG_KEY === undefined) problems.push(SENTENCES.AUDIT_LOG_KEY);
  if (PUBLIC_URL === undefined && isHost(HOST) && !isLoopback(HOST)) problems.push(SENTENCES.PUBLIC_URL);
  return problems;
}

function configurationOf(variables: z.output<typeof Variables>): Configuration {
  const { HOST: host, PORT: port, DATA_DIR: dataDirectory } = variables;
  const publicUrl =
    variables.PUBLIC_URL ?? new URL(`http://${isIPv6(host) ? `[${host}]` : host}:${port}`).origin;
  const file: DatabaseLocation = { kind: 'sqlite', path: join(dataDirectory, 'sallyport.sqlite') };
  return Object.freeze({
    environment: variables.NODE_ENV,
    host,
    port,
    publicUrl,
    resource: `${publicUrl}/mcp`,
    oidcIssuer: variables.OIDC_ISSUER,
    database: Object.freeze(variables.DATABASE_URL ?? file),
    databaseOwner: variables.DATABASE_OWNER_URL,
    dataDirectory,
    apiKeyPepper: variables.API_KEY_PEPPER,
    auditSecret: variables.AUDIT_SECRET,
    auditLogKey: variables.AUDIT_LOG_KEY,
    partnerSecret: variables.PARTNER_JWT_SECRET,
    sessions: variables.SESSIONS === 'on',
  });
}

function read<T>(parse: (text: string) => T | undefined, sentence: string) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: sentence });
    return z.NEVER;
  });
}

function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;
}

function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text);
}

function postgresLocation(text = ''): DatabaseLocation | undefined {
  const location = databaseLocation(text);
  return location?.kind === 'postgres' ? location : undefined;
}
