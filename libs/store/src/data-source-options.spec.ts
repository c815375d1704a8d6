import type { DataSourceOptions } from 'typeorm';

import { storeDataSourceOptions } from './data-source-options.js';

const name = { of: 'the audit', option: 'audit', applicationName: 'sallyport-audit' };

function optionsFor(application: DataSourceOptions) {
  return storeDataSourceOptions(application, name, [], {
    timeoutMs: 5000,
    poolSize: 4,

    onPoolError: () => undefined,
  });
}

describe('storeDataSourceOptions', () => {
  it('takes from an application what is needed to reach its database, and nothing that could harm it', () => {
    const application: DataSourceOptions = {
      type: 'postgres',
      host: 'db.internal',
      username: 'app',
      password: 'hunter2',
      database: 'app',
      ssl: true,
      schema: 'acme',
      synchronize: true,
      dropSchema: true,
      migrationsRun: true,
      migrationsTableName: 'migrations',
      entityPrefix: 'app_',
      cache: true,
      entities: ['dist/**/*.entity.js'],
      subscribers: ['dist/**/*.subscriber.js'],
      logging: 'all',
      poolSize: 50,
      extra: { max: 50, query_timeout: 9, statement_timeout: 60_000, idleTimeoutMillis: 1000 },
    };
    const options = optionsFor(application);
    expect(options).toMatchObject({
      type: 'postgres',
      host: 'db.internal',
      username: 'app',
      password: 'hunter2',
      database: 'app',
      ssl: true,
      schema: 'acme',
      migrationsTableName: 'sallyport_migrations',
      logging: false,
      poolSize: 4,
      connectTimeoutMS: 5000,
      extra: { keepAlive: true, idleTimeoutMillis: 1000, statement_timeout: 5000 },
    });
    for (const harmful of [
      'synchronize',
      'dropSchema',
      'migrationsRun',
      'entityPrefix',
      'cache',
      'subscribers',
    ])
      expect(options).not.toHaveProperty(harmful);
    expect(options.extra).not.toHaveProperty('max');
    expect(options.extra).not.toHaveProperty('query_timeout');
  });

  it('writes to the master of a replicated database', () => {
    const options = optionsFor({
      type: 'postgres',
      replication: { master: { host: 'master' }, slaves: [{ host: 'replica' }] },
    });
    expect(options).toMatchObject({ host: 'master' });
    expect(options).not.toHaveProperty('replication');
  });

  it('sets no statement timeout where it is switched off for a pooler', () => {
    const options = optionsFor({ type: 'postgres', extra: { statement_timeout: 0 } });
    expect(options.extra).toMatchObject({ statement_timeout: 0 });
  });

  it('never lets SQLite wait in the event loop', () => {
    const options = optionsFor({
      type: 'better-sqlite3',
      database: 'app.sqlite',
      timeout: 9000,
      dropSchema: true,
    });
    expect(options).toMatchObject({ database: 'app.sqlite', timeout: 0 });
    expect(options).not.toHaveProperty('dropSchema');
  });

  it('names the databases it works on when it is given another', () => {
    expect(() => optionsFor({ type: 'mysql', database: 'app' })).toThrow(
      /better-sqlite3 and postgres, not on mysql.*audit: \{ database:/,
    );
  });
});
