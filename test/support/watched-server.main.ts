import 'reflect-metadata';
import { createInterface } from 'node:readline';
import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { oidc, SallyportModule } from 'sallyport';
import type { DataSourceOptions } from 'typeorm';
import { Deferred } from './eventually.js';
import { KILL } from './faulty-sqlite.js';
import { RESOURCE } from './messages.js';
import { Effects, Moments, watchedTools, type Moment } from './moments.js';

/**
 * A whole server in a process of its own, for tests that end it. Says where it listens, and `at …` for each call that
 * reaches the moment at which calls stop; `go on` on its input lets them, and all that follow, go on. Says `told to end`.
 */
export interface WatchedServerOptions {
  /** URL of the issuer of tokens. */
  readonly issuer: string;
  /** Where the audit is; everything else is in memory. */
  readonly database: DataSourceOptions;
  /** File of the side effects. */
  readonly effects: string;
  /** Where every call stops until it may go on. Default: nowhere. */
  readonly stopAt?: Moment;
  /** The signed log; default: none. */
  readonly log?: { readonly key: string; readonly state: { readonly file: string } };
  readonly drainSeconds?: number;
  readonly timeoutMs?: number;
}

function killable(database: DataSourceOptions): DataSourceOptions {
  if (database.type !== 'better-sqlite3') return database;
  const prepareDatabase = (handle: { function: (name: string, work: () => unknown) => unknown }) => {
    handle.function(KILL, () => Number(process.kill(process.pid, 'SIGKILL')));
  };
  return { ...database, prepareDatabase };
}

function applicationOf({ issuer, database, effects, log, drainSeconds, timeoutMs }: WatchedServerOptions) {
  @Module({
    imports: [
      TypeOrmModule.forRoot({ type: 'better-sqlite3', database: ':memory:' }),
      SallyportModule.forRoot({
        server: { name: 'watched', version: '1.0.0' },
        resource: RESOURCE,
        identity: [oidc({ issuer })],
        roles: {},
        audit: {
          database: killable(database),
          ...(log === undefined ? {} : { log }),
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        },
        ...(drainSeconds === undefined ? {} : { drainSeconds }),
      }),
    ],
    providers: watchedTools(new Effects(effects)),
  })
  class Application {}
  return Application;
}

const options: WatchedServerOptions = JSON.parse(process.env['OPTIONS'] ?? '{}');
const { stopAt } = options;
const application = await NestFactory.create(applicationOf(options), new FastifyAdapter(), {
  logger: ['error', 'warn', 'fatal'],
  abortOnError: false,
});
if (stopAt !== undefined) {
  const goOn = new Deferred();
  createInterface({ input: process.stdin }).once('line', () => goOn.resolve());
  application.get(Moments).at(stopAt, async () => {
    console.log(`at ${stopAt}`);
    await goOn.promise;
  });
}
process.once('SIGTERM', () => console.log('told to end'));
// Tells a shutdown that went well (0) from one that did not (1), and from being killed.
application.enableShutdownHooks(undefined, { useProcessExit: true });
await application.listen(0, '127.0.0.1');
console.log(`listening on ${await application.getUrl()}/mcp`);
