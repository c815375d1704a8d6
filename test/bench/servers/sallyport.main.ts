import 'reflect-metadata';
import { Module, type DynamicModule, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { apiKeys, oidc, SallyportModule, type SallyportOptions } from 'sallyport';
import { benchTools } from './bench-tools.js';
import { issueKey, newPepper } from './issue-key.js';
import { reportToBench } from './report-to-bench.js';
import { readSallyportSettings, type SallyportSettings } from './settings.js';

@Module({})
class BenchModule {}

function benchModule(settings: SallyportSettings): DynamicModule {
  return {
    module: BenchModule,
    imports: [
      TypeOrmModule.forRoot({ type: 'better-sqlite3', database: settings.database }),
      SallyportModule.forRoot(sallyportOptions(settings)),
    ],
    providers: [benchTools(settings)],
  };
}

/** As a user would write it: nothing is tuned but what the row of the table names. */
function sallyportOptions(settings: SallyportSettings): SallyportOptions {
  const { issuer, resource, audit, keys, tokenCache, failureLimit } = settings;
  return {
    server: { name: 'bench', version: '1.0.0' },
    resource,
    identity: [...(keys ? [apiKeys({ pepper: newPepper() })] : []), oidc({ issuer })],
    roles: { 'bench:admin': ['bench:caller'] },
    scopes: { 'bench:all': ['bench:call'] },
    ...(audit === 'memory' ? { audit: { database: { type: 'better-sqlite3', database: ':memory:' } } } : {}),
    ...(tokenCache === 'off' ? { tokenCache: { seconds: 0 } } : {}),
    ...(failureLimit === 'lifted' ? { failedAuthentications: LIFTED } : {}),
  };
}

const LIFTED = { perMinute: 1_000_000_000, burst: 1_000_000_000 };

async function create(settings: SallyportSettings): Promise<INestApplication> {
  const adapter = settings.platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  return NestFactory.create(benchModule(settings), adapter, { logger: ['error', 'fatal'] });
}

const settings = readSallyportSettings();
const application = await create(settings);
await application.listen(0, '127.0.0.1');
const { port } = new URL(await application.getUrl());
const key = settings.keys ? await issueKey(application) : undefined;
reportToBench({ port: Number(port), key }, () => application.close());
