import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { databaseOptions } from './database-options.js';

describe('databaseOptions', () => {
  it.each([
    { kind: 'sqlite', path: ':memory:' } as const,
    { kind: 'postgres', url: 'postgres://db/office' } as const,
  ])('changes the schema by migration only: $kind', (database) => {
    const options = databaseOptions({ database, databaseOwner: undefined });
    expect(options).toMatchObject({ synchronize: false, migrationsRun: true });
    expect(options.migrations).toHaveLength(2);
  });

  it('makes the directory of a SQLite file and writes ahead', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'office-'));
    const path = join(directory, 'new', 'deep', 'office.sqlite');
    const dataSource = await new DataSource(
      databaseOptions({ database: { kind: 'sqlite', path }, databaseOwner: undefined }),
    ).initialize();
    expect(await dataSource.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    await dataSource.destroy();
    expect((await stat(path)).isFile()).toBe(true);
    await rm(directory, { recursive: true });
  });
});
