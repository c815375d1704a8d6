import type { DataSourceOptions } from 'typeorm';

/**
 * - `unrecorded`: the call ran, its outcome was not committed, and its result is withheld;
 * - `recorded`: the outcome is committed, but the server could not know it, and withholds the result;
 * - `answered`: it took its time, and went well.
 */
export type AfterRun = 'unrecorded' | 'recorded' | 'answered';

/** A way in which the records of a server become impossible. */
export interface Fault<D> {
  readonly name: string;
  /** It is there from now on. */
  readonly strike: (database: D) => Promise<unknown>;
  /** It comes while the next outcome is written, in one or more ways. */
  readonly during: readonly {
    readonly name: string;
    readonly arm: (database: D) => Promise<unknown>;
    readonly leads: AfterRun;
  }[];
  /** It is over. */
  readonly repair: (database: D) => Promise<unknown>;
  /** Whether the server must find out first that its connections are gone. */
  readonly healsSlowly?: true;
}

/** A database that can be made to fail, each kind in the ways it fails in the field. */
export interface FaultyDatabase {
  /** As the audit of a server reaches it. */
  readonly options: DataSourceOptions;
  /** As it is reached whatever the server has to endure. */
  readonly direct: DataSourceOptions;
  /** How many connections the audit has to it; always 1 with SQLite. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}

/** How long a record may take on a server under test, in milliseconds. */
export const TIMEOUT_MS = 500;

