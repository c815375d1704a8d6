import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { generateNoteKey } from '@sallyport/tlog';
import { apiKeys, oidc, SallyportModule, type SallyportOptions } from 'sallyport';
import type { DataSourceOptions } from 'typeorm';
import { benchTools } from './bench-tools.js';
import { newPepper } from './issue-key.js';
import type { SallyportSettings } from './settings.js';

@Module({})
class BenchModule {}

/** The application under test. */
export function benchModule(settings: SallyportSettings): DynamicModule {
  return {
    module: BenchModule,
    imports: [
      TypeOrmModule.forRoot(databaseOf(settings)),
      SallyportModule.forRoot(sallyportOptions(settings)),
    ],
    providers: [benchTools(settings)],
  };
}

function databaseOf({ postgres, database }: SallyportSettings): DataSourceOptions {
  return postgres === undefined
    ? { type: 'better-sqlite3', database }
    : { type: 'postgres', url: postgres, installExtensions: false };
}

/** As a user would write it: nothing is tuned but what the row of the table names. */
function sallyportOptions(settings: SallyportSettings): SallyportOptions {
  const { issuer, resource, keys, tokenCache, failureLimit } = settings;
  return {
    server: { name: 'bench', version: '1.0.0' },
    resource,
    identity: [...(keys ? [apiKeys({ pepper: newPepper() })] : []), oidc({ issuer })],
    roles: { 'bench:admin': ['bench:caller'] },
    scopes: { 'bench:all': ['bench:call'] },
    audit: auditOptions(settings),
    ...(tokenCache === 'off' ? { tokenCache: { seconds: 0 } } : {}),
    ...(failureLimit === 'lifted' ? { failedAuthentications: LIFTED } : {}),
  };
}

function auditOptions({ audit, database }: SallyportSettings): NonNullable<SallyportOptions['audit']> {
  if (audit === 'memory')
    return { database: { type: 'better-sqlite3', database: ':memory:' }, dangerouslyVolatile: true };
  if (audit === 'off') return { dangerouslyRecordNothing: true };
  if (audit === 'durable') return {};
  const { signerKey } = generateNoteKey('bench.example/audit');
  return { log: { key: signerKey, state: { file: `${database}.signed` } } };
}

const LIFTED = { perMinute: 1_000_000_000, burst: 1_000_000_000 };
