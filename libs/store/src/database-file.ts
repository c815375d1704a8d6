import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import type { DataSourceOptions } from 'typeorm';

/** A file that was opened is not the one of that name any more: what is written goes where nobody will look. */
export class DatabaseMovedError extends Error {
  override readonly name = 'DatabaseMovedError';
  /** SQLite's own word for it, which it finds out without WAL only. */
  readonly code = 'SQLITE_READONLY_DBMOVED';

  constructor(which: string) {
    super(`${which} was moved, replaced or deleted while it was open: put it back, or start again.`);
  }
}

/**
 * What SQLite keeps beside the file while it is open, and its names. A commit is in the `-wal` alone until it is copied into
 * the main file; the `-shm` says who reads and writes where. Only the last connection that is closed takes them away, so
 * while ours is open, nobody may.
 */
const BESIDE = ['-wal', '-shm'] as const;

/** The files behind a connection to SQLite, which the connection keeps whatever happens to their names. */
export class DatabaseFile {
  /** Of the files beside it, as far as they have been there: SQLite makes them when it first reads or writes. */
  private readonly beside = new Map<string, string>();

  private constructor(
    private readonly path: string,
    private readonly identity: string,
  ) {
    this.meetNew();
  }

  /** To be called when the file is open. `undefined`: the database is none in a file. */
  static of(options: DataSourceOptions): DatabaseFile | undefined {
    if (options.type !== 'better-sqlite3') return undefined;
    const path = resolve(options.database);
    const identity = ['', ':memory:'].includes(options.database) ? undefined : identityOf(path);
    return identity === undefined ? undefined : new DatabaseFile(path, identity);
  }

  /** Takes microseconds. @throws {DatabaseMovedError} */
  requireInPlace(): void {
    if (identityOf(this.path) !== this.identity) throw new DatabaseMovedError('The database file');
    for (const [suffix, identity] of this.beside) {
      if (identityOf(this.path + suffix) !== identity)
        throw new DatabaseMovedError(`The ${suffix} file of the database`);
    }
    this.meetNew();
  }

  private meetNew(): void {
    for (const suffix of BESIDE) {
      if (this.beside.has(suffix)) continue;
      const identity = identityOf(this.path + suffix);
      if (identity !== undefined) this.beside.set(suffix, identity);
    }
  }
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
}
