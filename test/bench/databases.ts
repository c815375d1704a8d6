import { join } from 'node:path';
import { startPostgres, type RunningPostgres } from '../support/postgres.js';

/** Where a process puts its tables. */
export type BenchDatabase =
  | { readonly type: 'better-sqlite3'; readonly database: string }
  | { readonly type: 'postgres'; readonly url: string; readonly installExtensions: false };

/** A database of its own for whoever asks. PostgreSQL runs on the same machine, from when it is asked for the first time. */
export class Databases {
  private running: Promise<RunningPostgres> | undefined;

  constructor(private readonly directory: string) {}

  sqlite(name: string): Extract<BenchDatabase, { type: 'better-sqlite3' }> {
    return { type: 'better-sqlite3', database: join(this.directory, `${name}.sqlite`) };
  }

  async postgres(name: string): Promise<Extract<BenchDatabase, { type: 'postgres' }>> {
    this.running ??= startPostgres();
    const server = await this.running;
    const { database } = await server.createDatabase(name.replaceAll('-', '_'));
    const url = server.url.replace(/[^/]*$/, database);
    return { type: 'postgres', url, installExtensions: false };
  }

  async close(): Promise<void> {
    const server = await this.running?.catch(() => undefined);
    await server?.stop();
  }
}
