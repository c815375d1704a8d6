import { mkdtempSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module, type INestApplication, type LoggerService, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditReader, oidc, SallyportModule, type AuditCall, type SallyportOptions } from 'sallyport';
import type { TestIssuer } from './issuer.js';
import { ERAS, RESOURCE, send, type Answer, type Era, type Request } from './messages.js';

export const PLATFORMS = ['Fastify', 'Express'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** Every platform in every protocol era. */
export const WAYS = PLATFORMS.flatMap((platform) => ERAS.map((era): [Platform, Era] => [platform, era]));

/** The roles of the tests: each holds the ones below it. */
export const ROLES = {
  'agent:admin': ['agent:contributor'],
  'agent:contributor': ['agent:read-only'],
  'agent:read-only': [],
};

export interface TestServerOptions extends ModuleMetadata {
  readonly issuer?: TestIssuer;
  readonly platform?: Platform;
  readonly sallyport?: Partial<SallyportOptions>;
  /** Database of application and audit. Default: a new file. */
  readonly database?: Parameters<typeof TypeOrmModule.forRoot>[0];
  /** What a `main.ts` would do between `create` and `listen`. */
  readonly configure?: (app: INestApplication) => unknown;
}

/** Says which handlers ran. */
export class Runs {
  readonly names: string[] = [];

  note(name: string): void {
    this.names.push(name);
  }
}

/** Every line that was logged, so that a test can look for what must not be in one. */
export class LogLines implements LoggerService {
  readonly lines: string[] = [];
  readonly log = (...parts: unknown[]) => this.#keep(parts);
  readonly error = (...parts: unknown[]) => this.#keep(parts);
  readonly warn = (...parts: unknown[]) => this.#keep(parts);
  readonly debug = (...parts: unknown[]) => this.#keep(parts);

  #keep(parts: unknown[]): void {
    this.lines.push(parts.map(String).join(' '));
  }
}

export function newDatabaseFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'sallyport-e2e-')), 'app.sqlite');
}

/**
 * On a busy machine, an idle connection that the server ends after 5 seconds (the default of node, and so of Express) may
 * be ended while a request of ours is under way on it. Fastify keeps them for 72 seconds; so do both here.
 */
function keepConnections(server: Server): void {
  server.keepAliveTimeout = 72_000;
}

/** A whole application in this process, listening on a port of the loopback. */
export class TestServer {
  private constructor(
    readonly app: INestApplication,
    readonly runs: Runs,
    readonly logs: LogLines,
  ) {}

  static async start(options: TestServerOptions): Promise<TestServer> {
    const runs = new Runs();
    const logs = new LogLines();
    const adapter = options.platform === 'Express' ? new ExpressAdapter() : new FastifyAdapter();
    const app = await NestFactory.create(applicationModule(options, runs), adapter, {
      logger: logs,
      abortOnError: false,
    });
    try {
      await options.configure?.(app);
      await app.listen(0, '127.0.0.1');
      keepConnections(app.getHttpServer());
    } catch (error) {
      await app.close();
      throw error;
    }
    return new TestServer(app, runs, logs);
  }

  get port(): number {
    const address: unknown = this.app.getHttpServer().address();
    if (typeof address === 'object' && address !== null && 'port' in address) return Number(address.port);
    throw new Error('The server does not listen.');
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  get audit(): AuditReader {
    return this.app.get(AuditReader);
  }

  send(request: Request): Promise<Answer> {
    return send(this.url, request);
  }

  async records(): Promise<AuditCall[]> {
    return this.audit.list({ limit: 1000 });
  }

  /** What `work` answered, what was recorded meanwhile, and which handlers ran. */
  async observe<T>(work: () => Promise<T>): Promise<{ answer: T; records: AuditCall[]; ran: string[] }> {
    const before = (await this.records()).at(-1)?.seq ?? 0;
    const ranBefore = this.runs.names.length;
    const answer = await work();
    const records = (await this.records()).filter(({ seq }) => seq > before);
    return { answer, records, ran: this.runs.names.slice(ranBefore) };
  }

  async close(): Promise<void> {
    await this.app.close();
  }
}

/** The application: one database, Sallyport, and what the test adds. */
export function applicationModule(options: TestServerOptions, runs = new Runs()) {
  const { imports = [], controllers = [], providers = [], sallyport = {}, issuer, database } = options;
  @Module({
    imports: [
      TypeOrmModule.forRoot(
        database ?? { type: 'better-sqlite3', database: newDatabaseFile(), autoLoadEntities: true },
      ),
      SallyportModule.forRoot({
        server: { name: 'test-server', version: '1.0.0' },
        resource: RESOURCE,
        identity: issuer === undefined ? [] : [oidc({ issuer: issuer.url })],
        roles: ROLES,
        ...sallyport,
      }),
      ...imports,
    ],
    controllers,
    providers: [{ provide: Runs, useValue: runs }, ...providers],
  })
  class Application {}
  return Application;
}
