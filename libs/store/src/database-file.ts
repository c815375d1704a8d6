import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import type { DataSourceOptions } from 'typeorm';

/** The file that was opened is not the one of that name any more: what is written goes where nobody will look. */
export class DatabaseMovedError extends Error {
  override readonly name = 'DatabaseMovedError';
  /** SQLite's own word for it, which it finds out without WAL only. */
  readonly code = 'SQLITE_READONLY_DBMOVED';

  constructor() {
    super('The database file was moved, replaced or deleted while it was open: put it back, or start again.');
  }
}

/** The file behind a connection to SQLite, which the connection keeps whatever happens to its name. */
export class DatabaseFile {
  private constructor(
    private readonly path: string,
    private readonly identity: string,
  ) {}

  /** To be called when the file is open. `undefined`: the database is none in a file. */
  static of(options: DataSourceOptions): DatabaseFile | undefined {
    if (options.type !== 'better-sqlite3') return undefined;
    const path = resolve(options.database);
    const identity = ['', ':memory:'].includes(options.database) ? undefined : identityOf(path);
    return identity === undefined ? undefined : new DatabaseFile(path, identity);
  }

  /** Takes microseconds. @throws {DatabaseMovedError} */
  requireInPlace(): void {
    if (identityOf(this.path) !== this.identity) throw new DatabaseMovedError();
  }
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
}
